"""The receipt of an erasure: for each store the rows that were deleted, and by when the rest is gone."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from services.ingest.domain.left_out import LeftOut
from shared.topics import DLQ_FORGOTTEN_AFTER, EVENTS, SCORES

BODIES_PER_SECOND = 500
"""The search of bodies, by a process that also serves requests; bodies of 1 KB take half of that time."""
SEARCH_BEGINS_AFTER = timedelta(minutes=1)
SEARCHES = 2
"""A tenant has one search at a time. A request that arrives during one waits for it, and for its own."""
MOST_COUNTED = 1_000_000
"""Bodies of a tenant beyond which the time of a search isn't estimated."""

STATEMENTS_PER_SECOND = 500
"""The erasure of further statements in the background, on a busy database."""

PENDING_AT_MOST = timedelta(days=7)
"""How long a delivery may wait for its content from a tool's API; the list of erasures keeps the pseudonyms meanwhile."""
PUBLISHED_WITHIN = timedelta(minutes=1)
"""From the erasure to the last event that a process was about to publish when it was carried out."""
METRICS_PURGED_WITHIN = timedelta(days=2)
"""By when metrics has deleted the customer's rows, and values that only they had (services/metrics/purger.py)."""


@dataclass(frozen=True, slots=True)
class Erased:
    """The result of an erasure's transaction, at `at`: subjects with a tombstone, statements and bodies that it deleted; None: an
    earlier version did not count them.

    `bodies_to_search`: other bodies that may name the customer; None: more than MOST_COUNTED. `pending`: earlier deliveries wait
    for a tool's API. `complete`: no name was left out; `left_out` are those that were, empty in receipts of earlier versions.
    `remaining`: further statements, which are erased in the background; None: more than MOST_COUNTED.
    """

    at: datetime
    subjects: int
    statements: int | None
    bodies: int | None
    bodies_to_search: int | None
    pending: bool
    complete: bool
    left_out: tuple[LeftOut, ...] = ()
    remaining: int | None = 0


@dataclass(frozen=True, slots=True)
class Store:
    """One store. `rows` that were deleted at once; None: not counted. `gone_by`: None: no time is known."""

    name: str
    rows: int | None
    gone_by: datetime | None


def stores_of(erased: Erased) -> Iterator[Store]:
    """Every store that holds, or may hold, data about the customer."""
    at = None if erased.remaining is None else erased.at + timedelta(seconds=erased.remaining / STATEMENTS_PER_SECOND)
    searched = at and _searched(erased, at)
    events = at and at + PUBLISHED_WITHIN + EVENTS.forgotten_after
    scores = events and events + SCORES.forgotten_after
    yield Store("ingest.events", erased.statements, at)
    yield Store("ingest.bodies", erased.bodies, at)
    yield Store("ingest.other_bodies", None, searched)
    yield Store("ingest.erasures", None, searched and searched + (PENDING_AT_MOST if erased.pending else timedelta()))
    yield Store("metrics", None, at and at + METRICS_PURGED_WITHIN)
    yield Store(EVENTS.name, None, events)
    yield Store(EVENTS.dlq, None, events and events + DLQ_FORGOTTEN_AFTER)
    yield Store(SCORES.name, None, scores)
    yield Store(SCORES.dlq, None, scores and scores + DLQ_FORGOTTEN_AFTER)
    yield Store("backups", None, None)


def _searched(erased: Erased, begins: datetime) -> datetime | None:
    """An estimate of when every body is searched. The search begins when all statements are erased."""
    if erased.bodies_to_search is None:
        return None
    seconds = SEARCHES * erased.bodies_to_search / BODIES_PER_SECOND
    return begins + SEARCH_BEGINS_AFTER + timedelta(seconds=seconds)
