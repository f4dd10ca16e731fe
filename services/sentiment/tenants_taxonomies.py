"""The themes that each tenant has in force, asked of ingest now and then and remembered."""

import asyncio
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import structlog

from services.sentiment.clients import Told
from shared.kafka import Retry
from shared.taxonomy import Taxonomy

log = structlog.get_logger()

MOST_KNOWN = 1000
"""Tenants that are remembered; the one that was asked for longest ago makes room."""

REST = 5.0
"""Seconds in which ingest, found away, is asked nothing."""


class Tells(Protocol):
    """The part of ingest that is needed here."""

    async def taxonomy(self, tenant: str, known: Told | None = None) -> Told: ...


class Taxonomies(Protocol):
    """What tells the themes of a tenant. Raises Retry while they can't be known."""

    async def of(self, tenant: str) -> Taxonomy: ...


@dataclass(frozen=True, slots=True)
class Known:
    """What was told, `taxonomy` as it counts, and until when it isn't asked for again."""

    told: Told
    taxonomy: Taxonomy
    until: float


class TenantsTaxonomies:
    """What ingest was told is heard here within `seconds`. While ingest is away the last that is known serves on."""

    def __init__(
        self, ingest: Tells, shipped: Taxonomy, seconds: float, most: int = MOST_KNOWN, now: Callable[[], float] = time.monotonic
    ) -> None:
        self._ingest = ingest
        self._shipped = shipped
        self._seconds = seconds
        self._most = most
        self._now = now
        self._known: OrderedDict[str, Known] = OrderedDict()
        self._asking = asyncio.Lock()
        self._rests_until = float("-inf")

    async def of(self, tenant: str) -> Taxonomy:
        """The tenant's own themes or those that ship, under the revision in force; the same object as long as it is.

        Raises Retry when nothing is known of the tenant and ingest is away: themes of the wrong taxonomy must not be told.
        """
        if fresh := self._fresh(tenant):
            return fresh
        async with self._asking:
            return self._fresh(tenant) or await self._ask(tenant)

    def _fresh(self, tenant: str) -> Taxonomy | None:
        known = self._known.get(tenant)
        if known is None or known.until <= self._now():
            return None
        self._known.move_to_end(tenant)
        return known.taxonomy

    async def _ask(self, tenant: str) -> Taxonomy:
        if self._now() < self._rests_until:
            return self._last(tenant)
        known = self._known.get(tenant)
        try:
            told = await self._ingest.taxonomy(tenant, known.told if known else None)
        except Retry as away:
            log.warning("taxonomies.ingest_away", reason=away.reason)
            self._rests_until = self._now() + REST
            return self._last(tenant)
        stands = known is not None and told is known.told
        return self._keep(tenant, told, known.taxonomy if known and stands else told.taxonomy.over(self._shipped))

    def _last(self, tenant: str) -> Taxonomy:
        known = self._known.get(tenant)
        if known is None:
            raise Retry(REST, "ingest is away, and it isn't known which themes the tenant tells apart")
        self._known.move_to_end(tenant)
        return known.taxonomy

    def _keep(self, tenant: str, told: Told, taxonomy: Taxonomy) -> Taxonomy:
        self._known[tenant] = Known(told, taxonomy, self._now() + self._seconds)
        self._known.move_to_end(tenant)
        if len(self._known) > self._most:
            self._known.popitem(last=False)
        return taxonomy
