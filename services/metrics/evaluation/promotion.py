"""Which models have scored a tenant's comments, and the promotion of one of them."""

from datetime import datetime

import asyncpg

from services.metrics.evaluation.source import Source
from services.metrics.store.models import Coverage, coverage, unscored
from services.metrics.store.promotions import current_tenant, last_promotion, store_promotion
from services.metrics.store.query import ACQUIRE_SECONDS, snapshot
from shared.problems import Conflict, NotFound

NAMED_SUBJECTS = 5
"""Subjects that a refusal names."""


class UnknownModel(NotFound):
    title = "Unknown model"


class ScoresMissing(Conflict):
    title = "Scores missing"


def require_known(model: str, covered: Coverage, promoted: str) -> None:
    """Raise UnknownModel if the tenant has no score of `model`, unless that one is promoted."""
    if model not in covered.scores and model != promoted:
        raise UnknownModel("no comment has a score of this model; GET /v1/models lists those that have scored some")


async def model_coverage(source: Source, tenant: str) -> tuple[Coverage, str]:
    """How many comments each model has scored, and the promoted model."""
    async with snapshot(source.pool) as connection:
        current = await current_tenant(connection, tenant, source.default_model)
        return await coverage(connection, tenant), current.model


async def promote(source: Source, tenant: str, model: str, now: datetime) -> datetime:
    """Promote `model`; returns since when it is promoted, `now` unless it was already.

    Raises ScoresMissing if some comments have no score of it, UnknownModel if none has. A model that is in force only as the
    default needs its scores like any other.
    """
    async with (
        source.pool.acquire(timeout=ACQUIRE_SECONDS) as connection,
        connection.transaction(isolation="repeatable_read"),
    ):
        current = await current_tenant(connection, tenant, source.default_model)
        covered = await coverage(connection, tenant)
        require_known(model, covered, current.model)
        last = await last_promotion(connection, tenant)
        if last is None or last.model != model:
            await require_all_scored(connection, tenant, model, covered)
        since = await store_promotion(connection, tenant, model, now)
        if since is None:
            raise UnknownModel("this tenant has no comments")
        return since


async def require_all_scored(connection: asyncpg.Connection, tenant: str, model: str, covered: Coverage) -> None:
    """Raise ScoresMissing, with some of the subjects, if comments have no score of `model`."""
    if missing := covered.comments - covered.scores[model]:
        subjects = ", ".join(await unscored(connection, tenant, model, NAMED_SUBJECTS))
        raise ScoresMissing(f"{missing} of {covered.comments} comments have no score of {model} yet, first of {subjects}")
