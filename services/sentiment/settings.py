"""The settings of sentiment."""

from typing import Literal, Self

from pydantic import AnyHttpUrl, Field, SecretStr, model_validator

from shared.settings import SharedSettings, prefixed

ScorerName = Literal["e5", "e5-6", "e5-5", "e5-4", "e5-2", "linear", "vader", "http"]
NAME = r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$"
OURS = frozenset({"vader", "linear", "e5"})
"""Ids of Earshot's own models, which a model server must not use: their scores would be mixed."""


class Settings(SharedSettings):
    """Environment variables start with SENTIMENT_, except those that all services share."""

    model_config = prefixed("SENTIMENT_")

    ingest_url: AnyHttpUrl = Field(
        AnyHttpUrl("http://127.0.0.1:8401"), description="Base URL of ingest, for replays and tenants' themes"
    )
    scorer: ScorerName = Field(
        "e5",
        description="The model that scores; `e5`: the newest transformer; `http`: a server of your own. KPIs use a model once it"
        " is promoted",
    )
    shadow: ScorerName | None = Field(
        None,
        description="Another model that scores beside it, for comparison; KPIs do not use it before it is promoted",
    )
    scorer_url: AnyHttpUrl | None = Field(None, description="URL of the model server; required with http")
    scorer_token: SecretStr = Field(SecretStr(""), description="Bearer token for the model server; may be empty")
    scorer_model: str | None = Field(
        None, pattern=NAME, description="The model id that the server must return; required with http"
    )
    scorer_version: str | None = Field(
        None, pattern=NAME, description="The model version that the server must return; required with http"
    )
    scorer_timeout: float = Field(10.0, gt=0, le=30, description="Seconds within which the model server must answer a batch")
    scorer_batch: int = Field(32, ge=1, le=256, description="Texts of one request to the model server")
    threads: int = Field(
        1,
        ge=1,
        le=64,
        description="Threads that score comments; only transformers and http gain from more than one",
    )
    max_batch: int = Field(500, ge=1, le=5000, description="Events of a batch, which is committed as a whole")
    taxonomy_cache_seconds: float = Field(30.0, ge=0, le=3600, description="Seconds for which a tenant's themes are cached")
    max_waiting: int = Field(8, ge=1, description="Calls of POST /v1/score of one tenant that may wait; more get 503")

    @model_validator(mode="after")
    def check_models_differ(self) -> Self:
        """Raises ValueError if the shadow is the scorer."""
        if self.shadow == self.scorer:
            raise ValueError("SENTIMENT_SHADOW must differ from SENTIMENT_SCORER")
        return self

    @model_validator(mode="after")
    def check_model_server(self) -> Self:
        """Raises ValueError if a model server lacks its URL, model or version, or has the id of one of our own models."""
        if "http" not in (self.scorer, self.shadow):
            return self
        needed = {"URL": self.scorer_url, "MODEL": self.scorer_model, "VERSION": self.scorer_version}
        if missing := [f"SENTIMENT_SCORER_{name}" for name, value in needed.items() if value is None]:
            raise ValueError(f"SENTIMENT_SCORER=http requires {', '.join(missing)}")
        if self.scorer_model in OURS:
            raise ValueError("SENTIMENT_SCORER_MODEL must not be the id of one of Earshot's own models")
        return self
