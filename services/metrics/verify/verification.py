"""The steps of a verification, in their order."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import chain
from zoneinfo import ZoneInfo

import asyncpg
import httpx

from services.metrics.clients.ingest import Ingest
from services.metrics.domain.query import Query
from services.metrics.store.promotions import LAST
from services.metrics.store.terms import read_terms
from services.metrics.verify.battery import full_battery, preset_queries
from services.metrics.verify.readiness import wait_for_database, wait_for_service
from services.metrics.verify.recount import compare_contributions, compare_sealed
from services.metrics.verify.report import CONTRIBUTIONS, VerifyStep
from services.metrics.verify.served import VerifiedTenant, compare_served
from services.metrics.verify.snapshots import long_snapshot
from services.metrics.verify.subjects import compare_coverage, compare_subjects

TENANTS = f"""
    SELECT t.id, t.slug, t.zone, ({LAST}) FROM tenants t WHERE $1::text IS NULL OR t.slug = $1 ORDER BY t.slug
"""  # noqa: S608


@dataclass(frozen=True, slots=True)
class StackVerification:
    """Compares ingest's events, metrics' tables, and the results of a running metrics service.

    `model`: the model of tenants without a promotion. `patience`: seconds to wait for events that aren't applied yet, while
    their number doesn't fall. `battery`: the queries to compare, of windows that end at an instant, in a zone, and of a tenant
    with these own dimensions.
    """

    ingest: Ingest
    pool: asyncpg.Pool
    metrics: httpx.AsyncClient
    model: str
    patience: float
    say: Callable[[str], None]
    battery: Callable[[datetime, ZoneInfo, Sequence[str]], Iterable[Query]] = full_battery

    async def run(self, tenant: str | None = None) -> list[VerifyStep]:
        """Verify one tenant or all, and print each step when it is done.

        Waits `patience` seconds for the database and for each service that is being started. Raises one of OUTAGE or
        httpx.HTTPError if one of them still does not answer.
        """
        await wait_for_database(self.pool, self.patience, self.say)
        await wait_for_service("ingest", self.ingest.http, self.patience, self.say)
        steps = [
            self._print(await compare_subjects(self.ingest, self.pool, tenant, self.patience, self.say)),
            self._print(await compare_coverage(self.pool, self.model, tenant, self.patience, self.say)),
        ]
        for number, slug, zone, model in await self.pool.fetch(TENANTS, tenant):
            self.say(f"tenant {slug}")
            steps += await self._verify(VerifiedTenant(number, slug, ZoneInfo(zone), model or self.model))
        return steps

    async def _verify(self, tenant: VerifiedTenant) -> list[VerifyStep]:
        stored, sealed, served = steps = [
            VerifyStep(CONTRIBUTIONS),
            VerifyStep("contributions → sealed histograms"),
            VerifyStep("contributions → served KPIs"),
        ]
        async with long_snapshot(self.pool) as connection:
            now = datetime.now(UTC)
            recount = await compare_contributions(connection, tenant.id, stored)
            self._print(stored)
            await compare_sealed(connection, recount, sealed)
            self._print(sealed)
            terms = await read_terms(connection, tenant.id)
            tenant = replace(tenant, own=terms.dimensions)
        await wait_for_service("metrics", self.metrics, self.patience, self.say)
        queries = chain(self.battery(now, tenant.zone, tenant.own), preset_queries(terms.presets, now, tenant.zone))
        await compare_served(self.metrics, self.pool, tenant, recount, queries, now, served)
        self._print(served)
        return steps

    def _print(self, step: VerifyStep) -> VerifyStep:
        self.say(str(step))
        return step
