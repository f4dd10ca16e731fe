"""Logs: one JSON object per line with the request id; no bodies, secrets or identities of customers."""

import asyncio
import logging
import sys
import threading
import time
import traceback
from collections.abc import Iterator
from math import inf
from types import TracebackType
from typing import Any

import structlog

from shared.request_context import add_to_log

ExcInfo = tuple[type[BaseException] | None, BaseException | None, TracebackType | None]


def configure_logging(service: str, level: str, log_format: str) -> None:
    """Write everything to stderr in one format: structlog's events, the records and warnings of libraries, uncaught errors."""
    renderer: structlog.types.Processor = (
        structlog.processors.JSONRenderer() if log_format == "json" else structlog.dev.ConsoleRenderer(colors=False)
    )
    structlog.configure(
        processors=[*processors(service), renderer],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level]),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
    handler = StructlogHandler()
    handler.addFilter(RepeatFilter("aiokafka"))
    handler.addFilter(is_not_logged_already)
    logging.basicConfig(level="WARNING", handlers=[handler], force=True)
    logging.captureWarnings(True)
    sys.excepthook = log_uncaught
    threading.excepthook = lambda args: log_uncaught(args.exc_type, args.exc_value, args.exc_traceback)
    sys.unraisablehook = lambda args: log_uncaught(args.exc_type, args.exc_value, args.exc_traceback)


def log_uncaught(
    kind: type[BaseException], error: BaseException | None, trace: TracebackType | None, event: str = "error.uncaught"
) -> None:
    """Log an error that nothing has caught."""
    structlog.get_logger().critical(event, error=kind.__name__, exc_info=(kind, error, trace))


def log_loop_error(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """Handler of errors that asyncio itself reports, such as those of tasks that nothing awaits. Its own quotes the error."""
    task, error = context.get("task") or context.get("future"), context.get("exception")
    name = task.get_name() if isinstance(task, asyncio.Task) else None
    structlog.get_logger().error("asyncio.error", reason=context["message"], task=name, exc_info=error)


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


class StructlogHandler(logging.Handler):
    """Logs the records of libraries as events, whose name is the message, with the field `logger`."""

    def emit(self, record: logging.LogRecord) -> None:
        """Log `record`."""
        structlog.get_logger().log(record.levelno, message_of(record), logger=record.name, exc_info=record.exc_info or None)


def message_of(record: logging.LogRecord) -> str:
    """The message of a record; without its arguments if they don't fit, since logging must not fail."""
    try:
        return record.getMessage().rstrip()
    except Exception:
        return str(record.msg)


def is_not_logged_already(record: logging.LogRecord) -> bool:
    """Whether to log `record`: not if it is uvicorn's line about an error of a route, which `shared.problems` logs too."""
    error = record.exc_info[1] if record.exc_info else None
    return not (
        record.name == "uvicorn.error" and isinstance(error, Exception) and record.msg.startswith("Exception in ASGI application")
    )


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
