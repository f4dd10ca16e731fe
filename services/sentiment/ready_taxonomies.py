"""A tenant's themes for the consumer, which must not wait while a large taxonomy is prepared.

Where the themes of a taxonomy are among meanings is computed by the model from their words: seconds for a large one. A tenant
whose taxonomy changes is scored with the one before until the new one is prepared in the background.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable

import structlog

from services.sentiment.domain.scorer import ScorerAway
from services.sentiment.tenants_taxonomies import MOST_KNOWN, Taxonomies
from shared.taxonomy import Taxonomy

log = structlog.get_logger()

Prepare = Callable[[Taxonomy], Awaitable[None]]


class ReadyTaxonomies:
    """The newest taxonomy of each tenant that is prepared. Only a tenant's first one is waited for."""

    def __init__(self, taxonomies: Taxonomies, prepare: Prepare) -> None:
        self._taxonomies = taxonomies
        self._prepare = prepare
        self._ready: OrderedDict[str, Taxonomy] = OrderedDict()
        self._preparing: dict[str, asyncio.Task[None]] = {}

    async def of(self, tenant: str) -> Taxonomy:
        """Raises Retry while the tenant's themes can't be known, ScorerAway while the model can't prepare its first ones."""
        newest = await self._taxonomies.of(tenant)
        ready = self._ready.get(tenant)
        if ready is None:
            await self._prepare(newest)
            self._keep(tenant, newest)
            return newest
        self._ready.move_to_end(tenant)
        if ready is not newest and tenant not in self._preparing:
            self._preparing[tenant] = asyncio.create_task(self._replace(tenant, newest))
        return ready

    async def _replace(self, tenant: str, newest: Taxonomy) -> None:
        try:
            await self._prepare(newest)
            self._keep(tenant, newest)
        except ScorerAway as away:
            log.warning("taxonomies.not_prepared", reason=str(away))
        finally:
            del self._preparing[tenant]

    def _keep(self, tenant: str, taxonomy: Taxonomy) -> None:
        self._ready[tenant] = taxonomy
        self._ready.move_to_end(tenant)
        if len(self._ready) > MOST_KNOWN:
            self._ready.popitem(last=False)
