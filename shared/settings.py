"""Base classes of the services' settings: frozen, validated at start, read from environment variables."""

from pathlib import Path
from typing import Any

from pydantic import AnyHttpUrl, Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from shared.brokers import BrokerSettings
from shared.databases import ConnectionSettings, Database, check_url

TOKEN_LENGTH = 16
"""The fewest characters of an internal token."""


def prefixed(prefix: str) -> SettingsConfigDict:
    """The configuration of a settings class whose variables start with `prefix`. Errors quote no values, which may be secret."""
    return SettingsConfigDict(env_prefix=prefix, frozen=True, extra="ignore", populate_by_name=True, hide_input_in_errors=True)


class SharedSettings(BrokerSettings):
    """The settings of all services. Services derive from it and set `model_config = prefixed("INGEST_")`."""

    model_config = SettingsConfigDict(frozen=True, extra="ignore", populate_by_name=True)

    kafka_instance: str | None = Field(
        None,
        validation_alias="KAFKA_INSTANCE",
        pattern=r"^[A-Za-z0-9._-]{1,200}$",
        description="Name of this replica, the same after a restart: a crashed consumer then gets its partitions back at once",
    )
    internal_token: SecretStr = Field(
        ...,
        min_length=TOKEN_LENGTH,
        validation_alias="INTERNAL_TOKEN",
        description="Bearer token of the services on internal routes",
    )
    further_internal_tokens: SecretStr | None = Field(
        None,
        validation_alias="FURTHER_INTERNAL_TOKENS",
        description="Tokens that internal routes accept and no service sends, comma-separated: the next INTERNAL_TOKEN before a "
        "rotation, the former one until every service sends the next",
    )
    log_level: str = Field(
        "INFO",
        validation_alias="LOG_LEVEL",
        pattern="^(DEBUG|INFO|WARNING|ERROR)$",
        description="DEBUG, INFO, WARNING or ERROR",
    )
    log_format: str = Field("json", validation_alias="LOG_FORMAT", pattern="^(json|console)$", description="json or console")
    otlp_endpoint: AnyHttpUrl | None = Field(
        None,
        validation_alias="OTEL_EXPORTER_OTLP_ENDPOINT",
        description="Base URL of an OpenTelemetry collector (OTLP over HTTP), to which traces are sent; none: no traces",
    )
    host: str = Field("127.0.0.1", description="Address to listen on")
    port: int = Field(8000, ge=1, le=65535, description="Port to listen on")
    request_limit: int = Field(
        1000,
        ge=1,
        validation_alias="REQUEST_LIMIT",
        description="Requests in progress in a process, including live streams; more get 503, except health checks",
    )
    connection_limit: int = Field(
        1500,
        ge=1,
        validation_alias="CONNECTION_LIMIT",
        description="Open connections of a process; requests on more get 503; above twice as many, new ones are closed",
    )
    head_timeout: float = Field(
        10.0, gt=0, le=300, validation_alias="HEAD_TIMEOUT", description="Seconds in which the head of a request must arrive"
    )
    body_timeout: float = Field(
        30.0,
        gt=0,
        le=300,
        validation_alias="BODY_TIMEOUT",
        description="Seconds in which a body must arrive, plus the time of its bytes at BODY_BYTES_PER_SECOND",
    )
    body_bytes_per_second: int = Field(
        16_384, ge=1, validation_alias="BODY_BYTES_PER_SECOND", description="The slowest accepted upload"
    )
    idle_timeout: int = Field(
        5,
        ge=1,
        le=3600,
        validation_alias="IDLE_TIMEOUT",
        description="Seconds after which an idle connection is closed; behind a proxy more than those after which the proxy does",
    )
    shutdown_pause: float = Field(
        0.0,
        ge=0,
        le=60,
        validation_alias="SHUTDOWN_PAUSE",
        description="Seconds between failing readiness and draining connections, after SIGTERM",
    )

    @property
    def accepted_tokens(self) -> list[SecretStr]:
        """The tokens that internal routes accept: `internal_token`, and those of `further_internal_tokens`."""
        return [self.internal_token, *split_secret(self.further_internal_tokens)]

    @field_validator("further_internal_tokens")
    @classmethod
    def _check_further_tokens(cls, tokens: SecretStr | None) -> SecretStr | None:
        if any(len(token) < TOKEN_LENGTH for token in split_secret(tokens)):
            raise ValueError(f"each token needs at least {TOKEN_LENGTH} characters")
        return tokens


class DatabaseSettings(SharedSettings, ConnectionSettings):
    """The settings of a service that owns a database."""

    database_url: SecretStr = Field(
        ...,
        description="PostgreSQL database of this service: postgresql://user:password@host:port/name; its parameters sslmode, "
        "sslrootcert, sslcert and sslkey replace the DATABASE_SSL_ variables",
    )

    @field_validator("database_url")
    @classmethod
    def _check_url(cls, url: SecretStr) -> SecretStr:
        return check_url(url)

    @property
    def database(self) -> Database:
        """The database of this service, as `shared.database` takes it."""
        return self.database_at(self.database_url)


def split_secret(secret: SecretStr | None) -> list[SecretStr]:
    """The parts of a comma-separated secret, without empty ones and outer blanks."""
    texts = secret.get_secret_value().split(",") if secret else []
    return [SecretStr(text.strip()) for text in texts if text.strip()]


def trimmed(url: AnyHttpUrl) -> str:
    """A base URL without a trailing slash."""
    return str(url).rstrip("/")


def variable_name(cls: type[BaseSettings], name: str) -> str:
    """The environment variable of the field `name`."""
    alias = cls.model_fields[name].validation_alias
    return alias if isinstance(alias, str) else f"{cls.model_config.get('env_prefix', '')}{name}".upper()


def public_values(settings: BaseSettings) -> dict[str, Any]:
    """The values of the settings by their environment variables, without secrets, for the log."""
    cls = type(settings)
    values = {name: getattr(settings, name) for name in cls.model_fields}
    return {variable_name(cls, name): _public(value) for name, value in values.items() if not isinstance(value, SecretStr)}


def _public(value: Any) -> Any:
    if isinstance(value, Path):
        return str(value)
    if not isinstance(value, AnyHttpUrl):
        return value
    return str(AnyHttpUrl.build(scheme=value.scheme, host=value.host or "", port=value.port, path=(value.path or "/")[1:]))


def invalid_variables(cls: type[BaseSettings], error: ValidationError) -> dict[str, str]:
    """Environment variable → why it is refused, never its value."""
    reasons: dict[str, str] = {}
    for invalid in error.errors(include_url=False, include_context=False, include_input=False):
        name = str(invalid["loc"][0]) if invalid["loc"] else ""
        variable = variable_name(cls, name) if name in cls.model_fields else name or "settings"
        reasons[variable] = "it is required" if invalid["type"] == "missing" else invalid["msg"].removeprefix("Value error, ")
    return reasons
