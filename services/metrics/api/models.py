"""Models of sentiment: which have scored a tenant's comments, what a candidate would change, and the switch that promotes it."""

from datetime import datetime
from typing import Annotated, Any

import asyncpg
import structlog
from fastapi import APIRouter, Depends, Request
from pydantic import SecretStr

from services.metrics.api.parameters import only, refusing
from services.metrics.api.questions import read_window
from services.metrics.api.shadow import reported, told
from services.metrics.api.state import Metrics, metrics_of
from services.metrics.api.turns import turn
from services.metrics.store.models import Coverage, coverage, unscored
from services.metrics.store.promotions import asker_of, put_in_force, standing
from services.metrics.store.query import ACQUIRE_SECONDS, snapshot
from shared.database import outage_is_503
from shared.http import internal_tenant
from shared.kafka import Retry
from shared.problems import Conflict, NotFound

log = structlog.get_logger()

SHOWN = 5
"""Subjects that a refusal names."""


class UnknownModel(NotFound):
    title = "Unknown model"


class ScoresMissing(Conflict):
    title = "Scores missing"


def router(token: SecretStr) -> APIRouter:
    """The models' routes; whom they are asked for, the tenant header says."""
    routes = APIRouter(prefix="/v1/models", tags=["models"])
    asked_by = Annotated[str, Depends(internal_tenant(token))]

    @routes.get("")
    async def models(request: Request, asked_by: asked_by) -> dict[str, Any]:
        metrics = metrics_of(request)
        without_parameters(request)
        async with turn(request, asked_by), outage_is_503(), snapshot(metrics.pool) as connection:
            asker = await asker_of(connection, asked_by, metrics.model)
            covered = await coverage(connection, asked_by)
        return {"comments": covered.comments, "models": shown(covered, asker.model)}

    @routes.get("/{model}/shadow")
    async def shadow(request: Request, model: str, asked_by: asked_by) -> dict[str, Any]:
        metrics = metrics_of(request)
        now = metrics.clock()
        async with turn(request, asked_by), outage_is_503(), snapshot(metrics.pool) as connection:
            asker = await asker_of(connection, asked_by, metrics.model)
            asked = read_window(request.query_params.multi_items(), now=now, zone=asker.zone)
            known(model, await coverage(connection, asked_by), asker.model)
            report = await reported(connection, asker, model, asked, now)
        return told(model, asker.model, report)

    @routes.post("/{model}:promote")
    async def promote(request: Request, model: str, asked_by: asked_by) -> dict[str, Any]:
        metrics = metrics_of(request)
        without_parameters(request)
        async with turn(request, asked_by), outage_is_503():
            since = await promoted(metrics, asked_by, model)
        await tell(metrics, asked_by)
        return {"model": model, "promoted_at": since.isoformat()}

    return routes


def without_parameters(request: Request) -> None:
    with refusing():
        only(request.query_params)


def shown(covered: Coverage, in_force: str) -> list[dict[str, Any]]:
    """Every model that has scored something, and the promoted one in any case."""
    return [
        {"name": name, "scores": covered.scores[name], "coverage": covered.share(name), "promoted": name == in_force}
        for name in sorted({*covered.scores, in_force})
    ]


def known(model: str, covered: Coverage, in_force: str) -> None:
    """Raises UnknownModel where the tenant has no score of `model`, unless that one is in force."""
    if model not in covered.scores and model != in_force:
        raise UnknownModel("no comment has a score of this model; GET /v1/models lists those that have scored some")


async def promoted(metrics: Metrics, tenant: str, model: str) -> datetime:
    """Promote `model`; since when it is. Raises ScoresMissing while comments lack its score, UnknownModel where all do.

    One that counts only because nothing was promoted yet needs its scores like any other.
    """
    async with (
        metrics.pool.acquire(timeout=ACQUIRE_SECONDS) as connection,
        connection.transaction(isolation="repeatable_read"),
    ):
        asker = await asker_of(connection, tenant, metrics.model)
        covered = await coverage(connection, tenant)
        known(model, covered, asker.model)
        last = await standing(connection, tenant)
        if last is None or last.model != model:
            await all_scored(connection, tenant, model, covered)
        since = await put_in_force(connection, tenant, model, metrics.clock())
        if since is None:
            raise UnknownModel("nothing was ever scored here")
        return since


async def all_scored(connection: asyncpg.Connection, tenant: str, model: str, covered: Coverage) -> None:
    """Raises ScoresMissing, with some of the subjects, while comments lack a score of `model`."""
    if missing := covered.comments - covered.scores[model]:
        found = ", ".join(await unscored(connection, tenant, model, SHOWN))
        raise ScoresMissing(f"{missing} of {covered.comments} comments have no score of {model} yet, first of {found}")


async def tell(metrics: Metrics, tenant: str) -> None:
    """Let live streams ask anew. That a broker is away undoes no promotion: they look again by themselves."""
    try:
        await metrics.announcer.announce_promotion(tenant)
    except Retry as retry:
        log.warning("promotion.unannounced", tenant=tenant, reason=retry.reason)
