"""The pseudonyms and the subjects of a customer, found in the stored events."""

from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass

from asyncpg import Record

from services.ingest.domain.left_out import LeftOut
from services.ingest.domain.pseudonym import FormerId
from services.ingest.domain.tombstone import SQL_FINGERPRINT
from services.ingest.inbox.links import LinkSearch, as_aliases, providers_of
from services.ingest.inbox.transactions import Connection
from shared.events import Event, decode_event

MOST_NAMES = 1_000
"""Pseudonyms of one person beyond which links are not followed."""

FORMER = """
SELECT DISTINCT split_part(subject, '/', 1), former.bare, former.namespaced, email FROM events
JOIN connections ON connections.id = split_part(subject, '/', 1)
JOIN unnest($2::text[], $3::text[], $4::text[]) AS former (provider, bare, namespaced)
    ON former.provider = connections.provider AND former.bare = events.customer
WHERE events.tenant = $1 AND events.customer = ANY($3::text[]) AND events.aliases IS NULL
"""
IDS = """
SELECT customer FROM events WHERE tenant = $1 AND email = ANY($2::text[]) AND customer IS NOT NULL
UNION SELECT customer FROM events WHERE tenant = $1 AND aliases && $3::text[] AND aliases <> '{}' AND customer IS NOT NULL
"""
OTHER_NAMES = """
SELECT email FROM events WHERE tenant = $1 AND customer = ANY($2::text[]) AND email IS NOT NULL
UNION SELECT ltrim(alias, '@') FROM events CROSS JOIN unnest(aliases) AS alias WHERE tenant = $1 AND customer = ANY($2::text[])
"""

MATCHING = """
SELECT subject, seq, position, event, received_at FROM events WHERE tenant = $1 AND customer = ANY($2::text[])
UNION ALL SELECT subject, seq, position, event, received_at FROM events WHERE tenant = $1 AND email = ANY($3::text[])
UNION ALL SELECT subject, seq, position, event, received_at FROM events
WHERE tenant = $1 AND aliases && $4::text[] AND aliases <> '{}'
UNION ALL SELECT subject, seq, position, event, received_at FROM events
JOIN connections ON connections.id = split_part(subject, '/', 1)
JOIN unnest($5::text[], $6::text[]) AS former (provider, bare)
    ON former.provider = connections.provider AND former.bare = events.customer
WHERE events.tenant = $1 AND events.customer = ANY($6::text[]) AND events.aliases IS NULL
UNION ALL SELECT subject, seq, position, event, received_at FROM events
WHERE tenant = $1 AND customer = ANY($7::text[]) AND (email IS NULL OR email = customer) AND coalesce(aliases, '{}') = '{}'
"""
"""The statements of a person, some of them several times. Of names that many people have ($7), those that state no other name."""

IS_OWN = """(
    events.customer = ANY($2::text[]) OR events.email = ANY($3::text[]) OR events.aliases && $4::text[]
    OR events.aliases IS NULL AND EXISTS (
        SELECT FROM connections JOIN unnest($5::text[], $6::text[]) AS former (provider, bare) USING (provider)
        WHERE connections.id = split_part(events.subject, '/', 1) AND former.bare = events.customer
    )
    OR events.customer = ANY($7::text[]) AND (events.email IS NULL OR events.email = events.customer)
        AND coalesce(events.aliases, '{}') = '{}'
)"""
"""Whether a row of `events` is a statement of the person, by the same parameters; null: it is not."""

SUBJECTS = f"SELECT subject FROM ({MATCHING}) AS matching WHERE seq < $8 LIMIT $9"  # noqa: S608
COUNT = f"""
SELECT count(DISTINCT (seq, position)) FROM (
    SELECT seq, position FROM ({MATCHING}) AS matching WHERE seq < $8 LIMIT $9
) AS counted
"""  # noqa: S608
LATEST = f"""
SELECT latest.event, EXISTS (
    SELECT FROM events tombstone
    WHERE tombstone.tenant = $1 AND tombstone.subject = subjects.subject AND tombstone.fingerprint = {SQL_FINGERPRINT}
) FROM unnest($2::text[]) AS subjects (subject) CROSS JOIN LATERAL (
    SELECT event FROM events WHERE tenant = $1 AND events.subject = subjects.subject
    ORDER BY customer IS NULL, seq DESC, position DESC LIMIT 1
) AS latest ORDER BY subjects.subject
"""  # noqa: S608

Columns = tuple[str, list[str], list[str], list[str], list[str], list[str], list[str]]
"""The parameters $1 to $7 of MATCHING."""
Lock = Callable[[Iterable[str]], Awaitable[None]]
"""Locks pseudonyms, so that no statement about them is stored meanwhile."""


@dataclass(frozen=True, slots=True)
class Target:
    """A customer as a request names them: the pseudonyms, and both forms of those that may be ids of tools. `placeholders` are
    the pseudonyms of ids that stand for nobody."""

    tenant: str
    requested: frozenset[str]
    former: tuple[FormerId, ...] = ()
    placeholders: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Person:
    """A customer with everything that is connected.

    `names` are all pseudonyms. A statement belongs to the person if its customer is one of `names`, or its address one of
    `addresses`. `shared` are names that many people have: if one was requested, those of its statements belong to
    the person that state no other name. `stored` are the pseudonyms that occur in any statement, `known_addresses` those that
    are addresses. `left_out` are the names that were not followed.
    """

    target: Target
    names: frozenset[str]
    addresses: frozenset[str]
    shared: frozenset[str] = frozenset()
    stored: frozenset[str] = frozenset()
    known_addresses: frozenset[str] = frozenset()
    left_out: tuple[LeftOut, ...] = ()

    @property
    def own_names(self) -> frozenset[str]:
        """The pseudonyms that nobody else has."""
        return self.names - self.shared

    @property
    def searched_names(self) -> frozenset[str]:
        """The pseudonyms for which bodies are searched: not ids that many people have, which most bodies may contain."""
        return self.names - (self.shared - self.known_addresses)

    @property
    def _alone(self) -> list[str]:
        """The requested shared names whose statements count if they state no other name. Those of an id do not count if the
        request also names the customer in another way: they may be anybody's."""
        shared = self.names & self.shared
        return sorted(shared if self.target.requested <= self.shared else shared & self.known_addresses)

    @property
    def columns(self) -> Columns:
        """The parameters $1 to $7 of MATCHING."""
        own = self.own_names
        former = [former_id for former_id in self.target.former if former_id.namespaced in own]
        return (
            self.target.tenant,
            sorted(own),
            sorted(self.addresses),
            [*sorted(own), *(f"@{name}" for name in sorted(self.addresses))],
            [former_id.provider for former_id in former],
            [former_id.bare for former_id in former],
            self._alone,
        )


async def no_lock(names: Iterable[str]) -> None:
    """Locks nothing: for reads."""


async def find_customer(db: Connection, target: Target, lock: Lock = no_lock) -> Person:
    """The customer alone: the requested pseudonyms, the ids that were stated with a requested address or alias, and all that
    was stated with any of these ids. Ids that many people have lead to nothing."""
    former = await _former_statements(db, target, lock)
    names = {*target.requested, *(row[2] for row in former), *(row[3] for row in former if row[3])}
    search = await _open_search(db, target, former)
    await lock(names)
    names |= {row[0] for row in await db.fetch(IDS, target.tenant, sorted(target.requested), as_aliases(target.requested))}
    shared = await _shared_ids(db, search, names, lock)
    names |= {row[0] for row in await db.fetch(OTHER_NAMES, target.tenant, sorted(names - shared))}
    shared |= await _shared_ids(db, search, names, lock)
    return Person(
        target,
        names=frozenset(names - (shared - target.requested)),
        addresses=target.requested - shared,
        shared=frozenset(shared),
        known_addresses=frozenset(search.known_addresses),
        left_out=search.left_out(names - shared, target.requested, shared) + _cut(search.is_cut),
    )


async def _shared_ids(db: Connection, search: LinkSearch, names: Iterable[str], lock: Lock) -> set[str]:
    """The ids among these names that many people have. Addresses that are shared are not among them."""
    await lock(names)
    await search.load(db, sorted(names))
    return search.shared - search.known_addresses


async def find_person(db: Connection, target: Target, lock: Lock = no_lock) -> Person:
    """The customer with everything that links reach, but not through names that many people have."""
    former = await _former_statements(db, target, lock)
    search = await _open_search(db, target, former)
    start = target.requested | {row[2] for row in former}
    loaded: set[str] = set()
    while (new := search.person(start) - loaded) and len(loaded) < MOST_NAMES:
        step = sorted(new, key=lambda name: (name not in start, name))[: MOST_NAMES - len(loaded)]
        await lock(step)
        await search.load(db, step)
        loaded.update(step)
    person, shared = search.person(start), search.shared
    return Person(
        target,
        names=frozenset(person & loaded),
        addresses=frozenset(person & loaded - shared),
        shared=frozenset(shared),
        stored=frozenset(search.stored),
        known_addresses=frozenset(search.known_addresses),
        left_out=search.left_out(person & loaded, target.requested, shared) + _cut(search.is_cut or not person <= loaded),
    )


def _cut(is_cut: bool) -> tuple[LeftOut, ...]:
    return (LeftOut("too_many_links"),) if is_cut else ()


async def _open_search(db: Connection, target: Target, former: Sequence[Record]) -> LinkSearch:
    """A search that knows the statements of earlier versions."""
    providers = await providers_of(db, target.tenant)
    search = LinkSearch(target.tenant, providers, target.former, target.placeholders)
    for connection, _, namespaced, email in former:
        search.add_naming(connection, namespaced, email, (), former=True)
    return search


async def next_subjects(db: Connection, columns: Columns, before: int, limit: int) -> tuple[list[str], bool]:
    """Subjects that belong to a person by statements with sequence numbers below `before`, and whether these are all: those of
    `limit` statements. `columns` are those of the person."""
    rows = await db.fetch(SUBJECTS, *columns, before, limit)
    return sorted({row[0] for row in rows}), len(rows) < limit


async def count_statements(db: Connection, columns: Columns, before: int, most: int) -> int:
    """The number of a person's statements with sequence numbers below `before`, at most `most`."""
    return int(await db.fetchval(COUNT, *columns, before, most))


async def unerased_events(db: Connection, tenant: str, subjects: Sequence[str]) -> list[Event]:
    """One event of each of these subjects that has no tombstone."""
    return [decode_event(event) for event, is_erased in await db.fetch(LATEST, tenant, subjects) if not is_erased]


async def _former_statements(db: Connection, target: Target, lock: Lock) -> Sequence[Record]:
    """(connection, bare, namespaced, address) of statements of earlier versions."""
    await lock(
        {
            *target.requested,
            *(former_id.bare for former_id in target.former),
            *(former_id.namespaced for former_id in target.former),
        }
    )
    if not target.former:
        return []
    columns = zip(*((former_id.provider, former_id.bare, former_id.namespaced) for former_id in target.former), strict=True)
    rows: Sequence[Record] = await db.fetch(FORMER, target.tenant, *map(list, columns))
    return rows
