"""`GET /v1/kpis/{kpi}/explain`: the formula with its numbers filled in, what is left out, and a recomputation."""

from collections.abc import Iterable
from dataclasses import asdict
from typing import Annotated, Any
from urllib.parse import quote, urlencode

import msgspec
from fastapi import APIRouter, Depends, Response
from pydantic import BaseModel, Field

from services.metrics.api.dependencies import MetricsState, UnknownKpi, kpi_turn
from services.metrics.api.encoding import head_of, local, names_in
from services.metrics.api.filters import filter_text
from services.metrics.api.kpis import FRESHNESS_HEADERS, TOO_MANY_CONTRIBUTIONS, json_response
from services.metrics.api.parameters import FILTERS, ParsedQueryRoute
from services.metrics.api.queries import explain_request
from services.metrics.api.schemas import Instant, KpiEntry, KpiHead, ValueNames
from services.metrics.domain.measure import MULTI_VALUED
from services.metrics.domain.query import Filter, Query
from services.metrics.domain.windows import Bucket, Window
from services.metrics.evaluation.explanation import ExplainedValue, Explanation, explain
from services.metrics.evaluation.left_out import REASONS, Of
from services.metrics.evaluation.scans import TooManyContributions, TooSlow
from services.metrics.store.run_cache import Group
from shared.database import outage_is_503
from shared.disconnects import ClientMessages
from shared.http import TenantName
from shared.problems import BadRequest, NotAuthenticated, responses
from shared.slices import Slices

EXPLAINING = "an explanation reads the statements of many records: use a shorter window, or a filter"
"""Why an explanation has the limits of a scan, even if stored counts answer its query."""

routes = APIRouter(route_class=ParsedQueryRoute, prefix="/v1/kpis", tags=["kpis"])

FilledIn = Annotated[
    str | None,
    Field(
        description="The formula with the numbers of the value. It can be computed, and gives `value`: `·` is a multiplication,"
        " `−` a subtraction. Null if there is no value",
        examples=["100 · (412 − 187) / 905"],
    ),
]
RecordsLink = Annotated[
    str | None,
    Field(
        description="The path of the records behind the value; null if one query can't select them",
        examples=["/v1/kpis/nps/records?from=2026-11-01T00%3A00%3A00%2B01%3A00&to=2026-12-01T00%3A00%3A00%2B01%3A00"],
    ),
]


class LeftOut(BaseModel):
    """Tickets, answers or comments that the value leaves out for one reason."""

    reason: str = Field(description="The reason", examples=["no_reply"])
    n: int = Field(description="How many")
    of: Of = Field(description="What is counted")
    description: str = Field(description="The reason in words")


class ExplanationSample(BaseModel):
    """A sample of the responses, reviews and tickets that a value may depend on."""

    subjects: int = Field(description="Their number")
    differing: int = Field(description="Those of which a stored contribution differs from what their statements give")


class ExplainedRow(BaseModel):
    """The value of one bucket of one group, with its recomputation."""

    from_: Instant = Field(alias="from", description="The start of the bucket, included")
    to: Instant = Field(description="The end of the bucket, excluded")
    dims: dict[str, str | None] = Field(description="The value of each dimension of `group_by`; null is no value")
    names: ValueNames
    filled_in: FilledIn
    value: float | None = Field(description="As `GET /v1/kpis/{kpi}` returns it")
    n: int = Field(description="The size of the sample")
    flags: list[str] = Field(description="As in a row of `GET /v1/kpis/{kpi}`", examples=[["low_n"]])
    recomputed: float | None = Field(description="The value that the stored statements give; with `sample`, the contributions")
    recomputed_n: int | None = Field(description="The size of the sample that they give; null without a recomputation")
    equal: bool = Field(description="Whether the two are equal: value, sample, numerator, denominator, interval and distribution")
    records: RecordsLink


class KpiExplanation(KpiHead):
    """How a KPI's value is computed."""

    definition: KpiEntry = Field(description="The definition of the KPI, with its version")
    model: str | None = Field(description="The sentiment model whose scores count; null if the KPI reads none", examples=["e5-7"])
    formula: str = Field(description="The formula in words")
    agg: str | None = Field(description="The aggregation, if the KPI has several", examples=["p50"])
    hours: str | None = Field(description="Which seconds of a duration count; null for other KPIs", examples=["business"])
    filed_by: str = Field(description="The event whose time files a record", examples=["replied"])
    filled_in: FilledIn
    value: float | None = Field(description="The value of the whole window, without `group_by` and `grain`")
    n: int = Field(description="The size of the sample")
    flags: list[str] = Field(description="As in a row of `GET /v1/kpis/{kpi}`", examples=[["low_n"]])
    recomputed: float | None = Field(
        description="The same value, computed while the answer is made from the stored statements of every response, review and "
        "ticket that it may depend on, not from stored counts. With `sample`: counted from the contributions of all of them;"
        " null if these are more than 5,000,000"
    )
    recomputed_n: int | None = Field(description="The size of the sample of the recomputation; null without one")
    equal: bool = Field(
        description="Whether this value and that of every row equal their recomputations, if there are any, and nothing of"
        " `sample` differs"
    )
    recomputed_from: int = Field(description="The responses, reviews and tickets whose statements were read")
    sample: ExplanationSample | None = Field(
        description="The sample whose statements were read, drawn at random times of the window, if the value may depend on "
        "more than 10,000 responses, reviews and tickets; null: the statements of all were read"
    )
    outdated: bool = Field(
        description="An earlier version of the definitions made the stored counts, and a build is replacing them: until it is"
        " done, the values may differ"
    )
    left_out: list[LeftOut] = Field(
        description="What the value of the whole window leaves out, the largest number first; empty with `sample`"
    )
    records: RecordsLink
    rows: list[ExplainedRow] = Field(description="With `grain` or `group_by`: a row for each bucket and group; else empty")


@routes.get(
    "/{kpi}/explain",
    operation_id="explain_kpi",
    summary="Explain a KPI's value: its formula with the numbers, what is left out, and a recomputation",
    description="The recomputation reads the stored statements of every response, review and ticket that the value may depend"
    " on, so it takes longer than the value itself. If these are more than 10,000, it reads a sample of them (`sample`).",
    response_class=Response,
    responses={
        **responses(NotAuthenticated, UnknownKpi, BadRequest, TooManyContributions, TooSlow),
        413: TOO_MANY_CONTRIBUTIONS,
        200: {"model": KpiExplanation, "headers": FRESHNESS_HEADERS},
    },
    openapi_extra=FILTERS,
)
async def explain_kpi(
    tenant: TenantName, client: ClientMessages, state: MetricsState, query: Annotated[Query, Depends(explain_request)]
) -> Response:
    """Explain the KPI and encode the explanation as JSON."""
    async with kpi_turn(client, state, tenant, query, otherwise=EXPLAINING) as source:
        async with outage_is_503():
            explanation = await explain(source, tenant, query, state.clock())
        body = await encode_explanation(explanation)
    return json_response(body, explanation.freshness)


async def encode_explanation(explanation: Explanation) -> bytes:
    """The explanation as JSON; rows are encoded in slices."""
    slices, rows = Slices(), []
    for value in explanation.values:
        rows.append(msgspec.json.encode(row_of(explanation, value)))
        await slices.pause()
    return msgspec.json.encode(explanation_of(explanation))[:-1] + b',"rows":[' + b",".join(rows) + b"]}"


def explanation_of(explanation: Explanation) -> dict[str, Any]:
    """The explanation as JSON, without its rows."""
    query, kpi = explanation.query, explanation.query.kpi
    return {
        **head_of(query, explanation.window, explanation.freshness, explanation.unknown),
        "definition": kpi.entry(),
        "model": explanation.model,
        "formula": kpi.formula,
        "agg": query.agg or next(iter(kpi.aggregations), None),
        "hours": ("business" if query.business_hours else "calendar") if kpi.hours else None,
        "filed_by": query.filed_by or kpi.filed_by[0],
        **value_of(explanation.whole),
        "equal": explanation.equal,
        "recomputed_from": explanation.subjects,
        "sample": asdict(explanation.sample) if explanation.sample else None,
        "outdated": explanation.outdated,
        "left_out": [
            {"reason": reason, "n": n, "of": REASONS[reason].of, "description": REASONS[reason].text}
            for reason, n in sorted(explanation.left_out.items(), key=lambda item: (-item[1], item[0]))
        ],
        "records": records_path(query, explanation.window, explanation.whole.bucket),
    }


def row_of(explanation: Explanation, value: ExplainedValue) -> dict[str, Any]:
    """The value of a bucket and group as JSON."""
    query, zone = explanation.query, explanation.window.zone
    dims = dict(zip(query.group_by, value.group, strict=True))
    return {
        "from": local(value.bucket.start, zone),
        "to": local(value.bucket.end, zone),
        "dims": dims,
        "names": names_in(dims, explanation.names),
        **value_of(value),
        "records": records_path(query, explanation.window, value.bucket, value.group),
    }


def value_of(value: ExplainedValue) -> dict[str, Any]:
    """The fields of a value beside its recomputation."""
    return {
        "filled_in": value.filled_in,
        "value": value.estimate.value,
        "n": value.estimate.n,
        "flags": value.flags,
        "recomputed": value.recomputed.value if value.recomputed else None,
        "recomputed_n": value.recomputed.n if value.recomputed else None,
        "equal": value.equal,
    }


# --- the link to the records ----------------------------------------------------------------------------------------------
def records_path(query: Query, window: Window, bucket: Bucket, group: Group = ()) -> str | None:
    """The path of the records of a bucket and group. None if filters and group name one dimension with several values."""
    grouped = dict(zip(query.group_by, group, strict=False))
    if any(f.dimension in grouped and f.dimension in MULTI_VALUED for f in query.filters):
        return None
    filters = [f for f in query.filters if f.dimension not in grouped]
    filters += [Filter(dimension, include=(value,)) for dimension, value in grouped.items()]
    parameters = [*times_of(query, window, bucket), *options_of(query)]
    parameters += [(f"filter[{f.dimension}]", filter_text(f)) for f in filters]
    return f"/v1/kpis/{quote(query.kpi.id)}/records?{urlencode(parameters)}"


def times_of(query: Query, window: Window, bucket: Bucket) -> Iterable[tuple[str, str]]:
    """The parameters of a bucket's time: its ends, or the instant at its end."""
    yield "tz", window.zone.key
    if query.kpi.instant:
        yield "at", local(bucket.end, window.zone)
    else:
        yield "from", local(bucket.start, window.zone)
        yield "to", local(bucket.end, window.zone)


def options_of(query: Query) -> Iterable[tuple[str, str]]:
    """The parameters that select the same records as those of the query."""
    if query.filed_by and len(query.kpi.filed_by) > 1:
        yield "filed_by", query.filed_by
    if query.business_hours:
        yield "hours", "business"
    if query.preset:
        yield "preset", query.preset
    if query.per_respondent:
        yield "per", "respondent"
