"""The bodies of requests and responses. The gateway takes the schemas of the public ones from here."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from services.metrics.domain.estimator import EstimatorKind
from shared.events import Label, Urgency

Instant = Annotated[str, Field(json_schema_extra={"format": "date-time"}, examples=["2026-11-20T09:00:00+01:00"])]
"""RFC 3339 with an offset."""

ValueNames = Annotated[
    dict[str, str],
    Field(
        description="By dimension, the name of the value in `dims`, as `PUT /v1/names` set it; without a name it is left out",
        examples=[{"team": "Billing"}],
    ),
]
"""Names of teams and agents."""

Percent = Annotated[float, Field(ge=0, le=100)]


# --- the catalogue --------------------------------------------------------------------------------------------------------
class KpiEntry(BaseModel):
    """The definition of a KPI."""

    id: str = Field(description="Identifies the KPI in paths", examples=["nps"])
    version: int = Field(description="Rises when the definition changes")
    name: str = Field(description="The name for people", examples=["Net Promoter Score"])
    formula: str = Field(description="The definition in words")
    unit: str = Field(description="The unit of values", examples=["points"])
    direction: Literal["higher", "lower", "none"] = Field(description="Which values are better")
    population: str = Field(description="What is counted")
    measures: list[str] = Field(
        description="The measures that it is computed from, as records name them before a colon", examples=[["nps"]]
    )
    estimator: EstimatorKind = Field(description="How a value is computed from the counts of the measures")
    intervals: list[str] = Field(
        description="The methods of the intervals of values; empty if they have none", examples=[["adjusted_wald"]]
    )
    null_if: str = Field(description="When a value is null", examples=["nothing counts"])
    filed_by: list[str] = Field(description="The events whose time can file a record, the default first")
    dimensions: list[str] = Field(
        description="The dimensions to group and to filter by; those of the tenant's own are `own_dimensions` of the catalogue"
    )
    aggregations: list[str] = Field(description="The values of `agg`, the default first; empty if there is no choice")
    hours: list[str] = Field(
        description="The values of `hours`, the default first; empty if there is no choice", examples=[["calendar", "business"]]
    )
    presets: list[str] = Field(
        description="The values of `preset`: those of other systems, then the tenant's own; empty if there are none",
        examples=[["zendesk", "dbt_zendesk"]],
    )
    min_n: int = Field(description="The least `n` of a value without the flag `low_n`")


class Catalogue(BaseModel):
    """Every KPI, and the tenant's own dimensions."""

    kpis: list[KpiEntry] = Field(description="The definitions")
    own_dimensions: list[str] = Field(
        description="The tenant's own dimensions: every KPI can be grouped and filtered by them too", examples=[["plan"]]
    )


# --- values ---------------------------------------------------------------------------------------------------------------
class Window(BaseModel):
    """A half-open window of time, seen from a zone."""

    from_: Instant = Field(alias="from", description="The start, included")
    to: Instant = Field(description="The end, excluded")
    tz: str = Field(description="An IANA zone", examples=["Europe/Berlin"])


class Interval(BaseModel):
    """A confidence interval, in the unit of its value."""

    low: float = Field(description="The lower end")
    high: float = Field(description="The upper end")
    level: float = Field(description="The confidence level", examples=[0.95])
    method: str = Field(description="How it is computed", examples=["adjusted_wald", "wilson", "t", "order_statistics"])


class ComparedValue(BaseModel):
    """The value of the corresponding bucket in a window of `compare`."""

    to: str = Field(description="The value of `compare` that the window belongs to", examples=["previous"])
    value: float | None = Field(description="Null if there is nothing to count")
    n: int = Field(description="The size of the sample")
    delta: float | None = Field(description="The row's value − this one; null if one of them is null")
    significant: bool | None = Field(description="Whether the difference is significant at 95 %; null if that is unknown")


class PresetValue(BaseModel):
    """The value of a row under another preset."""

    preset: str = Field(description="The id of the preset", examples=["dbt_zendesk"])
    value: float | None = Field(description="Null if there is nothing to count, or the preset is off")
    n: int = Field(description="The size of the sample")
    delta: float | None = Field(description="This value − the row's; null if one of them is null")
    interval: Interval | None = Field(description="Null if the KPI has none, or the sample is too small")
    flags: list[str] = Field(description="As in the row", examples=[["no_preset"]])


class ComparedPreset(BaseModel):
    """A preset beside the definition of the query."""

    preset: str = Field(description="The id of the preset", examples=["dbt_zendesk"])
    name: str = Field(description="Its name for people", examples=["The dbt package for Zendesk"])
    difference: str = Field(description="How its definition of the KPI differs from ours; empty if it doesn't")
    tickets: int | None = Field(
        description="Tickets that count in the window, under the query's definition or this one; null while the preset is off"
    )
    different_tickets: int | None = Field(
        description="Those of them whose times or values differ between the two; null while the preset is off"
    )


def selectable(schema: dict[str, Any]) -> None:
    """Describe an entry of which the parameter `fields` may leave out any field."""
    schema.pop("required", None)


class ResultRow(BaseModel):
    """One bucket of one group. Every field is there, unless the parameter `fields` leaves it out."""

    model_config = ConfigDict(json_schema_extra=selectable)

    from_: Instant = Field(alias="from", description="The start of the bucket, included")
    to: Instant = Field(description="The end of the bucket, excluded")
    dims: dict[str, str | None] = Field(description="The value of each dimension of `group_by`; null is no value")
    names: ValueNames
    value: float | None = Field(description="In full precision; null if there is nothing to count")
    n: int = Field(description="The size of the sample")
    numerator: int | None = Field(description="The numerator of a share or a ratio; null for other KPIs")
    denominator: int | None = Field(description="The denominator of a share or a ratio; null for other KPIs")
    interval: Interval | None = Field(description="Null if the KPI has none, or the sample is too small")
    distribution: dict[str, int] | None = Field(
        description="The count of each bin; a bin of durations has its lowest second as the key"
    )
    flags: list[str] = Field(
        description="`low_n`: few samples. `partial`: the bucket is cut off, or not over. `mixed_forms`: ratings of several "
        "forms. `no_calendar`: business hours are not defined. `no_policy`: the tenant has no SLA policies. `maturing`: it is "
        "too early, the value is expected to change. `no_preset`: the tenant has not switched the preset on",
        examples=[["partial"]],
    )
    compare: list[ComparedValue] | None = Field(None, description="One entry for each `compare`; left out without any")
    presets: list[PresetValue] | None = Field(
        None, description="The value under each preset of `compare_presets`; left out without any"
    )
    next_breach: Instant | None = Field(
        None,
        description="Only for `sla_breached_open`, else left out: the earliest deadline of an open ticket that has not passed, as"
        " `/v1/sla/upcoming?state=running` lists it; null if there is none, in buckets that end before the present, and under a"
        " preset with targets of its own",
    )


class TermsRevision(BaseModel):
    """A revision of a tenant's terms: `GET /v1/terms`."""

    revision: int = Field(description="Counts from 1", examples=[7])
    preset: str | None = Field(None, description="The `preset` of the query; left out without one", examples=["dbt_zendesk"])


class KpiHead(BaseModel):
    """The fields that values and records have in common."""

    kpi: str = Field(description="The id of the KPI", examples=["nps"])
    version: int = Field(description="The version of the definition")
    unit: str = Field(description="The unit of values")
    window: Window = Field(description="The window of the query")
    watermark: Instant | None = Field(
        description="Everything received before it is counted; null until every partition has been read"
    )
    unknown_filter_values: dict[str, list[str]] = Field(
        description="By dimension, values of filters that no record of the tenant has ever had"
    )
    suggested_filter_values: dict[str, dict[str, list[str]]] = Field(
        description="By dimension and unknown value, up to three similar values that records of the tenant have had, the closest "
        "first; for the first five unknown values",
        examples=[{"team": {"billling": ["billing"]}}],
    )
    terms: TermsRevision = Field(description="The terms of the tenant that the result is made under")


class KpiResult(KpiHead):
    """The value of a KPI, a breakdown or a series: rows by bucket, then by group."""

    compare_presets: list[ComparedPreset] | None = Field(
        None, description="The presets of `compare_presets`, and how many tickets differ; left out without any"
    )
    rows: list[ResultRow] = Field(description="By bucket, then by group")


# --- records --------------------------------------------------------------------------------------------------------------
class Record(BaseModel):
    """A contribution to the KPI, with the customer's words. Every field is there, unless the parameter `fields` leaves it out."""

    model_config = ConfigDict(json_schema_extra=selectable)

    subject: str = Field(description="The response, review or ticket", examples=["c1/response/r-1"])
    at: Instant = Field(description="The time that files the record")
    measure: str = Field(description="The measure that it contributes to", examples=["nps", "csat:1..5+4"])
    value: float = Field(description="The rating, the duration in seconds, the score, or ±1")
    dims: dict[str, str | None] = Field(description="The value of each dimension; null is no value")
    names: ValueNames
    text: str | None = Field(description="The customer's words at that time, else the subject's first")


class CommentTheme(BaseModel):
    """A theme of a comment."""

    theme: str = Field(description="The id of the theme", examples=["delivery"])
    score: float = Field(ge=-1, le=1, description="How the comment speaks of it")


def with_comment(schema: dict[str, Any]) -> None:
    """Describe a record of a comment: only the fields of the comment tell it from another record."""
    schema["required"] = [name for name in schema["required"] if name not in Record.model_fields]


class CommentRecord(Record):
    """A record of one comment: with its label, score, themes and urgency, and who judged it."""

    model_config = ConfigDict(json_schema_extra=with_comment)

    text_hash: str = Field(description="Identifies the text to `/v1/overrides`", pattern="^[0-9a-f]{32}$")
    label: Label | None = Field(description="The label that counts; null if there is none")
    score: float | None = Field(description="The score that counts, −1 to 1")
    themes: list[CommentTheme] = Field(description="The themes that count")
    urgency: list[Urgency] = Field(description="The reasons for urgency")
    judged_by: Literal["human", "model"] | None = Field(description="Who set the label; null without a score")
    themes_by: Literal["human", "model"] | None = Field(description="Who set the themes; null without a score")
    model: str | None = Field(description="The model whose scores count; null if it has not scored the comment")
    model_label: Label | None = Field(description="The label that the model gives")


class RecordsPage(KpiHead):
    """A page of records, newest first."""

    dimensions: list[str] = Field(
        description="The tenant's own dimensions, which `dims` of each record has beside the common ones", examples=[["plan"]]
    )
    next: str | None = Field(description="The `cursor` of the next page; null on the last one")
    records: list[CommentRecord | Record] = Field(description="Newest first")


# --- gold -----------------------------------------------------------------------------------------------------------------
class GoldRow(BaseModel):
    """A human's judgement of a comment, beside that of the promoted model."""

    subject: str = Field(description="The response, review or ticket", examples=["c1/response/r-1"])
    comment: str = Field(description="The hash of the text")
    at: Instant = Field(description="When the customer said it")
    text: str = Field(description="The comment")
    language: str | None = Field(description="The stated language, else the detected one")
    label: Label | None = Field(description="The human's label; null if only themes were judged")
    themes: list[str] = Field(description="The human's themes; empty: left to the model")
    model: str | None = Field(description="The promoted model; null if it has not scored the text")
    model_label: Label | None = Field(description="The model's label")


class GoldPage(BaseModel):
    """A page of judgements."""

    rows: list[GoldRow] = Field(description="One for each judgement")
    next: str | None = Field(
        description="The `cursor` of the next page. Only null says that this page is the last: one may hold fewer rows than "
        "`limit`, even none"
    )
