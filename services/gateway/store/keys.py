"""API keys in the database. Secrets are never here, only their hashes."""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Delete, Row, Select, and_, delete, func, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from services.gateway.domain.keys import Key
from services.gateway.store.tables import keys, tenants
from shared.database import outage_is_503
from shared.problems import Conflict

ENDED_KEPT = 1_000
"""Keys of a tenant that have ended and are still listed."""


class Keys:
    """Rows of `keys`, each with its tenant's zone."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def find(self, digest: bytes) -> Key | None:
        """The key whose secret has this hash, revoked and expired ones too."""
        async with outage_is_503(), self._engine.connect() as connection:
            row = (await connection.execute(_keys().where(keys.c.digest == digest))).one_or_none()
            return _key(row) if row else None

    async def of(self, tenant: str) -> list[Key]:
        """A tenant's keys, oldest first."""
        statement = _keys().where(keys.c.tenant == tenant).order_by(keys.c.created_at, keys.c.id)
        async with outage_is_503(), self._engine.connect() as connection:
            return [_key(row) for row in await connection.execute(statement)]

    async def get(self, tenant: str, key_id: str) -> Key | None:
        """A tenant's own key; another's is not there."""
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
        """Insert a key. `replaces` names a key of the same tenant and the instant at which it ends, in one transaction. Raises
        Conflict where the tenant would have more than `limit` keys that work. Of keys that have ended the newest are kept."""
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
            if limit is not None and await _live(connection, tenant) > limit:
                raise Conflict(f"the tenant has {limit} keys that work, which is the limit; revoke one first")
            await connection.execute(_forget_ended(tenant))
            return _key((await connection.execute(_keys().where(keys.c.id == key_id))).one())

    async def revoke(self, tenant: str, key_id: str, at: datetime) -> bool:
        """End a tenant's own key now; revoking it again changes nothing. False: the tenant has no such key."""
        statement = (
            update(keys)
            .where(keys.c.tenant == tenant, keys.c.id == key_id)
            .values(revoked_at=func.coalesce(keys.c.revoked_at, at))
            .returning(keys.c.id)
        )
        async with outage_is_503(), self._engine.begin() as connection:
            return (await connection.execute(statement)).one_or_none() is not None


async def _live(connection: AsyncConnection, tenant: str) -> int:
    """How many keys of the tenant work now."""
    ends = or_(keys.c.expires_at.is_(None), keys.c.expires_at > datetime.now(UTC))
    live = select(func.count()).where(keys.c.tenant == tenant, keys.c.revoked_at.is_(None), ends)
    return int((await connection.execute(live)).scalar_one())


def _forget_ended(tenant: str) -> Delete:
    """All but the newest ENDED_KEPT of the tenant's keys that have ended, so that their number stays bounded."""
    ended = or_(keys.c.revoked_at.is_not(None), keys.c.expires_at <= datetime.now(UTC))
    old = select(keys.c.id).where(keys.c.tenant == tenant, ended).order_by(keys.c.created_at.desc(), keys.c.id).offset(ENDED_KEPT)
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
