"""Sentiment's settings; keys begin with SENTIMENT_, the shared few with nothing."""

from typing import Literal, Self

from pydantic import AnyHttpUrl, Field, model_validator

from shared.settings import SharedSettings, prefixed

ScorerName = Literal["vader", "linear"]


class Settings(SharedSettings):
    """Read from the environment, validated at boot."""

    model_config = prefixed("SENTIMENT_")

    ingest_url: AnyHttpUrl = Field(
        AnyHttpUrl("http://127.0.0.1:8401"), description="Where ingest is asked for a replay, and for tenants' themes"
    )
    scorer: ScorerName = Field("vader", description="The model that scores; KPIs read it once it is promoted")
    shadow: ScorerName | None = Field(
        None,
        description="Another model that scores beside it, to be compared and promoted; till then it counts for nothing",
    )
    threads: int = Field(
        1, ge=1, le=64, description="Threads that score comments; more help only with a model that frees the GIL"
    )
    max_batch: int = Field(500, ge=1, le=5000, description="Events that are scored, sent and committed together")
    taxonomy_cache_seconds: float = Field(
        30.0, ge=0, le=3600, description="How long a tenant's themes are trusted before ingest is asked for them again"
    )
    max_waiting: int = Field(32, ge=1, description="Calls of POST /v1/score that may wait for a thread; more are answered 503")

    @model_validator(mode="after")
    def two_models(self) -> Self:
        if self.shadow == self.scorer:
            raise ValueError("SENTIMENT_SHADOW names the model that scores already")
        return self
