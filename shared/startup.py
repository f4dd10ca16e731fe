"""The first step of every process: read the settings, and configure logs and traces."""

import os
from typing import TypeVar

import structlog
from pydantic import ValidationError

from shared.settings import SharedSettings, invalid_variables
from shared.telemetry import configure_logging
from shared.tracing import start_tracing

log = structlog.get_logger()

INVALID_SETTINGS = 2
"""Exit status if settings are missing or invalid."""

S = TypeVar("S", bound=SharedSettings)


def read_settings(service: str, cls: type[S]) -> S:
    """The settings of `service` from the environment. From now on everything is logged in their format.

    If some are missing or invalid, one log line names them and the process exits with INVALID_SETTINGS.
    """
    configure_logging(service, "INFO", os.environ.get("LOG_FORMAT", "json"))
    try:
        settings = cls()
    except ValidationError as error:
        log.critical("settings.invalid", variables=invalid_variables(cls, error))
        raise SystemExit(INVALID_SETTINGS) from None
    configure_logging(service, settings.log_level, settings.log_format)
    if settings.otlp_endpoint:
        start_tracing(service, str(settings.otlp_endpoint))
    return settings
