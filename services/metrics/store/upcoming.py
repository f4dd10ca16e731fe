"""Open tickets with an SLA target that is not met, by their deadlines: a range of contributions for each kind of target."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

import asyncpg
import msgspec

from services.metrics.domain.sla import PolicyKey
from services.metrics.domain.sla_rows import DUE as DUE_MEASURES
from services.metrics.domain.sla_targets import METRICS, Metric
from services.metrics.store.cursors import Cursor
from services.metrics.store.query_building import select_groups
from services.metrics.store.records import dims_of, name_joins
from services.metrics.store.run_cache import Group
from services.metrics.store.selection import NO_ID, Parameters, Scope, conditions
from services.metrics.store.terms import POLICIES


class UpcomingCursor(Cursor, frozen=True, array_like=True):
    """Where a page ended: the deadline, the subject and the metric of its last row.

    Cursors of earlier versions have no metric: their pages held first replies alone.
    """

    deadline: Annotated[datetime, msgspec.Meta(tz=True)]
    subject_id: Annotated[int, msgspec.Meta(ge=0, le=2**62)]
    metric: Metric = METRICS[0]


@dataclass(frozen=True, slots=True)
class DueTicket:
    """An open ticket and a target that it has not met. `policy` is the id of the policy that applies to it."""

    subject: str
    metric: Metric
    deadline: datetime
    policy: str
    dims: Mapping[str, str | None]


DUE = """
    SELECT f.at, f.subject_id, f.bin, f.place, s.subject, {names}
    FROM (
        SELECT c.*, m.place FROM unnest($2::int[]) WITH ORDINALITY AS m (measure, place) CROSS JOIN LATERAL (
            SELECT c.* FROM contributions c
            WHERE c.tenant = $1 AND c.measure = m.measure AND c.at >= $3 AND c.at <= $4
              AND ($5::timestamptz IS NULL OR (c.at, c.subject_id, m.place) > ($5, $6::bigint, $7::bigint)) {conditions}
            ORDER BY c.at, c.subject_id LIMIT $8
        ) c ORDER BY c.at, c.subject_id, m.place LIMIT $8
    ) f JOIN subjects s ON s.id = f.subject_id {joins}
    ORDER BY f.at, f.subject_id, f.place
"""


async def due_tickets(
    connection: asyncpg.Connection,
    scope: Scope | None,
    metrics: Sequence[Metric],
    first: datetime,
    last: datetime,
    limit: int,
    after: UpcomingCursor | None,
) -> tuple[list[DueTicket], UpcomingCursor | None]:
    """Up to `limit` targets with a deadline in [first, last], earliest first, and where the next page begins, None at the end.

    `scope` selects the measures of `metrics`; None: the tenant is unknown, and has none.
    """
    if scope is None:
        return [], None
    numbers = {name: number for number, name in scope.measures.items()}
    measures = [numbers.get(DUE_MEASURES[metric], NO_ID) if metric in metrics else NO_ID for metric in METRICS]
    start = max(first, after.deadline) if after else first
    where = (after.deadline, after.subject_id, 1 + METRICS.index(after.metric)) if after else (None, None, None)
    parameters = Parameters(scope.tenant, measures, start, last, *where, limit + 1)
    names, joins = name_joins(scope)
    query = DUE.format(conditions=conditions(scope, parameters), names=names, joins=joins)
    rows = await connection.fetch(query, *parameters.values)
    page = rows[:limit]
    policies = await policy_ids(connection, scope.tenant, [row["bin"] for row in page])
    tickets = [
        DueTicket(row["subject"], METRICS[row["place"] - 1], row["at"], policies[row["bin"]], dims_of(row, scope)) for row in page
    ]
    following = UpcomingCursor(page[-1]["at"], page[-1]["subject_id"], tickets[-1].metric) if len(rows) > limit else None
    return tickets, following


NEXT_DUE = """
    SELECT one.term AS first, two.term AS second, min(d.at) AS at
    FROM unnest($2::int[]) AS m (measure) CROSS JOIN LATERAL (
        SELECT {selected} FROM contributions c
        WHERE c.tenant = $1 AND c.measure = m.measure AND c.at >= $3 {conditions} {end}
    ) d LEFT JOIN terms one ON one.id = d.first LEFT JOIN terms two ON two.id = d.second
    GROUP BY 1, 2
"""
"""Without groups it reads of each measure one contribution, after those that the filters leave out; else all from $3 on."""


async def next_deadlines(connection: asyncpg.Connection, scope: Scope | None, first: datetime) -> dict[Group, datetime]:
    """By group, the earliest deadline from `first` on of an open ticket with a target that is not met; groups without any are
    left out.

    `scope` selects the measures of DUE_MEASURES, and groups by dimensions with one value; None: the tenant is unknown.
    """
    if scope is None:
        return {}
    selection = scope.selection
    parameters = Parameters(scope.tenant, list(scope.measures), first)
    group = select_groups([selection.column(dimension) for dimension in selection.group_by])
    selected, end = f"{group}, c.at", "ORDER BY c.at LIMIT 1"
    if selection.group_by:
        selected, end = f"{group}, min(c.at) AS at", "GROUP BY 1, 2"
    query = NEXT_DUE.format(selected=selected, conditions=conditions(scope, parameters), end=end)
    rows = await connection.fetch(query, *parameters.values)
    return {(row["first"], row["second"])[: len(selection.group_by)]: row["at"] for row in rows}


async def policy_ids(connection: asyncpg.Connection, tenant: int, numbers: Sequence[int]) -> dict[int, str]:
    """The ids of the tenant's policies with these numbers (`PolicyKey.number`)."""
    keys = {number: PolicyKey.of_number(number) for number in numbers}
    versions = await POLICIES.read_some(connection, tenant, {key.version for key in keys.values()})
    return {number: versions[key.version].policies[key.place].id for number, key in keys.items()}
