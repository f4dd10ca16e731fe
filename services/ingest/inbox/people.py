"""The pseudonyms and the subjects of a customer, found in the stored events."""

from collections.abc import Awaitable, Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from asyncpg import Record

from services.ingest.domain.identity import MAX_IDS_OF_AN_ADDRESS, Link, person_of, shared_addresses
from services.ingest.domain.pseudonym import FormerId
from services.ingest.domain.tombstone import SQL_FINGERPRINT
from services.ingest.inbox.transactions import Connection

MOST_NAMES = 1_000
"""Pseudonyms of one person beyond which links are not followed."""

PROVIDERS = "SELECT id, provider FROM connections WHERE tenant = $1"

MOST_LINKS = 10_000
"""Different statements of links that one step loads. Further ones are not followed."""

LINKS = """
(
    SELECT DISTINCT split_part(subject, '/', 1) AS connection, customer, email, aliases FROM events
    WHERE tenant = $1 AND customer = ANY($2::text[]) LIMIT $5
)
UNION
(
    SELECT DISTINCT split_part(subject, '/', 1), customer, email, aliases FROM events
    WHERE tenant = $1 AND aliases && $3::text[] AND aliases <> '{}' LIMIT $5
)
UNION
SELECT connection, customer, email, aliases FROM (
    SELECT *, dense_rank() OVER (PARTITION BY email, connection, aliases IS NULL ORDER BY customer) AS place FROM (
        SELECT DISTINCT split_part(subject, '/', 1) AS connection, customer, email, aliases FROM events
        WHERE tenant = $1 AND email = ANY($2::text[]) AND customer <> email
    ) AS pairs
) AS ranked WHERE place <= $4
"""
"""The statements that link these pseudonyms. Of an address only as many ids of a connection as show that it is shared."""

KNOWN_SHARED = "SELECT address FROM shared_mailboxes WHERE tenant = $1 AND address = ANY($2::text[])"
"""Mailboxes that were shared when some of their customers were erased."""
ADDRESSES = """
SELECT email FROM events WHERE tenant = $1 AND subject = ANY($2::text[]) AND email IS NOT NULL AND customer <> email
UNION SELECT ltrim(alias, '@') FROM events CROSS JOIN unnest(aliases) AS alias
WHERE tenant = $1 AND subject = ANY($2::text[]) AND alias LIKE '@%'
"""
REMEMBER_SHARED = """
INSERT INTO shared_mailboxes (tenant, address) SELECT $1, address FROM unnest($2::text[]) AS address ON CONFLICT DO NOTHING
"""

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
"""
"""The statements of a person; one may be there several times."""

SUBJECTS = f"""
SELECT DISTINCT ON (subject) subject, event, EXISTS (
    SELECT FROM events tombstone
    WHERE tombstone.tenant = $1 AND tombstone.subject = matching.subject AND tombstone.fingerprint = {SQL_FINGERPRINT}
) FROM ({MATCHING}) AS matching ORDER BY subject, seq DESC
"""  # noqa: S608

Lock = Callable[[Iterable[str]], Awaitable[None]]
"""Locks pseudonyms, so that no statement about them is stored meanwhile."""


@dataclass(frozen=True, slots=True)
class Target:
    """A customer as a request names them: the pseudonyms, and both forms of those that may be ids of tools."""

    tenant: str
    requested: frozenset[str]
    former: tuple[FormerId, ...] = ()


@dataclass(frozen=True, slots=True)
class Person:
    """A customer with everything that is connected.

    `names` are all pseudonyms. A statement belongs to the person if its customer is one of `names`, or its address one of
    `addresses`. `shared` are shared mailboxes that statements of the person state, `stored` the pseudonyms that occur in any
    statement, `known_addresses` those that are addresses. `complete`: no link was left out.
    """

    target: Target
    names: frozenset[str]
    addresses: frozenset[str]
    shared: frozenset[str] = frozenset()
    stored: frozenset[str] = frozenset()
    known_addresses: frozenset[str] = frozenset()
    complete: bool = True

    @property
    def columns(self) -> tuple[str, list[str], list[str], list[str], list[str], list[str]]:
        """The parameters $1 to $6 of MATCHING."""
        former = [one for one in self.target.former if one.namespaced in self.names]
        aliases = [*self.names, *(f"@{name}" for name in self.addresses)]
        return (
            self.target.tenant,
            sorted(self.names),
            sorted(self.addresses),
            aliases,
            [one.provider for one in former],
            [one.bare for one in former],
        )


async def no_lock(names: Iterable[str]) -> None:
    """For reads."""


async def find_customer(db: Connection, target: Target, lock: Lock = no_lock) -> Person:
    """The customer alone: the requested pseudonyms, the ids that were stated with a requested address or alias, and all that
    was stated with any of these ids."""
    former = await _former_statements(db, target, lock)
    names = {*target.requested, *(row[2] for row in former), *(row[3] for row in former if row[3])}
    await lock(names)
    names |= {row[0] for row in await db.fetch(IDS, target.tenant, sorted(target.requested), _as_aliases(target.requested))}
    await lock(names)
    names |= {row[0] for row in await db.fetch(OTHER_NAMES, target.tenant, sorted(names))}
    await lock(names)
    return Person(target, frozenset(names), target.requested)


async def find_person(db: Connection, target: Target, lock: Lock = no_lock) -> Person:
    """The customer with everything that links reach, but not through shared mailboxes."""
    former = await _former_statements(db, target, lock)
    search = _Search(target, {row[0]: row[1] for row in await db.fetch(PROVIDERS, target.tenant)})
    search.start |= {row[2] for row in former}
    search.stored |= {row[2] for row in former}
    search.links |= {Link(row[0], row[2], row[3], of_address=True, former=True) for row in former if row[3]}
    loaded: set[str] = set()
    while (new := search.person - loaded) and len(loaded) < MOST_NAMES:
        step = sorted(new, key=lambda name: (name not in search.start, name))[: MOST_NAMES - len(loaded)]
        await lock(step)
        await search.load(db, step)
        loaded.update(step)
    person, shared = search.person, search.shared
    return Person(
        target,
        names=frozenset(person & loaded),
        addresses=frozenset(person & loaded - shared),
        shared=frozenset(shared),
        stored=frozenset(search.stored),
        known_addresses=frozenset(search.known_addresses),
        complete=person <= loaded and not search.is_cut,
    )


async def remember_shared_mailboxes(db: Connection, tenant: str, subjects: Sequence[str]) -> None:
    """Store which addresses in the statements about these subjects are shared mailboxes, before the statements are deleted.

    Otherwise a mailbox of six customers would connect the other five as soon as one of them is erased.
    """
    addresses = [row[0] for row in await db.fetch(ADDRESSES, tenant, subjects)]
    if addresses:
        search = _Search(Target(tenant, frozenset()), {})
        await search.load(db, addresses)
        await db.execute(REMEMBER_SHARED, tenant, sorted(search.shared.intersection(addresses)))


async def find_subjects(db: Connection, person: Person) -> Sequence[Record]:
    """(subject, one of its events, whether it is erased) for every subject that ever belonged to the person."""
    rows: Sequence[Record] = await db.fetch(SUBJECTS, *person.columns)
    return rows


async def _former_statements(db: Connection, target: Target, lock: Lock) -> Sequence[Record]:
    """(connection, bare, namespaced, address) of statements of earlier versions."""
    await lock({*target.requested, *(one.bare for one in target.former), *(one.namespaced for one in target.former)})
    if not target.former:
        return []
    columns = zip(*((one.provider, one.bare, one.namespaced) for one in target.former), strict=True)
    rows: Sequence[Record] = await db.fetch(FORMER, target.tenant, *map(list, columns))
    return rows


def _as_aliases(names: Collection[str]) -> list[str]:
    """The elements that `events.aliases` may have for these pseudonyms."""
    return [*names, *(f"@{name}" for name in names)]


@dataclass(slots=True)
class _Search:
    """The links that are loaded so far. `providers` are those of the connections."""

    target: Target
    providers: Mapping[str, str]
    start: set[str] = field(default_factory=set)
    links: set[Link] = field(default_factory=set)
    stored: set[str] = field(default_factory=set)
    known_addresses: set[str] = field(default_factory=set)
    known_shared: set[str] = field(default_factory=set)
    is_cut: bool = False

    def __post_init__(self) -> None:
        self.start |= self.target.requested

    @property
    def person(self) -> set[str]:
        return person_of(self.links, self.start, self.known_shared)

    @property
    def shared(self) -> set[str]:
        return shared_addresses(self.links) | self.known_shared

    async def load(self, db: Connection, names: Sequence[str]) -> None:
        """Add the links of the statements that these pseudonyms are in.

        Mailboxes that are known to be shared are loaded afterwards, so that an erasure that ends meanwhile is seen in either.
        """
        tenant = self.target.tenant
        rows = await db.fetch(LINKS, tenant, names, _as_aliases(names), MAX_IDS_OF_AN_ADDRESS + 1, MOST_LINKS)
        self.is_cut |= len(rows) >= MOST_LINKS
        self.add(rows)
        self.known_shared |= {row[0] for row in await db.fetch(KNOWN_SHARED, tenant, sorted(self.known_addresses))}

    def add(self, rows: Iterable[Record]) -> None:
        """Add the links of statements: rows of LINKS."""
        namespaced = {(one.provider, one.bare): one.namespaced for one in self.target.former}
        for connection, customer, email, aliases in rows:
            former = aliases is None
            name = namespaced.get((self.providers.get(connection, ""), customer), customer) if former else customer
            self.links.update(self._links(connection, name, email, aliases or (), former=former))

    def _links(
        self, connection: str, customer: str, email: str | None, aliases: Sequence[str], *, former: bool
    ) -> Iterator[Link]:
        addresses = {alias[1:] for alias in aliases if alias.startswith("@")} | ({email} if email else set())
        ids = {alias for alias in aliases if not alias.startswith("@")}
        self.known_addresses |= addresses
        self.stored |= {customer, *addresses, *ids}
        is_address = customer == email
        for address in addresses - {customer}:
            yield Link(connection, customer, address, of_address=not is_address, former=former)
        for identity in ids:
            yield Link(connection, identity, customer, of_address=is_address, former=former)
