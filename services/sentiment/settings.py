"""Sentiment's settings; keys begin with SENTIMENT_, the shared few with nothing."""

from typing import Literal, Self

from pydantic import AnyHttpUrl, Field, SecretStr, model_validator

from shared.settings import SharedSettings, prefixed

ScorerName = Literal["e5", "linear", "vader", "http"]
NAME = r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$"
OURS = frozenset({"vader", "linear", "e5"})
"""Ids of the models that come with Earshot: under them another's scores would be mixed with theirs."""


class Settings(SharedSettings):
    """Read from the environment, validated at boot."""

    model_config = prefixed("SENTIMENT_")

    ingest_url: AnyHttpUrl = Field(
        AnyHttpUrl("http://127.0.0.1:8401"), description="Where ingest is asked for a replay, and for tenants' themes"
    )
    scorer: ScorerName = Field(
        "e5", description="The model that scores, `http` for a server of your own; KPIs read it once it is promoted"
    )
    shadow: ScorerName | None = Field(
        None,
        description="Another model that scores beside it, to be compared and promoted; till then it counts for nothing",
    )
    scorer_url: AnyHttpUrl | None = Field(None, description="Where a model server takes texts; needed with http")
    scorer_token: SecretStr = Field(SecretStr(""), description="What is shown to the model server as bearer token; may be empty")
    scorer_model: str | None = Field(
        None, pattern=NAME, description="The id that the model server has to give itself; needed with http"
    )
    scorer_version: str | None = Field(
        None, pattern=NAME, description="And its version, likewise: its scores are named id-version"
    )
    scorer_timeout: float = Field(10.0, gt=0, le=30, description="Seconds that the model server may take for one batch")
    scorer_batch: int = Field(32, ge=1, le=256, description="Texts that the model server gets in one call")
    threads: int = Field(
        1, ge=1, le=64, description="Threads that score comments; more help e5 and http, which free the GIL, and no other"
    )
    max_batch: int = Field(500, ge=1, le=5000, description="Events that are scored, sent and committed together")
    taxonomy_cache_seconds: float = Field(
        30.0, ge=0, le=3600, description="How long a tenant's themes are trusted before ingest is asked for them again"
    )
    max_waiting: int = Field(
        8, ge=1, description="Calls of POST /v1/score by one tenant that may wait for their turn; more are answered 503"
    )

    @model_validator(mode="after")
    def two_models(self) -> Self:
        if self.shadow == self.scorer:
            raise ValueError("SENTIMENT_SHADOW names the model that scores already")
        return self

    @model_validator(mode="after")
    def a_server_is_named_whole(self) -> Self:
        if "http" not in (self.scorer, self.shadow):
            return self
        needed = {"URL": self.scorer_url, "MODEL": self.scorer_model, "VERSION": self.scorer_version}
        if missing := [f"SENTIMENT_SCORER_{name}" for name, value in needed.items() if value is None]:
            raise ValueError(f"a model server needs {', '.join(missing)}")
        if self.scorer_model in OURS:
            raise ValueError("SENTIMENT_SCORER_MODEL is the id of a model that comes with Earshot")
        return self
