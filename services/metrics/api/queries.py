"""Parse the parameters of a KPI query. Invalid values raise BadQuery with the name of the parameter."""

import re
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime
from typing import Annotated, Any, Literal, TypeVar, get_args
from zoneinfo import ZoneInfo

from fastapi import Query as QueryParameter
from fastapi import Request
from pydantic import BaseModel, ConfigDict, Field

from services.metrics.api.dependencies import DEFAULT_PAGE, KpiOfPath, Limit, OptionalText
from services.metrics.domain.calendar import Grain, WeekStart
from services.metrics.domain.estimators import PERCENTILES
from services.metrics.domain.kpi import Kpi
from services.metrics.domain.query import MAX_COMPARISONS, MAX_GROUPINGS, Comparison, Filter, Query, unknown_dimension
from services.metrics.domain.windows import DEFAULT_WINDOW, EARLIEST, LATEST, WINDOW_NAMES, BadQuery, Between
from shared.events import can_be_own_dimension
from shared.http import TenantName
from shared.routes import TypedRoute
from shared.text import nfc

GRAINS: tuple[Grain, ...] = get_args(Grain)
WEEK_STARTS: tuple[WeekStart, ...] = get_args(WeekStart)

FILTER = re.compile(r"filter\[(\w+)\]")
REPEATABLE = ("group_by", "compare")
RFC_3339 = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)", re.ASCII | re.IGNORECASE)

NULL, ESCAPED_NULL = "null", "\\null"
ITEM = re.compile(r"(?:\A|,)((?:\\[\\,!]|[^,])*)")
ESCAPE = re.compile(r"\\([\\,!])")

Choice = TypeVar("Choice", bound=str)


# --- the declared parameters ----------------------------------------------------------------------------------------------
def described(description: str, *, examples: Sequence[str] = (), **schema: Any) -> Any:
    """A text parameter that `parse_query` validates; `schema` is for the OpenAPI document."""
    return Field(None, description=description, examples=list(examples) or None, json_schema_extra=schema or None)


class WindowParameters(BaseModel):
    """The window of time of a query."""

    model_config = ConfigDict(populate_by_name=True)

    window: OptionalText = described(
        f"A window that ends now, or a unit of the calendar in `tz`; {DEFAULT_WINDOW} by default", enum=list(WINDOW_NAMES)
    )
    from_: OptionalText = Field(
        None,
        alias="from",
        description="RFC 3339; with `to` in place of `window`, half-open",
        examples=["2026-11-20T09:00:00+01:00"],
        json_schema_extra={"format": "date-time"},
    )
    to: OptionalText = described("RFC 3339; may lie in the future", examples=["2026-11-27T09:00:00+01:00"], format="date-time")
    tz: OptionalText = described("The IANA zone of days, weeks and months; the tenant's by default", examples=["Europe/Berlin"])


class KpiParameters(WindowParameters):
    """The parameters of a KPI query but `filter[<dimension>]`, see FILTERS."""

    grain: OptionalText = described("The length of a bucket; left out: one value for the window", enum=list(GRAINS))
    week_start: OptionalText = described("The first day of a week; monday by default", enum=list(WEEK_STARTS))
    group_by: list[str] = Field(
        [],
        description="Up to two dimensions of the KPI or of the tenant's own, separated by a comma",
        examples=[["team", "channel"]],
    )
    agg: OptionalText = described(
        "The aggregation of a duration (p50 by default), or the label of a share; the catalogue lists those of each KPI",
        enum=[*PERCENTILES, "mean", "positive", "neutral", "negative"],
    )
    hours: OptionalText = described("Which seconds of a duration count", enum=["calendar", "business"])
    filed_by: OptionalText = described(
        "The event whose time files a record, for KPIs that have several; the catalogue lists them", examples=["created"]
    )
    compare: list[str] = Field(
        [],
        description=f"`previous`, `previous_year` or `from/to`; repeat it for up to {MAX_COMPARISONS} different windows",
        examples=[["previous"]],
    )
    per: OptionalText = described("Count only the latest answer of each customer in a bucket", enum=["respondent"])
    at: OptionalText = described(
        "The value at an instant (RFC 3339) in place of a window, for KPIs such as the backlog", format="date-time"
    )


class RecordParameters(KpiParameters):
    """The parameters of a page of records."""

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


# --- the query ------------------------------------------------------------------------------------------------------------
async def kpi_query(
    tenant: TenantName, request: Request, kpi: KpiOfPath, parameters: Annotated[KpiParameters, QueryParameter()]
) -> Query:
    """The query of a request for a KPI's value. `tenant` is authenticated before anything is parsed."""
    filters = check_names(request, KpiParameters)
    return parse_query(kpi, parameters, filters)


async def record_query(
    tenant: TenantName, request: Request, kpi: KpiOfPath, parameters: Annotated[RecordParameters, QueryParameter()]
) -> tuple[Query, RecordParameters]:
    """The query of a request for records, and its parameters."""
    filters = check_names(request, RecordParameters)
    return parse_query(kpi, parameters, filters), parameters


def check_names(request: Request, model: type[BaseModel]) -> dict[str, str]:
    """The filters of a request by dimension. Raises BadQuery for a parameter that `model` lacks or that is repeated wrongly."""
    known = {field.alias or name for name, field in model.model_fields.items()}
    names = Counter(name for name, _ in request.query_params.multi_items())
    for name, count in names.items():
        if name not in known and not FILTER.fullmatch(name):
            raise BadQuery(name, "unknown parameter")
        if count > 1 and name not in REPEATABLE:
            raise BadQuery(name, "given more than once")
    filters = ((FILTER.fullmatch(name), value) for name, value in request.query_params.items())
    return {match[1]: value for match, value in filters if match}


def parse_query(kpi: Kpi, parameters: KpiParameters, filters: Mapping[str, str]) -> Query:
    """The query that these parameters and `filters`, by dimension, state. Raises BadQuery."""
    if parameters.hours is not None and kpi.unit != "seconds":
        raise BadQuery("hours", "is for durations only")
    if parameters.per is not None and not kpi.per_respondent:
        raise BadQuery("per", "is for KPIs of customers' answers only")
    return Query(
        kpi=kpi,
        window=parse_window(parameters),
        at=parse_at(kpi, parameters),
        zone=None if parameters.tz is None else parse_zone(parameters.tz),
        grain=choice("grain", parameters.grain, GRAINS),
        week_start=choice("week_start", parameters.week_start, WEEK_STARTS) or "monday",
        filed_by=choice("filed_by", parameters.filed_by, kpi.filed_by) or kpi.filed_by[0],
        group_by=parse_group_by(kpi, parameters.group_by),
        filters=tuple(parse_filter(kpi, dimension, text) for dimension, text in filters.items()),
        compare=parse_comparisons(parameters.compare),
        agg=choice("agg", parameters.agg, kpi.aggregations) or "",
        per_respondent=choice("per", parameters.per, ("respondent",)) is not None,
        business_hours=choice("hours", parameters.hours, ("calendar", "business")) == "business",
    )


def choice(name: str, value: str | None, choices: Collection[Choice]) -> Choice | None:
    """The one of `choices` that equals `value`; None without a value. Raises BadQuery."""
    if value is None:
        return None
    for one in choices:
        if one == value:
            return one
    raise BadQuery(name, f"is not one of {' '.join(choices)}" if choices else "is not a parameter of this KPI")


# --- time -----------------------------------------------------------------------------------------------------------------
def parse_window(parameters: WindowParameters) -> str | Between:
    """The window that `window`, or `from` and `to`, state. Raises BadQuery."""
    if parameters.from_ is None and parameters.to is None:
        return choice("window", parameters.window, WINDOW_NAMES) or DEFAULT_WINDOW
    if parameters.window is not None:
        raise BadQuery("window", "can't be combined with from and to")
    if parameters.from_ is None or parameters.to is None:
        raise BadQuery("from" if parameters.from_ is None else "to", "is missing: from and to go together")
    return parse_between(parameters.from_, parameters.to, ("from", "to"))


def parse_between(start: str, end: str, names: tuple[str, str]) -> Between:
    """The instants of the parameters `names`. Raises BadQuery if the first is not before the second."""
    between = Between(parse_instant(names[0], start), parse_instant(names[1], end))
    if between.start >= between.end:
        raise BadQuery(names[0], "is not before to")
    return between


def parse_instant(name: str, text: str) -> datetime:
    """The instant, in UTC, that the parameter `name` states by RFC 3339. Raises BadQuery."""
    if not RFC_3339.fullmatch(text):
        raise BadQuery(name, "is not an RFC 3339 time with offset such as 2026-11-20T09:00:00+01:00 (in a URL, + is written %2B)")
    try:
        instant = datetime.fromisoformat(text.upper()).astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise BadQuery(name, "is not a date and time of the calendar") from error
    if not EARLIEST <= instant <= LATEST:
        raise BadQuery(name, f"lies outside {EARLIEST.year} to {LATEST.year}")
    return instant


def parse_at(kpi: Kpi, parameters: KpiParameters) -> datetime | None:
    """The instant of `at`; None without it. Raises BadQuery if the KPI has no such value, or for another parameter of time."""
    if parameters.at is None:
        return None
    if not kpi.instant:
        raise BadQuery("at", "is for KPIs that have a value at an instant, such as backlog")
    others = {name: getattr(parameters, name) for name in ("window", "from_", "to", "grain", "compare")}
    for name, value in others.items():
        if value not in (None, []):
            raise BadQuery(name.rstrip("_"), "can't be combined with at")
    return parse_instant("at", parameters.at)


def parse_zone(name: str) -> ZoneInfo:
    """The IANA zone of that name. Raises BadQuery."""
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError) as error:
        raise BadQuery("tz", "is not an IANA zone such as Europe/Berlin") from error


def parse_comparisons(texts: Sequence[str]) -> tuple[Comparison, ...]:
    """The different windows to compare with. Raises BadQuery, also if there are more than MAX_COMPARISONS."""
    names = tuple(dict.fromkeys(texts))
    if len(names) > MAX_COMPARISONS:
        raise BadQuery("compare", f"has {len(names)} different windows; at most {MAX_COMPARISONS} are allowed")
    return tuple(Comparison(name, parse_comparison(name)) for name in names)


def parse_comparison(text: str) -> Literal["previous", "previous_year"] | Between:
    """Parse `compare`. Raises BadQuery if it is not previous, previous_year or from/to."""
    if text == "previous":
        return "previous"
    if text == "previous_year":
        return "previous_year"
    start, slash, end = text.partition("/")
    if not slash:
        raise BadQuery("compare", "is not previous, previous_year or from/to")
    return parse_between(start, end, ("compare", "compare"))


# --- dimensions -----------------------------------------------------------------------------------------------------------
def parse_group_by(kpi: Kpi, texts: Sequence[str]) -> tuple[str, ...]:
    """The dimensions to group by. Raises BadQuery."""
    names = tuple(name for text in texts for name in text.split(","))
    for name in names:
        require_dimension(kpi, "group_by", name)
    if len(names) > MAX_GROUPINGS or len(set(names)) < len(names):
        raise BadQuery("group_by", "takes up to two different dimensions")
    return names


def parse_filter(kpi: Kpi, dimension: str, text: str) -> Filter:
    """The filter on a dimension: values separated by commas, `!` before one to exclude. See docs/queries.md. Raises BadQuery.

    A backslash takes `,`, `!` or a backslash literally; before any other character it is itself. `null` is the group of
    records without a value, `\\null` the value `null`. Values are compared in Unicode NFC.
    """
    name = f"filter[{dimension}]"
    require_dimension(kpi, name, dimension)
    include: list[str | None] = []
    exclude: list[str | None] = []
    for item in ITEM.findall(text):
        value = item.removeprefix("!")
        if not value or "\0" in value:
            raise BadQuery(name, "holds an empty value or NUL; values are separated by commas, and \\, is a comma within one")
        (exclude if item.startswith("!") else include).append(unescaped(value))
    return Filter(dimension, tuple(include), tuple(exclude))


def unescaped(value: str) -> str | None:
    """The value of a filter without its escapes; None for the unescaped NULL."""
    if value == NULL:
        return None
    return NULL if value == ESCAPED_NULL else nfc(ESCAPE.sub(r"\1", value))


def require_dimension(kpi: Kpi, parameter: str, name: str) -> None:
    """Raise BadQuery if the KPI and all tenants lack such a dimension. The evaluation checks the tenant's own dimensions."""
    if name not in kpi.dimensions and not can_be_own_dimension(name):
        raise unknown_dimension(parameter, kpi.dimensions)
