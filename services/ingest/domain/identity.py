"""Which pseudonyms belong to one person: those that statements connect.

A statement that names a customer in several ways connects the pseudonyms. The result is a pure function of the set of statements,
so their order, repeats and replays do not matter.

A name that many people have connects nothing: a shared mailbox, or a placeholder that a tool sends as the id of everybody without
one, such as `guest`. Otherwise one customer's erasure would erase strangers.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Set
from dataclasses import dataclass

MOST_OTHERS = 5
"""A name is shared if statements of one connection state more ids with it, or more addresses. Of the ids and addresses that one
statement lists, one counts: they are one person's."""

MOST_NAMINGS = 50
"""A name is also shared if one connection states it in this many different combinations with others. This bounds the number of
statements that are read."""


@dataclass(frozen=True, slots=True)
class Naming:
    """The pseudonyms by which a statement names its customer.

    `customer` is that of the id, or of the address if there is no id. `email` is that of the address in the record, `ids` and
    `addresses` are all of either kind. `former` marks statements of earlier versions, whose ids of tools had no namespace: an id
    is counted once in each form.
    """

    connection: str
    customer: str
    email: str | None
    ids: frozenset[str]
    addresses: frozenset[str]
    former: bool = False

    @property
    def names(self) -> frozenset[str]:
        """All pseudonyms."""
        return self.ids | self.addresses

    def id_beside(self, name: str) -> str | None:
        """The id that counts for `name`: the customer's, else the bytewise least of the others."""
        return _one_of(self.ids, self.customer, name)

    def address_beside(self, name: str) -> str | None:
        """The address that counts for `name`: the one in the record, else the bytewise least of the others."""
        return _one_of(self.addresses, self.email, name)


def _one_of(names: frozenset[str], first: str | None, other_than: str) -> str | None:
    if first in names and first != other_than:
        return first
    return min(names - {other_than}, default=None)


def shared_names(namings: Iterable[Naming]) -> set[str]:
    """The names that many people have: shared mailboxes and placeholders."""
    ids: defaultdict[tuple[str, str, bool], set[str]] = defaultdict(set)
    addresses: defaultdict[tuple[str, str, bool], set[str]] = defaultdict(set)
    combinations: Counter[tuple[str, str, bool]] = Counter()
    for naming in set(namings):
        for name in naming.names:
            key = (name, naming.connection, naming.former)
            combinations[key] += 1
            if identity := naming.id_beside(name):
                ids[key].add(identity)
            if address := naming.address_beside(name):
                addresses[key].add(address)
    shared = {key for others in (ids, addresses) for key, several in others.items() if len(several) > MOST_OTHERS}
    shared |= {key for key, count in combinations.items() if count >= MOST_NAMINGS}
    return {name for name, _, _ in shared}


def person_of(namings: Set[Naming], names: Iterable[str], known_shared: Set[str] = frozenset()) -> set[str]:
    """The pseudonyms that statements connect with `names`, including these. A shared name connects nothing, nor does one of
    `known_shared`, such as a name that was shared before some of its customers were erased."""
    return _connected(_neighbours(namings, shared_names(namings) | known_shared), names)


def _neighbours(namings: Set[Naming], shared: Set[str]) -> Mapping[str, set[str]]:
    neighbours: defaultdict[str, set[str]] = defaultdict(set)
    for naming in namings:
        if own := naming.names - shared:
            center = min(own)
            neighbours[center] |= own
            for name in own:
                neighbours[name].add(center)
    return neighbours


def _connected(neighbours: Mapping[str, set[str]], names: Iterable[str]) -> set[str]:
    connected = set(names)
    waiting = list(connected)
    while waiting:
        new = neighbours.get(waiting.pop(), set()) - connected
        connected |= new
        waiting += new
    return connected
