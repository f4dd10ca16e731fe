"""The next breach beside the number of open tickets past an SLA deadline: the earliest deadline that is still ahead."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

import asyncpg

from services.metrics.domain.query import Query
from services.metrics.domain.sla_rows import DUE
from services.metrics.domain.windows import Bucket
from services.metrics.evaluation.selections import selection_of
from services.metrics.store.promotions import CurrentTenant
from services.metrics.store.run_cache import Group
from services.metrics.store.selection import resolve
from services.metrics.store.upcoming import next_deadlines

FIELD = "next_breach"


@dataclass(frozen=True, slots=True)
class NextBreaches:
    """By group, the earliest deadline of an open ticket that has not passed at `now`; groups without one are left out."""

    now: datetime
    deadlines: Mapping[Group, datetime]

    def of(self, bucket: Bucket, group: Group) -> datetime | None:
        """The next breach of a row; None if nothing is due, and for a bucket that ends before the present, whose deadlines are
        not stored once they are met."""
        return self.deadlines.get(group) if bucket.end >= self.now else None


async def read_next_breaches(
    connection: asyncpg.Connection, query: Query, current: CurrentTenant, now: datetime, fields: Sequence[str] | None
) -> NextBreaches | None:
    """The next breaches of the groups of a query; None if its KPI has none, or `fields` leave them out.

    Under a preset with targets of its own there is none: only deadlines of our targets are stored.
    """
    if not query.kpi.has_next_breach or (fields is not None and FIELD not in fields):
        return None
    if any(measure.preset for measure in query.kpi.measures):
        return NextBreaches(now, {})
    selection = replace(selection_of(query, current), measures=tuple(DUE.values()))
    scope = await resolve(connection, current.slug, selection)
    return NextBreaches(now, await next_deadlines(connection, scope, now))
