"""The declared parameters of KPI queries, and the check of their names."""

import re
from collections import Counter
from collections.abc import Sequence
from typing import Any, get_args

from fastapi import Request
from pydantic import BaseModel, ConfigDict, Field

from services.metrics.api.dependencies import DEFAULT_PAGE, Limit, OptionalText
from services.metrics.domain.calendar import Grain, WeekStart
from services.metrics.domain.estimators import PERCENTILES
from services.metrics.domain.impact import IMPACTS
from services.metrics.domain.presets import PRESET_ID, PRESETS
from services.metrics.domain.query import MAX_COMPARISONS, MAX_PRESETS
from services.metrics.domain.windows import CALENDAR, DEFAULT_WINDOW, BadQuery
from shared.events import is_common_dimension
from shared.fields import KPI_FIELDS, RECORD_FIELDS
from shared.routes import REPEATED, TypedRoute, unknown_parameter
from shared.windows import LENGTH, MAX_DAYS

GRAINS: tuple[Grain, ...] = get_args(Grain)
WEEK_STARTS: tuple[WeekStart, ...] = get_args(WeekStart)

FILTER = re.compile(r"filter\[(\w+)\]")
MISWRITTEN_FILTER = re.compile(r"\s*(\w+)\s*(?::|==?)\s*(.+)", re.DOTALL)
"""The value of `filter` in other APIs: `team:billing`, `team=billing`."""
DIMENSION_IN_NAME = re.compile(r"(?:filter\W*)?(\w+?)\W*")
"""The name of a miswritten filter: `team=billing`, `filter.team=billing`, `filter[team][]=billing`."""
REPEATABLE = ("group_by", "compare")


def described(description: str, *, examples: Sequence[str] = (), **schema: Any) -> Any:
    """A text parameter that `parse_query` validates; `schema` is for the OpenAPI document."""
    return Field(None, description=description, examples=list(examples) or None, json_schema_extra=schema or None)


def fields_of(fields: Sequence[str], examples: Sequence[str]) -> Any:
    """The parameter that selects some of `fields`."""
    listed = ", ".join(f"`{name}`" for name in fields)
    return described(
        f"The fields to return, separated by commas; `!` before one leaves it out. Fields: {listed}. All by default",
        examples=examples,
    )


def as_time(schema: dict[str, Any]) -> None:
    """Describe a parameter as a time or a date in the OpenAPI document."""
    schema.pop("type", None)
    schema["anyOf"] = [{"type": "string", "format": name} for name in ("date-time", "date")]


class WindowParameters(BaseModel):
    """The window of time of a query."""

    model_config = ConfigDict(populate_by_name=True)

    window: OptionalText = described(
        f"A window that ends now: minutes, hours or days (`90m`, `36h`, `14d`), up to {MAX_DAYS} days. Or a unit of the calendar "
        f"in `tz`: {', '.join(f'`{name}`' for name in CALENDAR)}. {DEFAULT_WINDOW} by default",
        examples=[DEFAULT_WINDOW, "14d", "last_month"],
        pattern=f"^({LENGTH.pattern}|{'|'.join(CALENDAR)})$",
    )
    from_: OptionalText = Field(
        None,
        alias="from",
        description="With `to` in place of `window`: a time of RFC 3339, or a date, which begins at midnight in `tz`. Included",
        examples=["2026-11-01", "2026-11-20T09:00:00+01:00"],
        json_schema_extra=as_time,
    )
    to: OptionalText = Field(
        None,
        description="The end, excluded: `to=2026-12-01` ends with 30 November. A time or a date as in `from`, even a future one",
        examples=["2026-12-01", "2026-11-27T09:00:00+01:00"],
        json_schema_extra=as_time,
    )
    tz: OptionalText = described(
        "The IANA zone of dates, days, weeks and months; the tenant's by default", examples=["Europe/Berlin"]
    )


class ExplainParameters(WindowParameters):
    """The parameters of a KPI query without comparisons, except `filter[<dimension>]`: see FILTERS."""

    grain: OptionalText = described("The length of a bucket; left out: one value for the window", enum=list(GRAINS))
    week_start: OptionalText = described("The first day of a week; monday by default", enum=list(WEEK_STARTS))
    group_by: list[str] = Field(
        [],
        description="Up to two dimensions of the KPI or of the tenant's own, separated by a comma",
        examples=[["team", "channel"]],
    )
    agg: OptionalText = described(
        "The aggregation of a duration (p50 by default), the label of a share, or the KPI that a theme has an impact on; the"
        " catalogue lists those of each KPI",
        enum=[*PERCENTILES, "mean", "positive", "neutral", "negative", *IMPACTS],
    )
    hours: OptionalText = described("Which seconds of a duration count", enum=["calendar", "business"])
    preset: OptionalText = described(
        "Count under another definition, which the tenant switched on (`PUT /v1/presets/{preset}`): that of another system, "
        f"{', '.join(f'`{name}`' for name in PRESETS)}, or one of the tenant's own; `GET /v1/presets` lists them",
        examples=["dbt_zendesk"],
        pattern=f"^{PRESET_ID.pattern}$",
    )
    filed_by: OptionalText = described(
        "The event whose time files a record, for KPIs that have several; the catalogue lists them", examples=["created"]
    )
    per: OptionalText = described("Count only the latest answer of each customer in a bucket", enum=["respondent"])
    at: OptionalText = Field(
        None,
        description="The value at a time in place of a window, for KPIs such as the backlog; a time or a date as in `from`",
        examples=["2026-11-20T09:00:00+01:00"],
        json_schema_extra=as_time,
    )


class KpiParameters(ExplainParameters):
    """The parameters of a KPI query, except `filter[<dimension>]`: see FILTERS."""

    compare: list[str] = Field(
        [],
        description=f"`previous`, `previous_year` or `from/to`; repeat it for up to {MAX_COMPARISONS} different windows",
        examples=[["previous"]],
    )
    compare_presets: OptionalText = described(
        f"Up to {MAX_PRESETS} presets, separated by commas: the value of each row under each of them, what differs, and how many"
        " tickets differ. Counting them reads every record of the window",
        examples=["dbt_zendesk,zendesk"],
    )
    fields: OptionalText = fields_of(KPI_FIELDS, ["from,value,n", "!distribution"])


class RecordParameters(KpiParameters):
    """The parameters of a page of records."""

    fields: OptionalText = fields_of(RECORD_FIELDS, ["at,text,label", "!text"])
    limit: Limit = Field(DEFAULT_PAGE, description="Records on a page")
    cursor: OptionalText = described("`next` of the page before; left out: the first page")


FILTERS: dict[str, Any] = {
    "parameters": [
        {
            "name": "filter",
            "in": "query",
            "required": False,
            "style": "deepObject",
            "explode": True,
            "description": "`filter[team]=a,b` keeps records of either team, `filter[team]=!a` all others; `null` is no value. "
            "A backslash before `,`, `!` or a backslash takes it literally, and `\\null` is the value `null`",
            "schema": {"type": "object", "additionalProperties": {"type": "string"}},
            "example": {"team": "billing,shipping"},
        }
    ]
}
"""`openapi_extra` of a route with filters: FastAPI can't declare a parameter of this style."""


class ParsedQueryRoute(TypedRoute):
    """A route whose `filter[<dimension>]` parameters can't be declared; `check_names` refuses undeclared ones."""

    open_query = True


def check_names(request: Request, model: type[BaseModel]) -> dict[str, str]:
    """The filters of a request by dimension. Raises BadQuery for a parameter that `model` lacks or that is repeated wrongly."""
    known = [field.alias or name for name, field in model.model_fields.items()]
    names = Counter(name for name, _ in request.query_params.multi_items())
    for name, count in names.items():
        if name not in known and not FILTER.fullmatch(name):
            raise BadQuery(name, unknown_name(name, request.query_params[name], known))
        if count > 1 and name not in REPEATABLE:
            raise BadQuery(name, REPEATED)
    filters = ((FILTER.fullmatch(name), value) for name, value in request.query_params.items())
    return {match[1]: value for match, value in filters if match}


def unknown_name(name: str, value: str, known: Sequence[str]) -> str:
    """Why an undeclared parameter is refused. It suggests how to write a filter if it looks like one: `filter=team:billing`."""
    miswritten = MISWRITTEN_FILTER.fullmatch(value) if name == "filter" else None
    dimension = DIMENSION_IN_NAME.fullmatch(name)
    if name == "format":
        return "unknown parameter; the header Accept selects the format: text/csv, application/x-ndjson or application/json"
    if miswritten:
        return f"is written filter[<dimension>]=<value>; did you mean filter[{miswritten[1]}]={miswritten[2]}?"
    if name == "filter":
        return "is written filter[<dimension>]=<value>, such as filter[team]=billing"
    if dimension and is_common_dimension(dimension[1]):
        return f"unknown parameter; did you mean filter[{dimension[1]}]={value}?"
    return unknown_parameter(name, [*known, "filter[<dimension>]"])
