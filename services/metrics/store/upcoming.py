"""Open tickets without the reply that an SLA policy asks for, by their deadlines: a range of the contributions `sla_due`."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

import asyncpg
import msgspec

from services.metrics.domain.measures import SLA_DUE
from services.metrics.domain.sla import PolicyKey
from services.metrics.store.cursors import Cursor
from services.metrics.store.records import dims_of, name_joins
from services.metrics.store.selection import Parameters, Scope, conditions
from services.metrics.store.terms import POLICIES


class Place(Cursor, frozen=True, array_like=True):
    """Where a page ended: the deadline and the subject of its last row."""

    deadline: Annotated[datetime, msgspec.Meta(tz=True)]
    subject_id: Annotated[int, msgspec.Meta(ge=0, le=2**62)]


@dataclass(frozen=True, slots=True)
class DueTicket:
    """An open ticket without a reply. `policy` is the id of the policy that applies to it."""

    subject: str
    deadline: datetime
    policy: str
    dims: Mapping[str, str | None]


DUE = """
    SELECT f.at, f.subject_id, f.bin, s.subject, {names}
    FROM (
        SELECT c.* FROM contributions c
        WHERE c.tenant = $1 AND c.measure = $2 AND c.at >= $3 AND c.at <= $4
          AND ($5::timestamptz IS NULL OR (c.at, c.subject_id) > ($5, $6::bigint)) {conditions}
        ORDER BY c.at, c.subject_id LIMIT $7
    ) f JOIN subjects s ON s.id = f.subject_id {joins}
    ORDER BY f.at, f.subject_id
"""


async def due_tickets(
    connection: asyncpg.Connection, scope: Scope | None, first: datetime, last: datetime, limit: int, after: Place | None
) -> tuple[list[DueTicket], Place | None]:
    """Up to `limit` tickets with a deadline in [first, last], earliest first, and where the next page begins, None at the end.

    `scope` selects the measure SLA_DUE; None: the tenant is unknown, and has none.
    """
    measure = next((number for number, name in scope.measures.items() if name == SLA_DUE.family), None) if scope else None
    if scope is None or measure is None:
        return [], None
    start = max(first, after.deadline) if after else first
    where = (after.deadline, after.subject_id) if after else (None, None)
    parameters = Parameters(scope.tenant, measure, start, last, *where, limit + 1)
    names, joins = name_joins(scope)
    query = DUE.format(conditions=conditions(scope, parameters), names=names, joins=joins)
    rows = await connection.fetch(query, *parameters.values)
    page = rows[:limit]
    policies = await policy_ids(connection, scope.tenant, [row["bin"] for row in page])
    tickets = [DueTicket(row["subject"], row["at"], policies[row["bin"]], dims_of(row, scope)) for row in page]
    return tickets, Place(page[-1]["at"], page[-1]["subject_id"]) if len(rows) > limit else None


async def policy_ids(connection: asyncpg.Connection, tenant: int, numbers: Sequence[int]) -> dict[int, str]:
    """The ids of the tenant's policies with these numbers (`PolicyKey.number`)."""
    keys = {number: PolicyKey.of_number(number) for number in numbers}
    versions = await POLICIES.read_some(connection, tenant, {key.version for key in keys.values()})
    return {number: versions[key.version].policies[key.place].id for number, key in keys.items()}
