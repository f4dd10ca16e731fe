"""The themes of each tenant: loaded from ingest, cached, and prepared for the model.

The points of a taxonomy's themes are computed by the model: seconds for a large one. So a tenant whose taxonomy changes is
scored with the previous one until the new one is prepared in the background.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import msgspec
import structlog
from cachetools import LRUCache, TTLCache

from services.sentiment.clients import TaggedTaxonomy
from services.sentiment.domain.scorer import ScorerUnavailable
from services.sentiment.weights import MODELS, BrokenModel
from shared.kafka import Retry
from shared.taxonomy import Taxonomy

log = structlog.get_logger()

DEFAULT = MODELS / "taxonomy.json"
MAX_TENANTS = 1000
"""Tenants whose taxonomies are cached; the least recently used is evicted."""
RETRY_SECONDS = 5.0
"""Time without requests to ingest after one that failed."""


def read_default(path: Path = DEFAULT) -> Taxonomy:
    """The default taxonomy, revision 0. Raises BrokenModel if its file can't be read."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=Taxonomy)
    except (OSError, msgspec.DecodeError) as error:
        raise BrokenModel(f"{path.name}: {type(error).__name__}") from error


class TaxonomyClient(Protocol):
    """The part of ingest's client that is needed here."""

    async def taxonomy(self, tenant: str, known: TaggedTaxonomy | None = None) -> TaggedTaxonomy:
        """The tenant's taxonomy; `known` itself if it is unchanged. Raises Retry if ingest does not return one."""
        ...


class Taxonomies(Protocol):
    """A source of taxonomies."""

    async def of(self, tenant: str) -> Taxonomy:
        """The taxonomy of a tenant. Raises Retry if it is unknown and can't be loaded now."""
        ...


@dataclass(frozen=True, slots=True)
class Loaded:
    """The response of ingest and the taxonomy made from it: with the tenant's own themes or the default ones."""

    answer: TaggedTaxonomy
    taxonomy: Taxonomy


class TaxonomyCache:
    """Caches each tenant's taxonomy for `seconds`. While ingest is unreachable, the last known one is used."""

    def __init__(
        self,
        ingest: TaxonomyClient,
        default: Taxonomy,
        seconds: float,
        max_tenants: int = MAX_TENANTS,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._ingest = ingest
        self._default = default
        self._now = now
        self._last: LRUCache[str, Loaded] = LRUCache(max_tenants)
        self._fresh: TTLCache[str, Taxonomy] = TTLCache(max_tenants, ttl=seconds, timer=now)
        self._loading = asyncio.Lock()
        self._retry_at = float("-inf")

    async def of(self, tenant: str) -> Taxonomy:
        """The tenant's own themes or the default ones, under the tenant's revision. The same object until the revision changes.

        Raises Retry if nothing is known of the tenant and ingest is unreachable: themes of a wrong taxonomy must not be stored.
        """
        if fresh := self._fresh.get(tenant):
            return fresh
        async with self._loading:
            return self._fresh.get(tenant) or await self._load(tenant)

    async def _load(self, tenant: str) -> Taxonomy:
        last = self._last.get(tenant)
        if self._now() >= self._retry_at:
            try:
                answer = await self._ingest.taxonomy(tenant, last.answer if last else None)
            except Retry as error:
                log.warning("taxonomies.ingest_unreachable", reason=error.reason)
                self._retry_at = self._now() + RETRY_SECONDS
            else:
                if last is None or answer is not last.answer:
                    last = Loaded(answer, answer.taxonomy.over(self._default))
                self._last[tenant], self._fresh[tenant] = last, last.taxonomy
        if last is None:
            raise Retry(RETRY_SECONDS, "the taxonomy of the tenant is unknown, and ingest is unreachable")
        return last.taxonomy


class PreparedTaxonomies:
    """The newest taxonomy of each tenant whose themes are prepared. Only the first one of a tenant is waited for."""

    def __init__(self, taxonomies: Taxonomies, prepare: Callable[[Taxonomy], Awaitable[None]]) -> None:
        self._taxonomies = taxonomies
        self._prepare = prepare
        self._prepared: LRUCache[str, Taxonomy] = LRUCache(MAX_TENANTS)
        self._preparing: dict[str, asyncio.Task[None]] = {}

    async def of(self, tenant: str) -> Taxonomy:
        """Raises Retry if the tenant's taxonomy is unknown, ScorerUnavailable if the model can't prepare its first one."""
        newest = await self._taxonomies.of(tenant)
        prepared = self._prepared.get(tenant)
        if prepared is None:
            await self._prepare(newest)
            self._prepared[tenant] = newest
            return newest
        if prepared is not newest and tenant not in self._preparing:
            self._preparing[tenant] = asyncio.create_task(self._replace(tenant, newest))
        return prepared

    async def _replace(self, tenant: str, newest: Taxonomy) -> None:
        try:
            await self._prepare(newest)
            self._prepared[tenant] = newest
        except ScorerUnavailable as error:
            log.warning("taxonomies.not_prepared", reason=str(error))
        finally:
            del self._preparing[tenant]
