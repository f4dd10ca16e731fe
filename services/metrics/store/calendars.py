"""The versions of tenants' calendars: an append-only list for each tenant, of which a revision of its terms has the beginning."""

from collections.abc import Collection, Mapping
from datetime import datetime

import asyncpg
import msgspec

from services.metrics.domain.business_hours import BusinessHours, Calendar

encode = msgspec.json.Encoder().encode
decode = msgspec.json.Decoder(Calendar).decode

Beginning = tuple[int, int]
"""A tenant's number, and how many versions of its calendars count."""

READ = """
    SELECT c.tenant, wanted.versions, c.body
    FROM unnest($1::int[], $2::int[]) AS wanted (tenant, versions)
    JOIN calendars c ON c.tenant = wanted.tenant AND c.number <= wanted.versions ORDER BY c.tenant, wanted.versions, c.number
"""
LIST = "SELECT body, made_at FROM calendars WHERE tenant = $1 ORDER BY number"
ADD = """
    INSERT INTO calendars (tenant, number, body, made_at)
    SELECT $1, 1 + count(*), $2, $3 FROM calendars WHERE tenant = $1 RETURNING number
"""


async def read_business_hours(
    connection: asyncpg.Connection, beginnings: Collection[Beginning]
) -> Mapping[Beginning, BusinessHours]:
    """The business hours of each of `beginnings`."""
    versions: dict[Beginning, list[Calendar]] = {beginning: [] for beginning in beginnings}
    rows = await connection.fetch(READ, [tenant for tenant, _ in versions], [count for _, count in versions])
    for tenant, count, body in rows:
        versions[tenant, count].append(decode(body))
    return {beginning: BusinessHours(calendars) for beginning, calendars in versions.items()}


async def list_versions(connection: asyncpg.Connection, tenant: int) -> list[tuple[Calendar, datetime]]:
    """All versions of the tenant's calendars, each with the time at which it was added, in that order."""
    return [(decode(row["body"]), row["made_at"]) for row in await connection.fetch(LIST, tenant)]


async def add_version(connection: asyncpg.Connection, tenant: int, calendar: Calendar, now: datetime) -> int:
    """Add a version of a calendar. Returns how many the tenant has then. The tenant must be locked."""
    return await connection.fetchval(ADD, tenant, encode(calendar), now)  # type: ignore[no-any-return]
