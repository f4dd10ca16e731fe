"""Queries that no stored counts answer: why, and the limits of the contributions that they read.

They run on connections of their own, so that they never delay a query of stored counts.
"""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from zoneinfo import ZoneInfo

import asyncpg

from services.metrics.domain.calendar import CLOCK
from services.metrics.domain.cuboids import CUBOIDS, smallest_cuboid
from services.metrics.domain.query import Query
from services.metrics.evaluation.periods import Period, periods
from services.metrics.store.query import histograms
from services.metrics.store.seals import HOURS_SEALED
from services.metrics.store.selection import Scope, Selection
from shared.problems import TooLarge, Unavailable

MOST_SCANNED = 5_000_000
"""Contributions that one query may read one by one: some ten seconds of work."""
SCAN_SECONDS = 15.0
"""How long one statement of such a query may take; the database cancels it then."""
SHORTER = "use a shorter window"


class TooSlow(Unavailable):
    """The query took too long."""

    title = "Too slow"


class TooManyContributions(TooLarge):
    """The query would read more than MOST_SCANNED contributions one by one."""

    title = "Too many contributions"


def depends_on_zone(query: Query) -> bool:
    """Whether `reason_to_scan` needs the tenant's zone."""
    return query.grain is not None and (query.grain in CLOCK or query.zone is not None)


def reason_to_scan(query: Query, zone: ZoneInfo | None, now: datetime) -> str | None:
    """Why contributions must be read one by one for most of the window, and the remedy; None if stored counts answer.

    `zone` is the tenant's, in which spans are sealed; None unless `depends_on_zone`. Raises BadQuery if the window is empty.
    """
    if query.per_respondent:
        return f"per=respondent compares all answers of each customer: {SHORTER}"
    if smallest_cuboid(query.group_by, query.filters) is None:
        return f"{_combination(query)} has no stored counts: {SHORTER}, or one of {_stored()}"
    if zone is None or all(period.window.start >= now - HOURS_SEALED for period in periods(query, zone, now)):
        return None
    if query.grain in CLOCK:
        return f"grain={query.grain} has no stored counts before the last {HOURS_SEALED.days} days: {SHORTER}, or grain=P1D"
    if query.zone is not None and query.zone.key != zone.key:
        return f"days in {query.zone.key} have no stored counts, those in {zone.key} have: {SHORTER}, or leave tz out"
    return None


def _combination(query: Query) -> str:
    """The groups and filters of a query in words."""
    group_by = [f"group_by={','.join(query.group_by)}"] if query.group_by else []
    return " with ".join((*group_by, *(f"filter[{f.dimension}]" for f in query.filters)))


def _stored() -> str:
    """The pairs of dimensions that have stored counts, in words."""
    return ", ".join(" and ".join(cuboid.dimensions) for cuboid in CUBOIDS if len(cuboid.dimensions) == 2)


async def check_scan(
    connection: asyncpg.Connection, scope: Scope, query: Query, spans: Sequence[Period], now: datetime, reason: str
) -> None:
    """Raise TooManyContributions if the query would read more than MOST_SCANNED contributions."""
    scanned = await number_of_contributions(connection, scope, query, spans, now)
    if scanned > MOST_SCANNED:
        raise TooManyContributions(
            f"{scanned:,} contributions are too many to read one by one, {MOST_SCANNED:,} are allowed; {reason}"
        )


async def number_of_contributions(
    connection: asyncpg.Connection, scope: Scope, query: Query, spans: Sequence[Period], now: datetime
) -> int:
    """How many contributions the measures of a query have in its windows, whatever its filters.

    It comes from stored counts of the total, which takes some milliseconds.
    """
    total = Scope(scope.tenant, Selection(scope.selection.measures), scope.measures, {})
    number = 0
    for period in spans:
        edges = period.instants(now) if query.kpi.instant else period.edges(now)
        if edges:
            cells = await histograms(connection, total, [edges[0], edges[-1]])
            number += sum(histogram.n for measured in cells.values() for histogram in measured.values())
    return number


@asynccontextmanager
async def limit_statement_time(connection: asyncpg.Connection, reason: str | None) -> AsyncIterator[None]:
    """Let each statement of this transaction take SCAN_SECONDS if there is a `reason` to scan.

    Raises TooSlow with the reason if one takes longer.
    """
    if reason is not None:
        await connection.execute(f"SET LOCAL statement_timeout = {SCAN_SECONDS * 1000:.0f}")
    try:
        yield
    except asyncpg.QueryCanceledError as error:
        raise TooSlow(f"no result within {SCAN_SECONDS:g} s; {reason}", retry_after=10) from error
