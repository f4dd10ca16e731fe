"""Sentiment's settings; keys begin with SENTIMENT_, the shared few with nothing."""

from typing import Literal

from pydantic import AnyHttpUrl, Field

from shared.settings import SharedSettings, prefixed


class Settings(SharedSettings):
    """Read from the environment, validated at boot."""

    model_config = prefixed("SENTIMENT_")

    ingest_url: AnyHttpUrl = Field(
        AnyHttpUrl("http://127.0.0.1:8401"), description="Where ingest is asked for a replay, and for tenants' themes"
    )
    scorer: Literal["vader", "linear"] = Field(
        "vader", description="The model that scores; KPIs read it once METRICS_SENTIMENT_MODEL names it (vader-3.3.2, linear-1)"
    )
    threads: int = Field(
        1, ge=1, le=64, description="Threads that score comments; more help only with a model that frees the GIL"
    )
    max_batch: int = Field(500, ge=1, le=5000, description="Events that are scored, sent and committed together")
    taxonomy_cache_seconds: float = Field(
        30.0, ge=0, le=3600, description="How long a tenant's themes are trusted before ingest is asked for them again"
    )
    max_waiting: int = Field(32, ge=1, description="Calls of POST /v1/score that may wait for a thread; more are answered 503")
