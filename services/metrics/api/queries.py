"""Parse the parameters of a KPI query. Invalid values raise BadQuery with the name of the parameter."""

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, time
from typing import Annotated, Literal, TypeVar
from zoneinfo import ZoneInfo

from fastapi import Query as QueryParameter
from fastapi import Request

from services.metrics.api.dependencies import KpiOfPath, parse_cursor
from services.metrics.api.filters import parse_filter, parse_group_by
from services.metrics.api.parameters import (
    GRAINS,
    WEEK_STARTS,
    ExplainParameters,
    KpiParameters,
    RecordParameters,
    WindowParameters,
    check_names,
)
from services.metrics.domain.kpi import Kpi
from services.metrics.domain.presets import PRESET_ID, PRESETS
from services.metrics.domain.query import MAX_COMPARISONS, MAX_PRESETS, Comparison, Query
from services.metrics.domain.windows import CALENDAR, DEFAULT_WINDOW, EARLIEST, LATEST, BadQuery, Between
from services.metrics.store.records import RecordCursor
from shared.fields import KPI_FIELDS, RECORD_FIELDS, select_fields
from shared.http import TenantName
from shared.suggestions import refusal
from shared.windows import LENGTH, MAX_DAYS, Time, parse_length, parse_time
from shared.zones import read_zone

Choice = TypeVar("Choice", bound=str)

MIDNIGHT = time(tzinfo=UTC)

OTHER_LENGTH = re.compile(
    r"(?:last[ _-]?|P)?T?0*([1-9]\d{0,5})[ _-]?(?:(m)in(?:ute)?s?|(h)(?:ours?)?|(d)(?:ays?)?|(w)(?:eeks?)?)",
    re.ASCII | re.IGNORECASE,
)
"""Lengths as other tools write them: `2w`, `7D`, `P7D`, `PT24H`, `30 days`, `last_7_days`. They get a suggestion, no result."""


@dataclass(frozen=True, slots=True)
class RequestedKpi:
    """A request for a KPI's value: its query, and the fields of its rows."""

    query: Query
    fields: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RequestedRecords:
    """A request for a page of records: its query, the fields of the records, their number, and where the page begins."""

    query: Query
    fields: tuple[str, ...]
    limit: int
    after: RecordCursor | None


async def kpi_request(
    tenant: TenantName, request: Request, kpi: KpiOfPath, parameters: Annotated[KpiParameters, QueryParameter()]
) -> RequestedKpi:
    """Parse a request for a KPI's value. `tenant` is authenticated before anything is parsed."""
    filters = check_names(request, KpiParameters)
    query = parse_query(kpi, parameters, filters, parameters.compare)
    query = replace(query, compare_presets=parse_compared_presets(kpi, parameters.compare_presets))
    return RequestedKpi(query, parse_fields(parameters.fields, KPI_FIELDS))


async def records_request(
    tenant: TenantName, request: Request, kpi: KpiOfPath, parameters: Annotated[RecordParameters, QueryParameter()]
) -> RequestedRecords:
    """Parse a request for a page of records."""
    filters = check_names(request, RecordParameters)
    return RequestedRecords(
        parse_query(kpi, parameters, filters, parameters.compare),
        parse_fields(parameters.fields, RECORD_FIELDS),
        parameters.limit,
        parse_cursor(parameters.cursor, RecordCursor),
    )


async def explain_request(
    tenant: TenantName, request: Request, kpi: KpiOfPath, parameters: Annotated[ExplainParameters, QueryParameter()]
) -> Query:
    """Parse a request for an explanation."""
    return parse_query(kpi, parameters, check_names(request, ExplainParameters))


def parse_fields(text: str | None, fields: Sequence[str]) -> tuple[str, ...]:
    """The selected `fields`. Raises BadQuery."""
    try:
        return select_fields(text, fields)
    except ValueError as error:
        raise BadQuery("fields", str(error)) from None


def parse_query(kpi: Kpi, parameters: ExplainParameters, filters: Mapping[str, str], compare: Sequence[str] = ()) -> Query:
    """The query that these parameters, `filters` by dimension, and `compare` state. Raises BadQuery."""
    if parameters.hours is not None and not kpi.hours:
        raise BadQuery("hours", "is for durations only")
    business_hours = choice("hours", parameters.hours, kpi.hours) == "business"
    if parameters.per is not None and not kpi.per_respondent:
        raise BadQuery("per", "is for KPIs of customers' answers only")
    preset = parse_preset(kpi, "preset", parameters.preset)
    kpi = kpi.in_business_hours if business_hours else kpi
    kpi = kpi.under(PRESETS[preset]) if preset in PRESETS else kpi
    kpi = kpi.narrowed(choice("agg", parameters.agg, kpi.aggregations) or "")
    return Query(
        kpi=kpi,
        window=parse_window(parameters),
        at=parse_at(kpi, parameters, compare),
        zone=None if parameters.tz is None else parse_zone(parameters.tz),
        grain=choice("grain", parameters.grain, GRAINS),
        week_start=choice("week_start", parameters.week_start, WEEK_STARTS) or "monday",
        filed_by=choice("filed_by", parameters.filed_by, kpi.filed_by) or kpi.filed_by[0],
        group_by=parse_group_by(kpi, parameters.group_by),
        filters=tuple(parse_filter(kpi, dimension, text) for dimension, text in filters.items()),
        compare=parse_comparisons(compare),
        agg=choice("agg", parameters.agg, kpi.aggregations) or "",
        per_respondent=choice("per", parameters.per, ("respondent",)) is not None,
        business_hours=business_hours,
        preset=preset,
    )


def parse_preset(kpi: Kpi, parameter: str, text: str | None) -> str:
    """The preset of a query; empty without one. Raises BadQuery if it can't be one that defines the KPI.

    Whether the tenant has such a preset of its own is known later.
    """
    if text is None:
        return ""
    if text not in PRESETS and not PRESET_ID.fullmatch(text):
        raise BadQuery(parameter, refusal("unknown preset", text, PRESETS))
    if not (kpi.is_defined_by(PRESETS[text]) if text in PRESETS else kpi.is_of_tickets):
        raise BadQuery(parameter, f"{text} has no definition of {kpi.id}: presets are definitions of the KPIs of tickets")
    return text


def parse_compared_presets(kpi: Kpi, text: str | None) -> tuple[str, ...]:
    """The different presets of `compare_presets`. Raises BadQuery, also if there are more than MAX_PRESETS."""
    names = tuple(dict.fromkeys(name.strip() for name in text.split(","))) if text is not None else ()
    if len(names) > MAX_PRESETS:
        raise BadQuery("compare_presets", f"has {len(names)} presets; at most {MAX_PRESETS} are allowed")
    return tuple(parse_preset(kpi, "compare_presets", name) for name in names)


def choice(name: str, value: str | None, choices: Collection[Choice]) -> Choice | None:
    """The one of `choices` that equals `value`; None without a value. Raises BadQuery."""
    if value is None:
        return None
    for choice in choices:
        if choice == value:
            return choice
    raise BadQuery(name, refusal("is not allowed", value, choices) if choices else "is not a parameter of this KPI")


# --- time -----------------------------------------------------------------------------------------------------------------
def parse_window(parameters: WindowParameters) -> str | Between:
    """The window that `window`, or `from` and `to`, state. Raises BadQuery."""
    if parameters.from_ is None and parameters.to is None:
        return DEFAULT_WINDOW if parameters.window is None else parse_window_name(parameters.window)
    if parameters.window is not None:
        raise BadQuery("window", "can't be combined with from and to")
    if parameters.from_ is None or parameters.to is None:
        raise BadQuery("from" if parameters.from_ is None else "to", "is missing: from and to go together")
    return parse_between(parameters.from_, parameters.to, ("from", "to"))


def parse_window_name(name: str) -> str:
    """The name of a window. Raises BadQuery."""
    if parse_length(name) or name in CALENDAR:
        return name
    if LENGTH.fullmatch(name):
        raise BadQuery("window", f"is longer than {MAX_DAYS} days")
    lengths = "a number of minutes, hours or days such as 15m, 36h or 14d"
    allowed = (lengths, *CALENDAR)
    if length := similar_length(name):
        raise BadQuery("window", f'is not a window; did you mean "{length}"? Allowed: {", ".join(allowed)}')
    raise BadQuery("window", refusal("is not a window", name, allowed))


def similar_length(name: str) -> str | None:
    """The window that a length in another form states, such as `2w`, `7D` or `P30D`; None if it states none."""
    match = OTHER_LENGTH.fullmatch(name.strip())
    if not match:
        return None
    number, unit = int(match[1]), next(filter(None, match.groups()[1:])).lower()
    length = f"{number * 7}d" if unit == "w" else f"{number}{unit}"
    return length if parse_length(length) else None


def parse_between(start: str, end: str, names: tuple[str, str]) -> Between:
    """The times of the parameters `names`. Raises BadQuery if the first is not before the second.

    A date and an instant are compared when the zone is known (`Between.window`).
    """
    between = Between(parse_bound(names[0], start), parse_bound(names[1], end))
    if isinstance(between.start, datetime) is isinstance(between.end, datetime) and between.start >= between.end:
        raise BadQuery(names[0], "is not before to")
    return between


def parse_bound(name: str, text: str) -> Time:
    """The date, or the instant in UTC, that the parameter `name` states. Raises BadQuery."""
    try:
        bound = parse_time(text)
    except ValueError as error:
        raise BadQuery(name, str(error)) from None
    if not EARLIEST <= (bound if isinstance(bound, datetime) else datetime.combine(bound, MIDNIGHT)) <= LATEST:
        raise BadQuery(name, f"lies outside {EARLIEST.year} to {LATEST.year}")
    return bound


def parse_at(kpi: Kpi, parameters: ExplainParameters, compare: Sequence[str]) -> Time | None:
    """The time of `at`; None without it. Raises BadQuery if the KPI has no such value, or for another parameter of time."""
    if parameters.at is None:
        return None
    if not kpi.instant:
        raise BadQuery("at", "is for KPIs that have a value at an instant, such as backlog")
    others = {name: getattr(parameters, name) for name in ("window", "from_", "to", "grain")} | {"compare": compare or None}
    for name, value in others.items():
        if value is not None:
            raise BadQuery(name.rstrip("_"), "can't be combined with at")
    return parse_bound("at", parameters.at)


def parse_zone(name: str) -> ZoneInfo:
    """The IANA zone of that name. Raises BadQuery."""
    try:
        return read_zone(name)
    except ValueError as error:
        raise BadQuery("tz", str(error)) from None


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
        raise BadQuery("compare", refusal("is not a window", text, ("previous", "previous_year", "<from>/<to>")))
    return parse_between(start, end, ("compare", "compare"))
