"""The settings of ingest. Their keys begin with INGEST_; the shared ones have no prefix."""

from base64 import urlsafe_b64decode
from collections.abc import Sequence

from pydantic import AnyHttpUrl, Field, SecretStr, field_validator

from shared.databases import Database, check_url
from shared.settings import DatabaseSettings, prefixed, split_secret

KEY_BYTES = 32


class Settings(DatabaseSettings):
    """Read from the environment, validated at boot."""

    model_config = prefixed("INGEST_")

    processes: int = Field(
        1,
        ge=1,
        le=64,
        description="Processes that serve the port together; each uses up to one processor core, at least 115 MB, and as "
        "many connections to the database as a replica",
    )
    public_url: AnyHttpUrl = Field(
        AnyHttpUrl("http://127.0.0.1:8401"),
        description="Base URL under which tools reach ingest; the beginning of every hook_url",
    )
    metrics_url: AnyHttpUrl = Field(
        AnyHttpUrl("http://127.0.0.1:8403"), description="Base URL of metrics, which gets the names of teams, agents and surveys"
    )
    secret_key: SecretStr = Field(
        ...,
        description="32 bytes as url-safe base64: encrypts the connections' secrets and credentials, and the tenants' "
        "pseudonym keys, at rest",
    )
    further_secret_keys: SecretStr | None = Field(
        None,
        description="Keys that decrypt and never encrypt, comma-separated: the next INGEST_SECRET_KEY before a rotation, the "
        "former one until everything is encrypted anew",
    )
    encrypt_bodies: bool = Field(
        False,
        description="Whether received bodies are stored encrypted, each under a key of its own; only if all replicas have a "
        "version that can read them",
    )
    keys_database_url: SecretStr | None = Field(
        None,
        description="PostgreSQL database of the keys of encrypted bodies, with backups of its own; none: INGEST_DATABASE_URL",
    )
    committers: int = Field(
        1, ge=1, le=16, description="Transactions that commit at the same time in a process; fewer are larger and cost less"
    )
    queue_limit: int = Field(10_000, ge=100, description="Deliveries that may wait for a commit; further ones are answered 503")
    hook_deadline: float = Field(
        10.0,
        gt=0,
        le=60,
        description="Seconds after its body in which a webhook is stored and answered; then it is answered 503",
    )
    request_deadline: float = Field(
        60.0,
        gt=0,
        le=300,
        description="Seconds after its body in which the response to any other request begins; then it is answered 503",
    )
    connection_cache_seconds: float = Field(
        1.0,
        ge=0,
        le=60,
        description="Seconds for which a connection is cached; changes by other replicas are seen within this time",
    )
    connections_per_tenant: int = Field(200, ge=1, description="Connected tools of one tenant, not counting deleted ones")

    import_processes: int = Field(
        2,
        ge=1,
        le=16,
        description="Processes that read imported files at the same time, beside each process that answers requests; each uses a "
        "processor core and about 100 MB",
    )
    tool_api_url: AnyHttpUrl | None = Field(
        None,
        description="Base URL that replaces those of all tools' APIs, for tests; none: those of each tool, by its data centre",
    )

    @property
    def decrypting_keys(self) -> Sequence[SecretStr]:
        """The keys of `further_secret_keys`."""
        return split_secret(self.further_secret_keys)

    @property
    def keys_database(self) -> Database:
        """The database of the keys of encrypted bodies."""
        return self.database_at(self.keys_database_url or self.database_url)

    @field_validator("keys_database_url")
    @classmethod
    def _check_keys_url(cls, url: SecretStr | None) -> SecretStr | None:
        return check_url(url) if url else None

    @field_validator("secret_key")
    @classmethod
    def _of_32_bytes(cls, key: SecretStr) -> SecretStr:
        if len(urlsafe_b64decode(key.get_secret_value())) != KEY_BYTES:
            raise ValueError(f"{KEY_BYTES} bytes as url-safe base64 are needed")
        return key

    @field_validator("further_secret_keys")
    @classmethod
    def _each_of_32_bytes(cls, keys: SecretStr | None) -> SecretStr | None:
        if any(len(urlsafe_b64decode(key.get_secret_value())) != KEY_BYTES for key in split_secret(keys)):
            raise ValueError(f"each key needs {KEY_BYTES} bytes as url-safe base64")
        return keys
