"""The subjects that a KPI may depend on in a window, whether they contribute to it or not."""

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import datetime

import asyncpg

from services.metrics.domain.changes import KIND_OF_TYPE
from services.metrics.domain.contributions import CONTRIBUTIONS_VERSION
from services.metrics.domain.kpi import Kpi
from services.metrics.domain.measure import MULTI_VALUED, family_of
from services.metrics.domain.measures import MEASURES
from services.metrics.domain.ticket_measures import DROPPED
from services.metrics.store.selection import Parameters, Scope, conditions
from services.metrics.store.subjects import Subject

SERVED_MEASURES = "SELECT id, name FROM measures WHERE tenant = $1 AND NOT retired"

POPULATION = """
    SELECT s.id, s.subject FROM (
        SELECT c.subject_id FROM contributions c
        WHERE c.tenant = $1 AND c.measure = ANY($2::int[]) AND c.at >= $4 AND c.at < $5 {conditions}
        UNION
        SELECT c.subject_id FROM contributions c
        WHERE c.tenant = $1 AND c.measure = ANY($3::int[]) AND c.at >= $4 {conditions}
        {before}
    ) member JOIN subjects s ON s.id = member.subject_id
    WHERE split_part(s.subject, '/', 2) = ANY($6::text[])
    ORDER BY s.id LIMIT $7
"""

LEVEL_BEFORE = """
        UNION
        SELECT c.subject_id FROM contributions c
        WHERE c.tenant = $1 AND c.measure = ANY({measures}::int[]) AND c.at < $4 {conditions}
        GROUP BY c.subject_id HAVING sum(c.amount) <> 0
"""


@dataclass(frozen=True, slots=True)
class Population:
    """The subjects, up to the limit that was asked for. `complete`: there are no others."""

    subjects: list[Subject]
    complete: bool


async def read_population(
    connection: asyncpg.Connection, scope: Scope, kpi: Kpi, start: datetime, end: datetime, limit: int
) -> Population:
    """The subjects with a contribution in [start, end) to a related measure, as the filters select it.

    Among them are tickets that were dropped later, which have no other contribution, and, for a KPI with a value at an instant,
    the subjects that it counts at the start. Filters on themes and urgency are left to the caller: most contributions have
    neither.
    """
    measures = await related_measures(connection, scope, kpi)
    related = [number for number, name in measures.items() if is_related(name, kpi) or name in scope.measures.values()]
    dropped = [number for number, name in measures.items() if name == DROPPED.family]
    filters = tuple(f for f in scope.selection.filters if f.dimension not in MULTI_VALUED)
    scope = replace(scope, selection=replace(scope.selection, filters=filters))
    types = [name for name, kind in KIND_OF_TYPE.items() if kind in kpi.changed_by]
    parameters = Parameters(scope.tenant, related, dropped, start, end, types, limit + 1)
    where = conditions(scope, parameters)
    before = LEVEL_BEFORE.format(measures=parameters.add(list(scope.measures)), conditions=where) if kpi.instant else ""
    rows = await connection.fetch(POPULATION.format(conditions=where, before=before), *parameters.values)
    subjects = [Subject(row["id"], scope.tenant, row["subject"], fresh=False) for row in rows[:limit]]
    return Population(subjects, complete=len(rows) <= limit)


async def related_measures(connection: asyncpg.Connection, scope: Scope, kpi: Kpi) -> dict[int, str]:
    """The measures whose contributions `read_population` reads, by their numbers."""
    measures = await served_measures(connection, scope.tenant)
    own = {*scope.measures.values(), DROPPED.family}
    return {number: name for number, name in measures.items() if is_related(name, kpi) or name in own}


async def served_measures(connection: asyncpg.Connection, tenant: int) -> dict[int, str]:
    """The names of the measures that results are computed from, by their numbers."""
    return {row["id"]: row["name"] for row in await connection.fetch(SERVED_MEASURES, tenant)}


def is_related(name: str, kpi: Kpi) -> bool:
    """Whether subjects with rows of the measure `name` are of a type that the KPI counts. Scores add no further subject."""
    measure = MEASURES.get(family_of(name))
    return measure is not None and not measure.by_model and not kinds_of_subjects(kpi.changed_by).isdisjoint(measure.changed_by)


def kinds_of_subjects(kinds: Collection[str]) -> frozenset[str]:
    """The kinds that are types of subjects."""
    return frozenset(kinds).intersection(KIND_OF_TYPE.values())


async def is_outdated(connection: asyncpg.Connection, tenant: int) -> bool:
    """Whether an earlier version of the definitions made the tenant's contributions, so that a build will replace them."""
    version = await connection.fetchval("SELECT contributions_version FROM tenants WHERE id = $1", tenant)
    return bool(version < CONTRIBUTIONS_VERSION)
