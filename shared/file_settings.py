"""Settings that name files: passwords, tokens, certificates and keys for Kafka and PostgreSQL."""

from pathlib import Path
from typing import Any

from pydantic import Field, ValidationInfo


def file_field(variable: str, description: str) -> Any:
    """The field of an optional file that an environment variable names. Its validators run for the default, too."""
    return Field(None, validation_alias=variable, validate_default=True, description=description)


def check_key(key: Path | None, info: ValidationInfo, certificate: str) -> Path | None:
    """The file of a private key. Raises ValueError if only one of it and the field `certificate` is set.

    The variable of `certificate` is its name in capitals.
    """
    if (key is None) != (info.data.get(certificate) is None):
        raise ValueError(f"it and {certificate.upper()} are required together")
    return key
