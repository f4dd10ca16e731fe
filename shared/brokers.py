"""How to reach Kafka: addresses, TLS and authentication, from the environment variables that begin with KAFKA_."""

from dataclasses import dataclass
from pathlib import Path

from pydantic import Field, FilePath, SecretStr, ValidationInfo, field_validator
from pydantic_settings import BaseSettings

from shared.file_settings import check_key, file_field

PROTOCOLS = "PLAINTEXT|SSL|SASL_PLAINTEXT|SASL_SSL"
MECHANISMS = "PLAIN|SCRAM-SHA-256|SCRAM-SHA-512|OAUTHBEARER"
TOKENS = "OAUTHBEARER"


@dataclass(frozen=True, slots=True)
class Brokers:
    """The brokers of a cluster, and how a client connects to them. Files are read for each new client, so they may change."""

    servers: str
    """Comma-separated host:port."""
    protocol: str = "PLAINTEXT"
    """One of PROTOCOLS."""
    mechanism: str = "SCRAM-SHA-512"
    """One of MECHANISMS; used if `protocol` is SASL_PLAINTEXT or SASL_SSL."""
    username: str | None = None
    password: SecretStr | None = None
    password_file: Path | None = None
    token_file: Path | None = None
    """A token for OAUTHBEARER."""
    ca_file: Path | None = None
    """Certificates of the authorities that sign the brokers' certificates; None: those of the system."""
    certificate_file: Path | None = None
    key_file: Path | None = None
    """The client's certificate and its private key, for mutual TLS."""

    @property
    def encrypted(self) -> bool:
        """Whether connections use TLS."""
        return self.protocol.endswith("SSL")

    @property
    def authenticated(self) -> bool:
        """Whether connections use SASL."""
        return self.protocol.startswith("SASL")


class BrokerSettings(BaseSettings):
    """The settings of all connections to Kafka."""

    kafka_bootstrap_servers: str = Field(
        "127.0.0.1:9092",
        validation_alias="KAFKA_BOOTSTRAP_SERVERS",
        description="Kafka brokers, comma-separated host:port",
    )
    kafka_security_protocol: str = Field(
        "PLAINTEXT",
        validation_alias="KAFKA_SECURITY_PROTOCOL",
        pattern=f"^({PROTOCOLS})$",
        description="PLAINTEXT, SSL (TLS), SASL_PLAINTEXT (authentication without encryption) or SASL_SSL (both)",
    )
    kafka_sasl_mechanism: str = Field(
        "SCRAM-SHA-512",
        validation_alias="KAFKA_SASL_MECHANISM",
        pattern=f"^({MECHANISMS})$",
        description="PLAIN, SCRAM-SHA-256, SCRAM-SHA-512 or OAUTHBEARER, for SASL_PLAINTEXT and SASL_SSL",
    )
    kafka_sasl_username: str | None = Field(
        None,
        validation_alias="KAFKA_SASL_USERNAME",
        validate_default=True,
        description="Kafka user, for every mechanism but OAUTHBEARER",
    )
    kafka_sasl_password: SecretStr | None = Field(
        None, validation_alias="KAFKA_SASL_PASSWORD", description="Password of the Kafka user; or KAFKA_SASL_PASSWORD_FILE"
    )
    kafka_sasl_password_file: FilePath | None = file_field(
        "KAFKA_SASL_PASSWORD_FILE", "File with the password of the Kafka user, read for each new client"
    )
    kafka_sasl_token_file: FilePath | None = file_field(
        "KAFKA_SASL_TOKEN_FILE", "File with a token for OAUTHBEARER, read for each new connection"
    )
    kafka_ssl_ca_file: FilePath | None = file_field(
        "KAFKA_SSL_CA_FILE", "Certificates (PEM) of the authorities of the brokers' certificates; none: those of the system"
    )
    kafka_ssl_certificate_file: FilePath | None = file_field(
        "KAFKA_SSL_CERTIFICATE_FILE", "Certificate (PEM) of this client, for mutual TLS"
    )
    kafka_ssl_key_file: FilePath | None = file_field("KAFKA_SSL_KEY_FILE", "Private key (PEM) of KAFKA_SSL_CERTIFICATE_FILE")

    @field_validator("kafka_sasl_username")
    @classmethod
    def _require_username(cls, value: str | None, info: ValidationInfo) -> str | None:
        if value is None and _uses_sasl(info) and info.data.get("kafka_sasl_mechanism") != TOKENS:
            raise ValueError("it is required with SASL, except for OAUTHBEARER")
        return value

    @field_validator("kafka_sasl_password_file")
    @classmethod
    def _require_password(cls, value: Path | None, info: ValidationInfo) -> Path | None:
        if not _uses_sasl(info) or info.data.get("kafka_sasl_mechanism") == TOKENS:
            return value
        if (value is None) == (info.data.get("kafka_sasl_password") is None):
            raise ValueError("either it or KAFKA_SASL_PASSWORD is required with SASL, except for OAUTHBEARER")
        return value

    @field_validator("kafka_sasl_token_file")
    @classmethod
    def _require_token(cls, value: Path | None, info: ValidationInfo) -> Path | None:
        if value is None and _uses_sasl(info) and info.data.get("kafka_sasl_mechanism") == TOKENS:
            raise ValueError("it is required for OAUTHBEARER")
        return value

    @field_validator("kafka_ssl_key_file")
    @classmethod
    def _require_pair(cls, value: Path | None, info: ValidationInfo) -> Path | None:
        return check_key(value, info, "kafka_ssl_certificate_file")

    @property
    def brokers(self) -> Brokers:
        """The brokers, as `shared.kafka` takes them."""
        return Brokers(
            servers=self.kafka_bootstrap_servers,
            protocol=self.kafka_security_protocol,
            mechanism=self.kafka_sasl_mechanism,
            username=self.kafka_sasl_username,
            password=self.kafka_sasl_password,
            password_file=self.kafka_sasl_password_file,
            token_file=self.kafka_sasl_token_file,
            ca_file=self.kafka_ssl_ca_file,
            certificate_file=self.kafka_ssl_certificate_file,
            key_file=self.kafka_ssl_key_file,
        )


def _uses_sasl(info: ValidationInfo) -> bool:
    return str(info.data.get("kafka_security_protocol", "")).startswith("SASL")
