"""The health of a connection: how many deliveries it got and with which outcome, and how they fit its mapping."""

from collections import Counter
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime

from services.ingest.domain.connection import Connection
from services.ingest.domain.fields import LONGEST_NAME
from services.ingest.domain.mapping_use import MappingUse, UnmappedQuestion
from services.ingest.domain.redaction import Redactor

HOURS = 24
"""A count covers the current hour and the 23 before it."""
LONGEST_TITLE = 200
MOST_UNMAPPED = 100
"""Unmapped questions of one connection up to which new ones are noted."""
MOST_OWN_NAMES = 100
"""Names of own dimensions in the records of one connection up to which new ones are noted."""


Key = tuple[str, str, str]
"""(connection, section of the mapping, key)."""


@dataclass(frozen=True, slots=True)
class SeenQuestion:
    """An unmapped question with the number of accepted deliveries that answer it."""

    question: UnmappedQuestion
    seen: int
    last_seen: datetime


@dataclass(slots=True)
class Health:
    """`counts` by outcome, of the last HOURS. `read_revision`: the latest revision of the mapping under which a delivery was
    accepted. `questions` and `dimensions` are the keys of mappings that occurred in an accepted delivery. `own_dimensions` are
    the names of the tenant's own dimensions in accepted records."""

    last_delivery: datetime | None = None
    read_revision: int | None = None
    counts: dict[str, int] = field(default_factory=dict)
    unmapped: list[SeenQuestion] = field(default_factory=list)
    questions: set[str] = field(default_factory=set)
    dimensions: set[str] = field(default_factory=set)
    own_dimensions: set[str] = field(default_factory=set)


@dataclass(slots=True)
class HealthChanges:
    """Additions to the health of connections, by the deliveries of a few seconds.

    `counts` by (connection, outcome), `unmapped` by connection and question, `own_dimensions` by connection.
    """

    counts: Counter[tuple[str, str]] = field(default_factory=Counter)
    last_delivery: dict[str, datetime] = field(default_factory=dict)
    read_revision: dict[str, int] = field(default_factory=dict)
    unmapped: dict[str, dict[str, SeenQuestion]] = field(default_factory=dict)
    keys: set[Key] = field(default_factory=set)
    own_dimensions: dict[str, set[str]] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self.counts or self.keys or self.own_dimensions)

    @property
    def own_keys(self) -> set[Key]:
        """The keys of `own_dimensions`."""
        return {own_key(connection, name) for connection, names in self.own_dimensions.items() for name in names}

    def add_delivery(self, connection: str, at: datetime) -> None:
        """Note the receipt of a verified delivery."""
        latest = self.last_delivery.get(connection)
        if latest is None or at > latest:
            self.last_delivery[connection] = at

    def add_use(self, connection: Connection, use: MappingUse, at: datetime) -> None:
        """Note how an accepted delivery fits the mapping of its connection."""
        self.read_revision[connection.id] = max(connection.revision, self.read_revision.get(connection.id, 0))
        self._add_unmapped(connection.id, [SeenQuestion(question, 1, at) for question in use.unmapped])
        self.keys.update((connection.id, "questions", key) for key in use.questions)
        self.keys.update((connection.id, "dimensions", key) for key in use.dimensions)

    def add_own_dimensions(self, connection: str, names: Collection[str]) -> None:
        """Note the names of the tenant's own dimensions in accepted records."""
        noted = self.own_dimensions.setdefault(connection, set()) if names else set()
        for name in names:
            if len(noted) < MOST_OWN_NAMES:
                noted.add(name)

    def add_all(self, other: "HealthChanges") -> None:
        """Add other changes, which could not be stored."""
        self.counts.update(other.counts)
        for connection, at in other.last_delivery.items():
            self.add_delivery(connection, at)
        for connection, revision in other.read_revision.items():
            self.read_revision[connection] = max(revision, self.read_revision.get(connection, 0))
        for connection, questions in other.unmapped.items():
            self._add_unmapped(connection, questions.values())
        self.keys |= other.keys
        for connection, names in other.own_dimensions.items():
            self.add_own_dimensions(connection, names)

    def _add_unmapped(self, connection: str, questions: Iterable[SeenQuestion]) -> None:
        for new in questions:
            noted = self.unmapped.setdefault(connection, {})
            name = new.question.question
            former = noted.get(name)
            if former:
                noted[name] = replace(former, seen=former.seen + new.seen, last_seen=max(former.last_seen, new.last_seen))
            elif len(noted) < MOST_UNMAPPED and len(name) <= LONGEST_NAME:
                noted[name] = replace(new, question=presentable(new.question))


def own_key(connection: str, name: str) -> Key:
    """The key of a dimension of the tenant's own, in the section `own_dimensions`."""
    return connection, "own_dimensions", name


def presentable(question: UnmappedQuestion) -> UnmappedQuestion:
    """The question as it is stored and shown: its title on one line, shortened, without addresses and numbers of people."""
    title = " ".join((question.title or "").split())
    title = Redactor()(title if len(title) <= LONGEST_TITLE else title[: LONGEST_TITLE - 1] + "…")
    return replace(question, title=title or None)
