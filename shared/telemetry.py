"""Logs: one JSON object per line with the request id; no bodies, secrets or identities of customers."""

import logging
import sys
import time
import traceback
from collections.abc import Iterator
from math import inf
from types import TracebackType

import structlog

from shared.request_context import add_to_log

ExcInfo = tuple[type[BaseException] | None, BaseException | None, TracebackType | None]


def configure_logging(service: str, level: str, log_format: str) -> None:
    """Send structlog and the standard library's warnings to stderr in one format."""
    renderer: structlog.types.Processor = (
        structlog.processors.JSONRenderer() if log_format == "json" else structlog.dev.ConsoleRenderer(colors=False)
    )
    structlog.configure(
        processors=[*processors(service), renderer],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level]),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
    logging.basicConfig(level="WARNING", stream=sys.stderr)
    for handler in logging.getLogger().handlers:
        handler.setFormatter(MessageFreeFormatter("%(levelname)s %(name)s %(message)s"))
        handler.addFilter(RepeatFilter("aiokafka"))


def processors(service: str) -> list[structlog.typing.Processor]:
    """The processors of a service's log events, before they are rendered."""

    def add_service(logger: object, method: str, event: structlog.typing.EventDict) -> structlog.typing.EventDict:
        event["service"] = service
        return event

    return [
        structlog.contextvars.merge_contextvars,
        add_service,
        add_to_log,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.ExceptionRenderer(places_of),
    ]


def places_of(exc_info: ExcInfo) -> str:
    """The places and types of an error and its causes, without their messages: those of a database quote values."""
    return "".join(_chain(exc_info[1])).rstrip()


def _chain(error: BaseException | None) -> Iterator[str]:
    if error is None:
        return
    cause = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    if cause is not None:
        yield from _chain(cause)
        yield "which led to\n"
    yield from traceback.format_tb(error.__traceback__)
    state = getattr(error, "sqlstate", None)
    yield f"{type(error).__module__}.{type(error).__qualname__}{f' {state}' if state else ''}\n"


class MessageFreeFormatter(logging.Formatter):
    """Formats errors like `places_of`."""

    def formatException(self, ei: ExcInfo) -> str:  # noqa: N802
        """The places of an error, without messages, which may hold personal data."""
        return places_of(ei)


class RepeatFilter(logging.Filter):
    """Passes each message of `library` once in `every` seconds: in an outage it logs the same 30 times a second."""

    def __init__(self, library: str, every: float = 30.0) -> None:
        super().__init__()
        self._library = library
        self._every = every
        self._logged_at: dict[str, float] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether to log `record`: it is of another library, or was not logged within `every` seconds."""
        if record.name.partition(".")[0] != self._library:
            return True
        now = time.monotonic()
        if now - self._logged_at.get(str(record.msg), -inf) < self._every:
            return False
        self._logged_at[str(record.msg)] = now
        return True
