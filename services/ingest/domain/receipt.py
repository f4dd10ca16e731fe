"""The receipt of an erasure: for each store the rows that were deleted, and by when the rest is gone."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from shared.topics import DLQ_FORGOTTEN_AFTER, EVENTS, SCORES

BODIES_PER_SECOND = 500
"""The search of bodies, by a process that also serves requests; bodies of 1 KB take half of that time."""
SEARCH_BEGINS_AFTER = timedelta(minutes=1)
SEARCHES = 2
"""A tenant has one search at a time. A request that arrives during one waits for it, and for its own."""
MOST_COUNTED = 1_000_000
"""Bodies of a tenant beyond which the time of a search isn't estimated."""

PENDING_AT_MOST = timedelta(days=7)
"""How long a delivery may wait for its content from a tool's API; the list of erasures keeps the pseudonyms meanwhile."""
PUBLISHED_WITHIN = timedelta(minutes=1)
"""From the erasure to the last event that a process was about to publish when it was carried out."""
METRICS_PURGED_WITHIN = timedelta(days=2)
"""By when metrics has deleted the customer's rows, and values that only they had (services/metrics/purger.py)."""


@dataclass(frozen=True, slots=True)
class Erased:
    """The result of an erasure's transaction, at `at`: subjects with a tombstone, statements and bodies that it deleted.

    `bodies_to_search`: other bodies that may name the customer; None: more than MOST_COUNTED. `pending`: earlier deliveries wait
    for a tool's API. `complete`: no link was left out.
    """

    at: datetime
    subjects: int
    statements: int
    bodies: int
    bodies_to_search: int | None
    pending: bool
    complete: bool


@dataclass(frozen=True, slots=True)
class Store:
    """One store. `rows` that were deleted at once; None: not counted. `gone_by`: None: no time is known."""

    name: str
    rows: int | None
    gone_by: datetime | None


def stores_of(erased: Erased) -> Iterator[Store]:
    """Every store that holds, or may hold, data about the customer."""
    at, published = erased.at, erased.at + PUBLISHED_WITHIN
    events, scores = published + EVENTS.forgotten_after, published + EVENTS.forgotten_after + SCORES.forgotten_after
    searched = _searched(erased)
    yield Store("ingest.events", erased.statements, at)
    yield Store("ingest.bodies", erased.bodies, at)
    yield Store("ingest.other_bodies", None, searched)
    yield Store("ingest.erasures", None, searched and searched + (PENDING_AT_MOST if erased.pending else timedelta()))
    yield Store("metrics", None, at + METRICS_PURGED_WITHIN)
    yield Store(EVENTS.name, None, events)
    yield Store(EVENTS.dlq, None, events + DLQ_FORGOTTEN_AFTER)
    yield Store(SCORES.name, None, scores)
    yield Store(SCORES.dlq, None, scores + DLQ_FORGOTTEN_AFTER)
    yield Store("backups", None, None)


def _searched(erased: Erased) -> datetime | None:
    """An estimate of when every body is searched."""
    if erased.bodies_to_search is None:
        return None
    seconds = SEARCHES * erased.bodies_to_search / BODIES_PER_SECOND
    return erased.at + SEARCH_BEGINS_AFTER + timedelta(seconds=seconds)
