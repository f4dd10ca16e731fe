"""The terms of tenants: reading them, and changing them.

A tenant's measures have one generation that is served. While a build runs they have a second one: writers write a subject's
contributions under both, and the builder walks all other subjects (`services.metrics.store.builds`). So answers are of the old
terms throughout, until one transaction exchanges the two.

A writer reads its tenants' terms `FOR KEY SHARE`, and holds this lock until it commits. Every transaction that starts, retargets
or ends a build locks the tenant `FOR UPDATE`. So a batch is written under one revision, and a build sees all earlier batches.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

import asyncpg

from services.metrics.domain.business_hours import BusinessHours, Calendar
from services.metrics.domain.contributions import CONTRIBUTIONS_VERSION
from services.metrics.domain.presets import OwnPreset
from services.metrics.domain.sla import Policies, PolicyVersion
from services.metrics.domain.terms import Terms
from services.metrics.store.presets import OWN_PRESETS, check_limits, latest_presets, presets_by_id
from services.metrics.store.versions import CachedVersions, Versions

LOCK_FOR_WRITING = """
    SELECT id, zone, terms_revision, building_revision, generation FROM tenants WHERE id = ANY($1::int[])
    ORDER BY id FOR KEY SHARE
"""
LOCK_FOR_CHANGE = "SELECT id, zone, terms_revision, building_revision FROM tenants WHERE id = $1 FOR UPDATE"

CONTENTS_OF = """
    SELECT r.tenant, r.revision, r.dimensions, r.calendars, r.policies, r.presets, r.own_presets
    FROM unnest($1::int[], $2::int[]) AS wanted (tenant, revision) JOIN terms_revisions r USING (tenant, revision)
"""

ADD_REVISION = """
    INSERT INTO terms_revisions (tenant, revision, zone, dimensions, calendars, policies, presets, own_presets, made_at)
    SELECT t.id, 1 + greatest(t.terms_revision, t.building_revision,
        (SELECT max(r.revision) FROM terms_revisions r WHERE r.tenant = t.id)), $2, $3, $4, $5, $6, $7, $8
    FROM tenants t WHERE t.id = $1 RETURNING revision
"""

START_BUILD = """
    INSERT INTO builds (tenant, revision, version, total) VALUES ($1, $2, $3, $4)
    ON CONFLICT (tenant) DO UPDATE SET revision = excluded.revision, version = excluded.version, total = excluded.total,
        place = '', done = 0, walked_at = NULL, retiring = false, leased_until = '-infinity'
"""

STATUS = """
    SELECT t.terms_revision, t.building_revision, b.done, b.total
    FROM tenants t LEFT JOIN builds b ON b.tenant = t.id WHERE t.slug = $1
"""

Revision = tuple[int, int]
"""A tenant's number and a revision of its terms."""

CALENDARS = Versions("calendars", Calendar)
POLICIES = Versions("sla_policies", PolicyVersion)

MOST_IN_MEMORY = 500
"""Tenants whose business hours or policies are in memory. Business hours keep the open times of each day that tickets touched."""
MOST_VERSIONS = 1000
"""Versions of all calendars of a tenant."""
MOST_POLICY_VERSIONS = 200
"""Versions of a tenant's SLA policies."""


class TooManyVersions(Exception):
    """The tenant has MOST_VERSIONS versions of calendars, or MOST_POLICY_VERSIONS of policies."""


@dataclass(frozen=True, slots=True)
class TermsInUse:
    """The terms of a tenant's served contributions, and those that a build brings; `generation` counts its finished builds."""

    served: Terms
    building: Terms | None
    generation: int


@dataclass(frozen=True, slots=True)
class Status:
    """The revision of the terms that results are made under.

    `building` is the running build: the revision that it brings, the subjects that are done, and all subjects.
    """

    revision: int
    building: tuple[int, int, int] | None


class Contents(NamedTuple):
    """The part of a revision on which contributions depend: own dimensions, how many versions of the calendars, of the SLA
    policies and of own presets count, and the ids of the presets that are switched on."""

    dimensions: tuple[str, ...] = ()
    calendars: int = 0
    policies: int = 0
    presets: tuple[str, ...] = ()
    own_presets: int = 0


class TermsReader:
    """Reads terms. A revision never changes, so it is read once."""

    def __init__(self) -> None:
        self._contents: dict[Revision, Contents] = {}
        self._hours = CachedVersions(CALENDARS, BusinessHours, MOST_IN_MEMORY)
        self._policies = CachedVersions(POLICIES, Policies, MOST_IN_MEMORY)
        self._own_presets = CachedVersions(OWN_PRESETS, tuple, MOST_IN_MEMORY)

    async def lock(self, connection: asyncpg.Connection, tenants: Collection[int]) -> dict[int, TermsInUse]:
        """The terms of `tenants`, which nobody changes before the transaction ends."""
        rows = await connection.fetch(LOCK_FOR_WRITING, sorted(tenants))
        zones = {(row["id"], row["terms_revision"]): row["zone"] for row in rows}
        zones |= {(row["id"], row["building_revision"]): row["zone"] for row in rows if row["building_revision"]}
        terms = await self.terms(connection, zones)
        return {
            row["id"]: TermsInUse(
                terms[row["id"], row["terms_revision"]],
                terms[row["id"], row["building_revision"]] if row["building_revision"] else None,
                row["generation"],
            )
            for row in rows
        }

    async def terms(self, connection: asyncpg.Connection, zones: Mapping[Revision, str]) -> dict[Revision, Terms]:
        """The terms of each revision, with the zone that its tenant has now."""
        contents = await self.contents(connection, list(zones))
        hours = await self._hours.read(connection, {(tenant, contents[tenant, n].calendars) for tenant, n in zones})
        policies = await self._policies.read(connection, {(tenant, contents[tenant, n].policies) for tenant, n in zones})
        own = await self._own_presets.read(connection, {(tenant, contents[tenant, n].own_presets) for tenant, n in zones})
        return {
            (tenant, n): Terms(
                n,
                zone,
                contents[tenant, n].dimensions,
                hours[tenant, contents[tenant, n].calendars],
                policies[tenant, contents[tenant, n].policies],
                presets_by_id(own[tenant, contents[tenant, n].own_presets], contents[tenant, n].presets),
            )
            for (tenant, n), zone in zones.items()
        }

    async def contents(self, connection: asyncpg.Connection, revisions: Sequence[Revision]) -> dict[Revision, Contents]:
        """The contents of these revisions. A tenant's first revision has none, and no row."""
        if missing := [revision for revision in revisions if revision not in self._contents]:
            rows = await connection.fetch(CONTENTS_OF, [tenant for tenant, _ in missing], [number for _, number in missing])
            self._contents |= dict.fromkeys(missing, Contents())
            self._contents |= {
                (row["tenant"], row["revision"]): Contents(
                    tuple(row["dimensions"]), row["calendars"], row["policies"], tuple(row["presets"]), row["own_presets"]
                )
                for row in rows
            }
        return self._contents


async def read_terms(connection: asyncpg.Connection, tenant: int) -> Terms:
    """The terms that the tenant's answers are made under, in this snapshot."""
    row = await connection.fetchrow("SELECT zone, terms_revision FROM tenants WHERE id = $1", tenant)
    revision = (tenant, row["terms_revision"])
    return (await TermsReader().terms(connection, {revision: row["zone"]}))[revision]


async def read_status(connection: asyncpg.Connection | asyncpg.Pool, slug: str) -> Status:
    """Which terms a tenant has. One that metrics doesn't know has the first revision."""
    row = await connection.fetchrow(STATUS, slug)
    if row is None:
        return Status(1, None)
    building = (row["building_revision"], row["done"], max(row["total"], row["done"])) if row["building_revision"] else None
    return Status(row["terms_revision"], building)


async def declared_dimensions(connection: asyncpg.Connection, slug: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The tenant's own dimensions: those that results have now, and those that they have when the running build is finished."""
    row = await connection.fetchrow("SELECT id, terms_revision, building_revision FROM tenants WHERE slug = $1", slug)
    if row is None:
        return (), ()
    served = (row["id"], row["terms_revision"])
    declared = (row["id"], row["building_revision"] or row["terms_revision"])
    contents = await TermsReader().contents(connection, [served, declared])
    return contents[served].dimensions, contents[declared].dimensions


async def change_zone(connection: asyncpg.Connection, tenant: int, zone: str, now: datetime) -> None:
    """Make a revision with another zone. It is served at once, since no contribution depends on the zone.

    A running build continues, for a further revision that has the new zone too.
    """
    row = await connection.fetchrow(LOCK_FOR_CHANGE, tenant)
    served, building = row["terms_revision"], row["building_revision"]
    revisions = [(tenant, served), *([(tenant, building)] if building else [])]
    contents = await TermsReader().contents(connection, revisions)
    new_served = await add_revision(connection, tenant, zone, contents[tenant, served], now)
    new_building = new_served if building else None
    if building and building != served:
        new_building = await add_revision(connection, tenant, zone, contents[tenant, building], now)
    await connection.execute(
        "UPDATE tenants SET zone = $2, terms_revision = $3, building_revision = $4 WHERE id = $1",
        tenant,
        zone,
        new_served,
        new_building,
    )
    if new_building:
        await connection.execute(
            "UPDATE builds SET revision = $2, leased_until = '-infinity' WHERE tenant = $1", tenant, new_building
        )


async def change_dimensions(connection: asyncpg.Connection, tenant: int, dimensions: Sequence[str], now: datetime) -> None:
    """Make a revision with other dimensions of the tenant's own, and start its build. Equal ones change nothing."""
    await _change(connection, tenant, now, lambda contents: contents._replace(dimensions=tuple(dimensions)))


async def change_calendars(connection: asyncpg.Connection, tenant: int, calendar: Calendar, now: datetime) -> None:
    """Make a revision with a further version of a calendar, and start its build. One that equals the last changes nothing.

    Raises TeamsOverlap if then two calendars would count for one team, TooManyVersions if the tenant has too many.
    """
    await connection.execute(LOCK_FOR_CHANGE, tenant)
    versions = [version for version, _ in await CALENDARS.history(connection, tenant)]
    if next((version for version in reversed(versions) if version.id == calendar.id), None) == calendar:
        return
    if len(versions) >= MOST_VERSIONS:
        raise TooManyVersions
    BusinessHours([*versions, calendar])
    count = await CALENDARS.add(connection, tenant, calendar, now)
    await _change(connection, tenant, now, lambda contents: contents._replace(calendars=count))


async def change_policies(connection: asyncpg.Connection, tenant: int, version: PolicyVersion, now: datetime) -> None:
    """Make a revision with a further version of the SLA policies, and start its build. One that equals the last changes nothing.

    Raises TooManyVersions if the tenant has too many.
    """
    await connection.execute(LOCK_FOR_CHANGE, tenant)
    versions = [version for version, _ in await POLICIES.history(connection, tenant)]
    if versions[-1:] == [version]:
        return
    if len(versions) >= MOST_POLICY_VERSIONS:
        raise TooManyVersions
    count = await POLICIES.add(connection, tenant, version, now)
    await _change(connection, tenant, now, lambda contents: contents._replace(policies=count))


async def change_preset(
    connection: asyncpg.Connection, tenant: int, preset: str, enabled: bool, now: datetime, definition: OwnPreset | None = None
) -> None:
    """Make a revision with the preset switched on or off, and start its build. No change starts none.

    `definition` is a further version of a preset of the tenant's own. One that equals the last changes nothing. Raises
    TooManyPresets.
    """
    row = await connection.fetchrow(LOCK_FOR_CHANGE, tenant)
    latest = (tenant, row["building_revision"] or row["terms_revision"])
    contents = (await TermsReader().contents(connection, [latest]))[latest]
    versions = [version for version, _ in await OWN_PRESETS.history(connection, tenant)]
    if definition is not None and latest_presets(versions).get(preset) == definition.preset:
        definition = None
    presets = tuple(sorted({*contents.presets} - {preset} | ({preset} if enabled else set())))
    check_limits(versions, definition, presets)
    count = len(versions) if definition is None else await OWN_PRESETS.add(connection, tenant, definition, now)
    await _change(connection, tenant, now, lambda contents: contents._replace(presets=presets, own_presets=count))


async def _change(connection: asyncpg.Connection, tenant: int, now: datetime, change: Callable[[Contents], Contents]) -> None:
    total = await connection.fetchval("SELECT count(*) FROM subjects WHERE tenant = $1", tenant)
    row = await connection.fetchrow(LOCK_FOR_CHANGE, tenant)
    latest = (tenant, row["building_revision"] or row["terms_revision"])
    contents = (await TermsReader().contents(connection, [latest]))[latest]
    if (changed := change(contents)) != contents:
        revision = await add_revision(connection, tenant, row["zone"], changed, now)
        await start_build(connection, tenant, revision, total)


async def add_revision(connection: asyncpg.Connection, tenant: int, zone: str, contents: Contents, now: datetime) -> int:
    """Store a further revision of the tenant's terms. Returns its number."""
    return await connection.fetchval(  # type: ignore[no-any-return]
        ADD_REVISION,
        tenant,
        zone,
        list(contents.dimensions),
        contents.calendars,
        contents.policies,
        list(contents.presets),
        contents.own_presets,
        now,
    )


async def start_build(connection: asyncpg.Connection, tenant: int, revision: int, total: int) -> None:
    """Start the build of `revision`, in place of any that is running. The tenant is locked."""
    await connection.execute("UPDATE tenants SET building_revision = $2 WHERE id = $1", tenant, revision)
    await connection.execute(START_BUILD, tenant, revision, CONTRIBUTIONS_VERSION, total)
