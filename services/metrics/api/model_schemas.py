"""The bodies of responses about sentiment models. The gateway takes the schemas of the public ones from here."""

from pydantic import BaseModel, Field

from services.metrics.api.schemas import Instant, Interval, Percent, Window
from shared.events import Label


class ModelEntry(BaseModel):
    """A sentiment model, and how much it has scored."""

    name: str = Field(description="The name of the model", examples=["e5-7"])
    scores: int = Field(description="Comments that it has scored")
    coverage: Percent | None = Field(description="The percentage of comments that it has scored; null without comments")
    promoted: bool = Field(description="Whether KPIs read its scores")


class Models(BaseModel):
    """The models that have scored any comment of the tenant, and the promoted one."""

    comments: int = Field(description="The tenant's comments")
    models: list[ModelEntry] = Field(description="By name")


class Promotion(BaseModel):
    """The promoted model."""

    model: str = Field(description="The name of the model", examples=["e5-7"])
    promoted_at: Instant = Field(description="Since when KPIs read its scores")


class Verdict(BaseModel):
    """The label and the score that count for a comment if a model is promoted."""

    label: Label | None = Field(description="Null if there is none")
    score: float | None = Field(description="−1 to 1")


class ShadowExample(BaseModel):
    """A comment whose label would change."""

    subject: str = Field(description="The response, review or ticket", examples=["c1/response/r-1"])
    at: Instant = Field(description="When the customer said it")
    text_hash: str = Field(description="Identifies the text to `/v1/overrides`")
    text: str = Field(description="The comment")
    promoted: Verdict = Field(description="By the promoted model")
    candidate: Verdict = Field(description="By the candidate")


class ShadowValue(BaseModel):
    """A KPI's value with one model."""

    value: float | None = Field(description="Null if there is nothing to count")
    n: int = Field(description="The size of the sample")
    interval: Interval | None = Field(description="Null if the sample is too small for one")
    flags: list[str] = Field(description="As in a row of `GET /v1/kpis/{kpi}`")


class ShadowKpi(BaseModel):
    """A KPI with either model."""

    kpi: str = Field(description="The id of the KPI", examples=["sentiment_share"])
    agg: str | None = Field(description="The aggregation, if the KPI has several", examples=["negative"])
    promoted: ShadowValue = Field(description="With the promoted model")
    candidate: ShadowValue = Field(description="With the candidate")
    delta: float | None = Field(description="The candidate's value − the promoted model's")


class ShadowReport(BaseModel):
    """The changes that the promotion of a candidate would make."""

    model: str = Field(description="The candidate")
    promoted: str = Field(description="The promoted model")
    window: Window = Field(description="The window of the report")
    comments: int = Field(description="Comments in the window")
    missing: int = Field(description="Comments that the candidate has not scored")
    n: int = Field(description="Comments for which both models have a label")
    agreement: Percent | None = Field(description="The percentage of equal labels; null if `n` is 0")
    changed: int = Field(description="Comments whose label would change")
    confusion: dict[Label, dict[Label, int]] = Field(
        description="Comments by the promoted model's label, then by the candidate's"
    )
    examples: list[ShadowExample] = Field(description="The newest comments whose label would change")
    kpis: list[ShadowKpi] = Field(description="KPIs of sentiment with either model")
