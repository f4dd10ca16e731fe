"""The presets of a tenant: those of other systems, and its own, whose definitions are append-only versions."""

from collections.abc import Iterable, Sequence
from datetime import datetime

import asyncpg

from services.metrics.domain.presets import MOST_ENABLED, MOST_OWN, PRESETS, OwnPreset, Preset
from services.metrics.store.selection import Parameters, Scope, conditions
from services.metrics.store.versions import Versions

OWN_PRESETS = Versions("presets", OwnPreset)

MOST_PRESET_VERSIONS = 200
"""Versions of all presets of a tenant's own."""


class TooManyPresets(Exception):
    """The tenant has MOST_OWN presets, MOST_ENABLED of them are switched on, or there are MOST_PRESET_VERSIONS versions."""


def latest_presets(versions: Iterable[OwnPreset]) -> dict[str, Preset]:
    """The presets of these versions by their ids: of several versions of one the last counts."""
    return {version.id: version.preset for version in versions}


def presets_by_id(own: Iterable[OwnPreset], ids: Iterable[str]) -> tuple[Preset, ...]:
    """The presets with these ids, sorted by id. An unknown id, of which an earlier server left out the versions, has none."""
    known = latest_presets(own) | PRESETS
    return tuple(known[identity] for identity in sorted(ids) if identity in known)


def check_limits(own: Sequence[OwnPreset], new: OwnPreset | None, enabled: Sequence[str]) -> None:
    """Raise TooManyPresets if a tenant with the versions `own` can't add `new`, or can't have all of `enabled` switched on."""
    ids = {version.id for version in own}
    if new is not None and new.id not in ids and len(ids) >= MOST_OWN:
        raise TooManyPresets(f"at most {MOST_OWN} presets can be defined; define one of them anew: {', '.join(sorted(ids))}")
    if new is not None and len(own) >= MOST_PRESET_VERSIONS:
        raise TooManyPresets(f"at most {MOST_PRESET_VERSIONS} versions of presets are stored")
    if len(enabled) > MOST_ENABLED:
        raise TooManyPresets(f"at most {MOST_ENABLED} presets can be switched on at once: {', '.join(enabled)}")


async def own_presets(connection: asyncpg.Connection, tenant: int, count: int) -> dict[str, Preset]:
    """The tenant's own presets by their ids, as its first `count` versions define them."""
    return latest_presets((await OWN_PRESETS.read(connection, [(tenant, count)]))[tenant, count])


async def preset_history(connection: asyncpg.Connection, tenant: int) -> list[tuple[OwnPreset, datetime]]:
    """All versions of the tenant's own presets, each with the time at which it was added, in that order."""
    return await OWN_PRESETS.history(connection, tenant)


# --- tickets that differ --------------------------------------------------------------------------------------------------
DIFFERENT = """
    SELECT count(*) AS tickets, count(*) FILTER (WHERE ours IS DISTINCT FROM theirs) AS different
    FROM (
        SELECT
            array_agg(ROW(m.place, c.at, c.bin, c.amount) ORDER BY m.place, c.at, c.bin, c.amount) FILTER (WHERE m.ours) AS ours,
            array_agg(ROW(m.place, c.at, c.bin, c.amount) ORDER BY m.place, c.at, c.bin, c.amount)
                FILTER (WHERE NOT m.ours) AS theirs
        FROM unnest($2::int[], $3::int[], $4::bool[]) AS m (measure, place, ours)
        JOIN contributions c ON c.tenant = $1 AND c.measure = m.measure AND c.at >= $5 AND c.at < $6 {conditions}
        GROUP BY c.subject_id
    ) counted
"""


async def count_different(
    connection: asyncpg.Connection, ours: Scope, theirs: Scope, start: datetime, end: datetime
) -> tuple[int, int]:
    """The tickets that count in [start, end) under one of two definitions of a KPI, and those that count differently.

    `ours` and `theirs` select the measures of the two, in the same order. It reads all of their contributions.
    """
    pairs = zip(ours.selection.measures, theirs.selection.measures, strict=True)
    places = {name: place for place, names in enumerate(pairs) for name in names}
    listed = [
        (number, places[name], is_ours)
        for scope, is_ours in ((ours, True), (theirs, False))
        for number, name in scope.measures.items()
    ]
    parameters = Parameters(
        ours.tenant, [row[0] for row in listed], [row[1] for row in listed], [row[2] for row in listed], start, end
    )
    row = await connection.fetchrow(DIFFERENT.format(conditions=conditions(ours, parameters)), *parameters.values)
    return row["tickets"], row["different"]
