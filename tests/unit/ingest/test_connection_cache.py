"""The cache of connections: one query for many callers, expiry, and no stale entry after a change."""

import asyncio

import pytest

from services.ingest.domain.connection import Connection
from services.ingest.store.connection_cache import ConnectionCache
from tests.unit.ingest.making import connection

ID = "con_" + "0" * 32


class Store:
    """Finds any connection by its id once `release` is set. `queries` are the ids that were looked up."""

    def __init__(self) -> None:
        self.queries: list[str] = []
        self.release = asyncio.Event()
        self.release.set()

    async def find(self, name: str) -> Connection | None:
        self.queries.append(name)
        await self.release.wait()
        return connection(id=name)

    async def built_in(self, tenant: str) -> Connection | None:
        self.queries.append(tenant)
        return None


async def test_a_connection_is_looked_up_once_while_it_is_cached() -> None:
    store = Store()
    cache = ConnectionCache(store, seconds=60)
    assert cache.cached(ID) is None
    assert [await cache.find(ID) for _ in range(3)] == [connection(id=ID)] * 3
    assert cache.cached(ID) == connection(id=ID)
    assert store.queries == [ID]


async def test_a_missing_connection_is_cached_too() -> None:
    store = Store()
    cache = ConnectionCache(store, seconds=60)
    assert [await cache.built_in("acme") for _ in range(3)] == [None] * 3
    assert store.queries == ["acme"]


async def test_concurrent_callers_share_one_query() -> None:
    store = Store()
    cache = ConnectionCache(store, seconds=60)
    await asyncio.gather(*(cache.find(ID) for _ in range(10)))
    assert store.queries == [ID]


async def test_an_entry_expires() -> None:
    store = Store()
    cache = ConnectionCache(store, seconds=0.01)
    await cache.find(ID)
    await asyncio.sleep(0.02)
    assert cache.cached(ID) is None
    await cache.find(ID)
    assert store.queries == [ID, ID]


async def test_the_result_of_a_query_during_a_change_is_not_cached() -> None:
    store = Store()
    cache = ConnectionCache(store, seconds=60)
    store.release.clear()
    lookup = asyncio.create_task(cache.find(ID))
    await asyncio.sleep(0)
    cache.invalidate(ID)
    store.release.set()
    await lookup
    assert cache.cached(ID) is None
    await cache.find(ID)
    assert len(store.queries) == 2


@pytest.mark.parametrize("text", ["con_never", "con_" + "A" * 32, "con_" + "0" * 31 + "\0", "x" * 60_000])
async def test_a_text_that_is_no_id_is_not_looked_up(text: str) -> None:
    store = Store()
    cache = ConnectionCache(store, seconds=60)
    assert await cache.find(text) is None
    assert store.queries == []
