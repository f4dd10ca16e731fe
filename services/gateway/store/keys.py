"""API keys in the database, and a cache in front of it. Secrets are never stored, only their hashes."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable
from datetime import UTC, datetime
from typing import Any

from cachetools import TTLCache
from sqlalchemy import Delete, Row, Select, and_, delete, func, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from services.gateway.domain.keys import Key
from services.gateway.store.tables import keys, tenants
from shared.database import outage_is_503
from shared.problems import Conflict

MAX_ENDED = 1_000
"""Expired and revoked keys of a tenant that stay listed; older ones are deleted."""

CACHE_CAPACITY = 10_000


class Keys:
    """Rows of `keys`, each with its tenant's zone."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def find(self, digest: bytes) -> Key | None:
        """The key whose secret has this hash, even if it is revoked or expired."""
        async with outage_is_503(), self._engine.connect() as connection:
            row = (await connection.execute(_keys().where(keys.c.digest == digest))).one_or_none()
            return _key(row) if row else None

    async def list_for(self, tenant: str) -> list[Key]:
        """A tenant's keys, oldest first."""
        statement = _keys().where(keys.c.tenant == tenant).order_by(keys.c.created_at, keys.c.id)
        async with outage_is_503(), self._engine.connect() as connection:
            return [_key(row) for row in await connection.execute(statement)]

    async def get(self, tenant: str, key_id: str) -> Key | None:
        """A key of this tenant; None for another tenant's."""
        statement = _keys().where(keys.c.tenant == tenant, keys.c.id == key_id)
        async with outage_is_503(), self._engine.connect() as connection:
            row = (await connection.execute(statement)).one_or_none()
            return _key(row) if row else None

    async def add(
        self,
        key_id: str,
        tenant: str,
        *,
        name: str,
        prefix: str,
        digest: bytes,
        scopes: Iterable[str],
        expires_at: datetime | None = None,
        replaces: tuple[str, datetime] | None = None,
        limit: int | None = None,
    ) -> Key:
        """Insert a key. `replaces` names a key of the same tenant and the instant at which it ends, in the same transaction.

        Raises Conflict if the tenant would have more than `limit` active keys. Deletes all but the newest MAX_ENDED ended keys.
        """
        row = {"id": key_id, "tenant": tenant, "name": name, "prefix": prefix, "digest": digest, "scopes": sorted(scopes)}
        async with outage_is_503(), self._engine.begin() as connection:
            await connection.execute(select(tenants.c.id).where(tenants.c.id == tenant).with_for_update(key_share=True))
            await connection.execute(insert(keys).values(**row, expires_at=expires_at))
            if replaces:
                old, end = replaces
                earlier = func.least(func.coalesce(keys.c.expires_at, end), end)
                await connection.execute(
                    update(keys).where(and_(keys.c.tenant == tenant, keys.c.id == old)).values(expires_at=earlier)
                )
            if limit is not None and await _count_active(connection, tenant) > limit:
                raise Conflict(f"the tenant has {limit} active keys, which is the limit; revoke one first")
            await connection.execute(_delete_ended(tenant))
            return _key((await connection.execute(_keys().where(keys.c.id == key_id))).one())

    async def revoke(self, tenant: str, key_id: str, at: datetime) -> bool:
        """Revoke a tenant's key; idempotent. False if the tenant has no such key."""
        statement = (
            update(keys)
            .where(keys.c.tenant == tenant, keys.c.id == key_id)
            .values(revoked_at=func.coalesce(keys.c.revoked_at, at))
            .returning(keys.c.id)
        )
        async with outage_is_503(), self._engine.begin() as connection:
            return (await connection.execute(statement)).one_or_none() is not None


async def _count_active(connection: AsyncConnection, tenant: str) -> int:
    not_expired = or_(keys.c.expires_at.is_(None), keys.c.expires_at > datetime.now(UTC))
    count = select(func.count()).where(keys.c.tenant == tenant, keys.c.revoked_at.is_(None), not_expired)
    return int((await connection.execute(count)).scalar_one())


def _delete_ended(tenant: str) -> Delete:
    """Deletes all but the newest MAX_ENDED expired or revoked keys of the tenant."""
    ended = or_(keys.c.revoked_at.is_not(None), keys.c.expires_at <= datetime.now(UTC))
    old = select(keys.c.id).where(keys.c.tenant == tenant, ended).order_by(keys.c.created_at.desc(), keys.c.id).offset(MAX_ENDED)
    return delete(keys).where(keys.c.id.in_(old))


def _keys() -> Select[*tuple[Any, ...]]:
    return select(keys, tenants.c.zone).join(tenants, tenants.c.id == keys.c.tenant)


def _key(row: Row[*tuple[Any, ...]]) -> Key:
    return Key(
        id=row.id,
        tenant=row.tenant,
        zone=row.zone,
        name=row.name,
        prefix=row.prefix,
        scopes=frozenset(row.scopes),
        created_at=row.created_at,
        expires_at=row.expires_at,
        revoked_at=row.revoked_at,
    )


class KeyCache:
    """Caches each result of `find` for `seconds`, None included, and makes concurrent look-ups of one key share one query.

    So neither a flood of requests nor of guesses reaches the database, and a revocation takes effect within `seconds`. Errors are
    not cached.
    """

    def __init__(
        self, find: Callable[[bytes], Awaitable[Key | None]], seconds: float, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._find = find
        self._lookups: TTLCache[bytes, asyncio.Future[Key | None]] = TTLCache(CACHE_CAPACITY, seconds, clock)

    async def get(self, digest: bytes) -> Key | None:
        """The key with this hash, at most `seconds` old."""
        lookup = self._lookups.get(digest)
        if lookup is None:
            lookup = self._lookups[digest] = asyncio.ensure_future(self._find(digest))
        try:
            return await asyncio.shield(lookup)
        except Exception:
            if self._lookups.get(digest) is lookup:
                self._lookups.pop(digest, None)
            raise
