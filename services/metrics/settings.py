"""Settings of the metrics service, read from the environment."""

from pydantic import AnyHttpUrl, Field

from shared.settings import DatabaseSettings, prefixed


class Settings(DatabaseSettings):
    """Settings of metrics; the names begin with METRICS_, except for shared ones."""

    model_config = prefixed("METRICS_")

    ingest_url: AnyHttpUrl = Field(
        AnyHttpUrl("http://127.0.0.1:8401"),
        description="Base URL of ingest, for replays and for the events that verify reads",
    )
    sentiment_model: str = Field(
        "e5-7", description="The model that is promoted for a new tenant; a change does not affect existing tenants"
    )
    database_pool: int = Field(8, ge=2, le=64, description="Database connections for queries")
    scan_pool: int = Field(
        2,
        ge=1,
        le=16,
        description="Database connections for queries that no stored counts answer, and for explanations: as many run at a time,"
        " half of them, or one, of one tenant",
    )
    questions_per_tenant: int = Field(
        3,
        ge=1,
        le=64,
        description="Queries of one tenant in progress at a time; of all tenants two fewer than METRICS_DATABASE_POOL",
    )
    questions_waiting: int = Field(50, ge=1, le=10_000, description="Queries of one tenant that wait; more are answered 503")
    consume: bool = Field(True, description="Whether this process consumes the topics")
    seal: bool = Field(True, description="Whether this process seals histograms")
    seal_after_seconds: float = Field(60.0, ge=0, description="Seconds for which a span must be unchanged before it is sealed")
    seal_every_seconds: float = Field(5.0, gt=0, description="Seconds between searches for spans to seal")
    verify_every_hours: float = Field(
        24.0,
        ge=0,
        le=8760,
        description="Hours from one verification of a tenant's numbers to the next, in the background; 0: only on request",
    )
