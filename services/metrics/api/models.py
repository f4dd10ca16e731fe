"""Sentiment models: which have scored a tenant's comments, what a candidate would change, and the promotion of one."""

from typing import Annotated, Any
from zoneinfo import ZoneInfo

import structlog
from fastapi import APIRouter, Depends, Query

from services.metrics.api import model_schemas
from services.metrics.api.dependencies import Metrics, MetricsState, Model, OptionalText, turn
from services.metrics.api.encoding import interval_of, local, window_of
from services.metrics.api.parameters import WindowParameters
from services.metrics.api.queries import parse_window, parse_zone
from services.metrics.domain.estimator import Estimate
from services.metrics.domain.shadow import Pair, Verdict
from services.metrics.domain.windows import Between, Window, WindowName
from services.metrics.evaluation.promotion import ScoresMissing, UnknownModel, model_coverage, promote
from services.metrics.evaluation.scans import TooSlow
from services.metrics.evaluation.shadow import ShadowReport, shadow_report
from shared.database import outage_is_503
from shared.disconnects import ClientMessages
from shared.http import TenantName
from shared.kafka import Retry
from shared.problems import BadRequest, NotAuthenticated, responses
from shared.routes import TypedRoute

log = structlog.get_logger()

routes = APIRouter(route_class=TypedRoute, prefix="/v1/models", tags=["models"])


@routes.get(
    "",
    operation_id="list_models",
    summary="List the sentiment models, and how many comments each has scored",
    responses=responses(NotAuthenticated, BadRequest, TooSlow),
)
async def list_models(tenant: TenantName, client: ClientMessages, state: MetricsState) -> model_schemas.Models:
    """The promoted model is always listed, even if it has no scores."""
    async with turn(client, state, tenant), outage_is_503():
        covered, promoted = await model_coverage(state.source, tenant)
    names = sorted({*covered.scores, promoted})
    entries = [
        model_schemas.ModelEntry(name=name, scores=covered.scores[name], coverage=covered.share(name), promoted=name == promoted)
        for name in names
    ]
    return model_schemas.Models(comments=covered.comments, models=entries)


def field_of(name: str) -> Any:
    """The declaration of a query parameter of WindowParameters, for routes that declare each by itself."""
    field = WindowParameters.model_fields[name]
    return Query(
        alias=field.alias, description=field.description, examples=field.examples, json_schema_extra=field.json_schema_extra
    )


async def window_query(
    tenant: TenantName,
    window: Annotated[OptionalText, field_of("window")] = None,
    from_: Annotated[OptionalText, field_of("from_")] = None,
    to: Annotated[OptionalText, field_of("to")] = None,
    tz: Annotated[OptionalText, field_of("tz")] = None,
) -> tuple[WindowName | Between, ZoneInfo | None]:
    """The window of a request, and its zone, None if it is the tenant's."""
    parameters = WindowParameters(window=window, from_=from_, to=to, tz=tz)
    return parse_window(parameters), None if tz is None else parse_zone(tz)


@routes.get(
    "/{model}/shadow",
    operation_id="get_shadow_report",
    summary="Compare a candidate model with the promoted one",
    description="What would change if the model were promoted: labels of comments, KPIs, and how many comments it has yet to "
    "score. Through the gateway the texts of `examples` need the scope `records:read`.",
    responses=responses(NotAuthenticated, UnknownModel, BadRequest, TooSlow),
)
async def get_shadow_report(
    tenant: TenantName,
    client: ClientMessages,
    state: MetricsState,
    model: Model,
    query: Annotated[tuple[WindowName | Between, ZoneInfo | None], Depends(window_query)],
) -> model_schemas.ShadowReport:
    """Compute the report and convert it to JSON."""
    async with turn(client, state, tenant), outage_is_503():
        report = await shadow_report(state.source, tenant, model, *query, state.clock())
    return model_schemas.ShadowReport.model_validate(report_of(report))


@routes.post(
    "/{model}:promote",
    operation_id="promote_model",
    summary="Promote a sentiment model: KPIs read its scores from now on",
    description="Promoting the promoted model changes nothing.",
    responses=responses(NotAuthenticated, UnknownModel, ScoresMissing, BadRequest, TooSlow),
)
async def promote_model(tenant: TenantName, client: ClientMessages, state: MetricsState, model: Model) -> model_schemas.Promotion:
    """Store the promotion, then announce it."""
    async with turn(client, state, tenant), outage_is_503():
        since = await promote(state.source, tenant, model, state.clock())
    await announce(state, tenant)
    return model_schemas.Promotion(model=model, promoted_at=since.isoformat())


async def announce(state: Metrics, tenant: str) -> None:
    """Announce a promotion. It stays if the broker is unreachable: live streams also check by themselves."""
    try:
        await state.announcer.announce_promotion(tenant)
    except Retry as retry:
        log.warning("promotion.unannounced", tenant=tenant, reason=retry.reason)


# --- the shadow report ----------------------------------------------------------------------------------------------------
def report_of(report: ShadowReport) -> dict[str, Any]:
    """A shadow report as JSON."""
    confusion = report.comparison.confusion
    return {
        "model": report.candidate,
        "promoted": report.promoted,
        "window": window_of(report.window),
        "comments": report.comments,
        "missing": report.missing,
        "n": confusion.n,
        "agreement": confusion.agreement,
        "changed": confusion.changed,
        "confusion": confusion.table,
        "examples": [example_of(subject, pair, report.window) for subject, pair in report.comparison.changed],
        "kpis": [kpi_of(kpi, agg, before, after) for kpi, agg, before, after in report.kpis],
    }


def example_of(subject: str, pair: Pair, window: Window) -> dict[str, Any]:
    """A comment whose label would change, as JSON."""
    return {
        "subject": subject,
        "at": local(pair.comment.at, window.zone),
        "text_hash": pair.comment.text_hash,
        "text": pair.comment.text,
        "promoted": verdict_of(pair.promoted),
        "candidate": verdict_of(pair.candidate),
    }


def verdict_of(verdict: Verdict) -> dict[str, Any]:
    """A label and its score as JSON."""
    label, score = verdict
    return {"label": label, "score": score}


def kpi_of(kpi: str, agg: str, before: Estimate, after: Estimate) -> dict[str, Any]:
    """A KPI by both models as JSON; `delta` is candidate minus promoted, None unless both have a value."""
    return {
        "kpi": kpi,
        "agg": agg or None,
        "promoted": value_of(before),
        "candidate": value_of(after),
        "delta": None if before.value is None or after.value is None else after.value - before.value,
    }


def value_of(estimate: Estimate) -> dict[str, Any]:
    """One model's value of a KPI as JSON."""
    return {
        "value": estimate.value,
        "n": estimate.n,
        "interval": interval_of(estimate.interval),
        "flags": list(estimate.flags),
    }
