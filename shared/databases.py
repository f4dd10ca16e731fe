"""How to reach PostgreSQL: TLS and pooling, from the environment variables that begin with DATABASE_, and the URL."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self
from urllib.parse import parse_qs, urlsplit

from pydantic import Field, FilePath, SecretStr, ValidationInfo, field_validator
from pydantic_settings import BaseSettings

from shared.file_settings import check_key, file_field

SSL_MODES = "disable|prefer|require|verify-ca|verify-full"
"""libpq's modes (https://www.postgresql.org/docs/current/libpq-ssl.html), without `allow`."""
POOLING = "session|transaction"
SCHEMES = ("postgresql", "postgres", "postgresql+asyncpg")
TLS_PARAMETERS: Mapping[str, tuple[str, Callable[[str], Any]]] = {
    "sslmode": ("ssl_mode", str),
    "sslrootcert": ("ca_file", Path),
    "sslcert": ("certificate_file", Path),
    "sslkey": ("key_file", Path),
}
"""libpq's parameter of a URL → the field of Database that it sets, and its type."""
URL_PARAMETERS = (*TLS_PARAMETERS, "application_name")
"""The parameters that a URL may have after the question mark."""


@dataclass(frozen=True, slots=True)
class Database:
    """A database, and how a client connects to it. Files are read for each new connection, so they may change."""

    url: SecretStr
    ssl_mode: str | None = None
    """One of SSL_MODES. None: TLS if the server offers it, as libpq's variables (PGSSLMODE and so on) say."""
    ca_file: Path | None = None
    """Certificates of the authorities that sign the server's certificate; None: those of the system."""
    certificate_file: Path | None = None
    key_file: Path | None = None
    """The client's certificate and its private key."""
    pooling: str = "session"
    """One of POOLING: `transaction` if a pooler may run each transaction of a connection in another session."""

    @classmethod
    def at(cls, url: SecretStr, defaults: Mapping[str, Any] | None = None) -> Self:
        """The database at a URL. The parameters of the URL replace `defaults`, which are fields of this class by name."""
        query = parse_qs(urlsplit(url.get_secret_value()).query)
        named = {field: kind(query[name][-1]) for name, (field, kind) in TLS_PARAMETERS.items() if name in query}
        return cls(url, **{**(defaults or {}), **named})

    @property
    def verified(self) -> bool:
        """Whether the server's certificate is verified. As in libpq, `require` verifies it too if `ca_file` is set."""
        return self.ssl_mode in ("verify-ca", "verify-full") or self.ca_file is not None

    @property
    def pooled_by_transaction(self) -> bool:
        """Whether consecutive transactions of a connection may run in different sessions."""
        return self.pooling == "transaction"


class ConnectionSettings(BaseSettings):
    """The settings of all connections to PostgreSQL."""

    database_ssl_mode: str | None = Field(
        None,
        validation_alias="DATABASE_SSL_MODE",
        pattern=f"^({SSL_MODES})$",
        description="disable, prefer, require (encrypted), verify-ca (and the certificate's authority verified) or verify-full "
        "(and its host name); none: TLS if the server offers it",
    )
    database_ssl_ca_file: FilePath | None = file_field(
        "DATABASE_SSL_CA_FILE", "Certificates (PEM) of the authorities of the server's certificate; none: those of the system"
    )
    database_ssl_certificate_file: FilePath | None = file_field(
        "DATABASE_SSL_CERTIFICATE_FILE", "Certificate (PEM) of this client, for servers that require one"
    )
    database_ssl_key_file: FilePath | None = file_field(
        "DATABASE_SSL_KEY_FILE", "Private key (PEM) of DATABASE_SSL_CERTIFICATE_FILE"
    )
    database_pooling: str = Field(
        "session",
        validation_alias="DATABASE_POOLING",
        pattern=f"^({POOLING})$",
        description="transaction behind PgBouncer or another pooler in transaction mode; session in all other cases",
    )

    @field_validator("database_ssl_key_file")
    @classmethod
    def _require_key_and_certificate(cls, value: Path | None, info: ValidationInfo) -> Path | None:
        return check_key(value, info, "database_ssl_certificate_file")

    def database_at(self, url: SecretStr) -> Database:
        """The database at a URL, with these settings except for those that the URL has as parameters."""
        return Database.at(
            url,
            {
                "ssl_mode": self.database_ssl_mode,
                "ca_file": self.database_ssl_ca_file,
                "certificate_file": self.database_ssl_certificate_file,
                "key_file": self.database_ssl_key_file,
                "pooling": self.database_pooling,
            },
        )


def check_url(url: SecretStr) -> SecretStr:
    """The URL of a database. Raises ValueError, without quoting it, if it is none or has a parameter that is not supported."""
    parts = urlsplit(url.get_secret_value())
    if parts.scheme not in SCHEMES:
        raise ValueError("it must begin with postgresql://")
    parameters = parse_qs(parts.query, keep_blank_values=True)
    if unknown := [name for name in parameters if name not in URL_PARAMETERS]:
        raise ValueError(f"its parameter {unknown[0]} is not supported; allowed are {', '.join(URL_PARAMETERS)}")
    modes = SSL_MODES.split("|")
    if any(mode not in modes for mode in parameters.get("sslmode", ())):
        raise ValueError(f"its sslmode must be one of {', '.join(modes)}")
    if ("sslcert" in parameters) != ("sslkey" in parameters):
        raise ValueError("its parameters sslcert and sslkey are required together")
    return url
