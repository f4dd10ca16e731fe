"""Logs: one JSON object a line, with the request's id; never a body, a secret or a customer's identity."""

import logging
import sys
import time
from math import inf

import structlog


def configure_logging(service: str, level: str, log_format: str) -> None:
    """Send structlog and the standard library's warnings to stderr in one format."""
    renderer: structlog.types.Processor = (
        structlog.processors.JSONRenderer() if log_format == "json" else structlog.dev.ConsoleRenderer(colors=False)
    )
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level]),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
    structlog.contextvars.bind_contextvars(service=service)
    logging.basicConfig(level="WARNING", stream=sys.stderr, format="%(levelname)s %(name)s %(message)s")
    for handler in logging.getLogger().handlers:
        handler.addFilter(Seldom("aiokafka"))


class Seldom(logging.Filter):
    """Lets each kind of message of `library` through once in `every` seconds: in an outage it says the same 30 times a second."""

    def __init__(self, library: str, every: float = 30.0) -> None:
        super().__init__()
        self._library = library
        self._every = every
        self._said: dict[str, float] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        if record.name.partition(".")[0] != self._library:
            return True
        now = time.monotonic()
        if now - self._said.get(str(record.msg), -inf) < self._every:
            return False
        self._said[str(record.msg)] = now
        return True
