"""What the metrics service reads from its environment."""

from pydantic import AnyHttpUrl, Field

from shared.settings import DatabaseSettings, prefixed


class Settings(DatabaseSettings):
    """Settings of metrics; keys begin with METRICS_ but for the shared ones."""

    model_config = prefixed("METRICS_")

    ingest_url: AnyHttpUrl = Field(
        AnyHttpUrl("http://127.0.0.1:8401"),
        description="Base URL of ingest, asked for replays and for the events that verify reads",
    )
    sentiment_model: str = Field(
        "e5-2", description="The model that is promoted for a new tenant; a change leaves the tenants there are as they are"
    )
    database_pool: int = Field(8, ge=2, le=64, description="Connections to the database that queries may use")
    questions_per_tenant: int = Field(
        3,
        ge=1,
        le=64,
        description="Questions of one tenant that a process works on at a time; all together two fewer than connections",
    )
    questions_waiting: int = Field(
        50, ge=1, le=10_000, description="Further questions of one tenant that wait in a process; more are answered 503"
    )
    consume: bool = Field(True, description="Whether this process consumes the topics")
    seal: bool = Field(True, description="Whether this process seals histograms")
    seal_after_seconds: float = Field(60.0, ge=0, description="How long a span must have been untouched before it is sealed")
    seal_every_seconds: float = Field(5.0, gt=0, description="How often the sealer looks for spans without seals")
