"""Loads the statements that link pseudonyms, step by step, and says whom they connect."""

from collections.abc import Collection, Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, field

from asyncpg import Record

from services.ingest.domain.identity import MOST_NAMINGS, Naming, person_of, shared_names
from services.ingest.domain.left_out import LeftOut
from services.ingest.domain.pseudonym import FormerId
from services.ingest.inbox.transactions import Connection

MOST_LINKS = 10_000
"""Different statements that one step loads. Further ones are not followed."""
MOST_STATEMENTS = 20_000
"""Statements of one pseudonym that are read. Links that only further ones state are not followed."""

PROVIDERS = "SELECT id, provider FROM connections WHERE tenant = $1"
LINKS = """
WITH name AS (SELECT unnest($2::text[]) AS name), read AS MATERIALIZED (
    SELECT name, 'customer' AS place, split_part(subject, '/', 1) AS connection, customer, email, aliases
    FROM name CROSS JOIN LATERAL (
        SELECT subject, customer, email, aliases FROM events WHERE tenant = $1 AND customer = name LIMIT $5
    ) AS statement
    UNION ALL
    SELECT name, 'email', split_part(subject, '/', 1), customer, email, aliases
    FROM name CROSS JOIN LATERAL (
        SELECT subject, customer, email, aliases FROM events WHERE tenant = $1 AND email = name AND customer <> name LIMIT $5
    ) AS statement
    UNION ALL
    SELECT name, form, split_part(subject, '/', 1), customer, email, aliases
    FROM name CROSS JOIN (VALUES (''), ('@')) AS forms (form) CROSS JOIN LATERAL (
        SELECT subject, customer, email, aliases FROM events
        WHERE tenant = $1 AND aliases @> ARRAY[form || name] AND aliases <> '{}' AND customer IS NOT NULL LIMIT $5
    ) AS statement
), numbered AS (
    SELECT *, row_number() OVER (
        PARTITION BY name, connection, aliases IS NULL
        ORDER BY customer COLLATE "C", email COLLATE "C" NULLS FIRST, aliases COLLATE "C"
    ) AS number FROM (SELECT DISTINCT name, connection, customer, email, aliases FROM read) AS stated
)
SELECT DISTINCT connection, customer, email, aliases, ARRAY(
    SELECT name FROM read GROUP BY name, place HAVING count(*) >= $5
) FROM numbered WHERE number <= $3 LIMIT $4
"""
"""The different statements that name one of these pseudonyms. Of each pseudonym at most $5 statements are read, and only as many
different ones of a connection are returned as show that it is shared. Each row also holds the pseudonyms that were not read
completely."""

KNOWN_SHARED = "SELECT address FROM shared_mailboxes WHERE tenant = $1 AND address = ANY($2::text[])"
"""Names that were shared when some of their customers were erased."""

NAMES_OF_SUBJECTS = """
SELECT customer FROM events WHERE tenant = $1 AND subject = ANY($2::text[]) AND customer IS NOT NULL
UNION SELECT email FROM events WHERE tenant = $1 AND subject = ANY($2::text[]) AND email IS NOT NULL
UNION SELECT ltrim(alias, '@') FROM events CROSS JOIN unnest(aliases) AS alias WHERE tenant = $1 AND subject = ANY($2::text[])
"""
REMEMBER_SHARED = """
INSERT INTO shared_mailboxes (tenant, address) SELECT $1, name FROM unnest($2::text[]) AS name ON CONFLICT DO NOTHING
"""

STEP_NAMES = 100
"""Pseudonyms whose statements one query loads."""


def as_aliases(names: Collection[str]) -> list[str]:
    """The elements that `events.aliases` may have for these pseudonyms."""
    return [*names, *(f"@{name}" for name in names)]


async def providers_of(db: Connection, tenant: str) -> dict[str, str]:
    """The provider of each connection of the tenant."""
    return {row[0]: row[1] for row in await db.fetch(PROVIDERS, tenant)}


@dataclass(slots=True)
class LinkSearch:
    """The statements that are loaded so far.

    `providers` are those of the connections, `former` both forms of ids that earlier versions stored without a namespace,
    `placeholders` the pseudonyms of ids that stand for nobody. `stored` are the pseudonyms that occur in any loaded statement,
    `known_addresses` those of them that are addresses.
    """

    tenant: str
    providers: Mapping[str, str]
    former: Sequence[FormerId] = ()
    placeholders: Set[str] = frozenset()
    namings: set[Naming] = field(default_factory=set)
    stored: set[str] = field(default_factory=set)
    known_addresses: set[str] = field(default_factory=set)
    known_shared: set[str] = field(default_factory=set)
    _is_full: bool = False
    _partly_read: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.known_shared |= self.placeholders

    @property
    def shared(self) -> set[str]:
        """The names that many people have, as far as the statements about them are loaded."""
        return shared_names(self.namings) | self.known_shared

    @property
    def is_cut(self) -> bool:
        """Whether statements were left out that may state further links. Those of a shared name state none."""
        return self._is_full or not self._partly_read <= self.shared

    def person(self, names: Iterable[str]) -> set[str]:
        """The pseudonyms that are connected with these."""
        return person_of(self.namings, names, self.known_shared)

    def left_out(self, person: Set[str], requested: Set[str], shared: Set[str]) -> tuple[LeftOut, ...]:
        """The names of `shared` that were requested, or that statements state with a name of the person."""
        own = person - shared
        bordering = {name for naming in self.namings if not own.isdisjoint(naming.names) for name in naming.names & shared}
        return tuple(
            LeftOut(
                "placeholder" if name in self.placeholders else "shared", name, "email" if name in self.known_addresses else "id"
            )
            for name in sorted(bordering | requested & shared & self.stored)
        )

    async def load(self, db: Connection, names: Sequence[str]) -> None:
        """Add the statements that name these pseudonyms.

        Names that are known to be shared are loaded afterwards, so that an erasure that ends meanwhile is seen in either.
        """
        for first in range(0, len(names), STEP_NAMES):
            step = names[first : first + STEP_NAMES]
            rows = await db.fetch(LINKS, self.tenant, step, MOST_NAMINGS, MOST_LINKS, MOST_STATEMENTS)
            self._is_full |= len(rows) >= MOST_LINKS
            self._partly_read |= {name for row in rows[:1] for name in row[4]}
            self.add(rows)
        looked_up = sorted({*names} | self.stored)
        self.known_shared |= {row[0] for row in await db.fetch(KNOWN_SHARED, self.tenant, looked_up)}

    def add(self, rows: Iterable[Record]) -> None:
        """Add statements: rows of LINKS."""
        namespaced = {(former.provider, former.bare): former.namespaced for former in self.former}
        for connection, customer, email, aliases, _ in rows:
            former = aliases is None
            name = namespaced.get((self.providers.get(connection, ""), customer), customer) if former else customer
            self.add_naming(connection, name, email, aliases or (), former=former)

    def add_naming(self, connection: str, customer: str, email: str | None, aliases: Collection[str], *, former: bool) -> None:
        """Add a statement by the columns of its event."""
        addresses = {alias[1:] for alias in aliases if alias.startswith("@")} | ({email} if email else set())
        ids = {alias for alias in aliases if not alias.startswith("@")} | (set() if customer == email else {customer})
        self.known_addresses |= addresses
        self.stored |= addresses | ids
        self.namings.add(Naming(connection, customer, email, frozenset(ids), frozenset(addresses), former))


async def remember_shared_names(db: Connection, tenant: str, subjects: Sequence[str], placeholders: Set[str]) -> None:
    """Store which names in the statements about these subjects are shared, before the statements are deleted.

    Otherwise a mailbox of six customers would connect the other five as soon as one of them is erased.
    """
    names = {row[0] for row in await db.fetch(NAMES_OF_SUBJECTS, tenant, subjects)} - placeholders
    if names:
        search = LinkSearch(tenant, {})
        await search.load(db, sorted(names))
        await db.execute(REMEMBER_SHARED, tenant, sorted(search.shared & names))
