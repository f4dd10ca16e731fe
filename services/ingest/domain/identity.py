"""Which pseudonyms belong to one person: those that links connect.

A statement that names a customer in several ways links the pseudonyms. The result is a pure function of the set of links, so the
order in which statements arrived, repeats and replays do not matter.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Set
from dataclasses import dataclass

MAX_IDS_OF_AN_ADDRESS = 5
"""An address with more ids of one connection is a shared mailbox, such as a family's or a help desk's: its links do not count."""


@dataclass(frozen=True, slots=True)
class Link:
    """Two pseudonyms that a statement received over `connection` gave to one customer.

    `of_address`: `customer` is that of an id and `other` that of an address. `former` marks statements of earlier versions, whose
    ids of tools had no namespace: an id is counted once in each form.
    """

    connection: str
    customer: str
    other: str
    of_address: bool
    former: bool = False


def shared_addresses(links: Iterable[Link]) -> set[str]:
    """The addresses that are shared mailboxes."""
    ids: defaultdict[tuple[str, str, bool], set[str]] = defaultdict(set)
    for link in links:
        if link.of_address:
            ids[link.other, link.connection, link.former].add(link.customer)
    return {address for (address, _, _), several in ids.items() if len(several) > MAX_IDS_OF_AN_ADDRESS}


def person_of(links: Set[Link], names: Iterable[str], known_shared: Set[str] = frozenset()) -> set[str]:
    """The pseudonyms that links connect with `names`, including these. A shared mailbox connects nothing, nor does an address of
    `known_shared`, which was one before some of its customers were erased."""
    return _connected(_neighbours(links, known_shared), names)


def _neighbours(links: Set[Link], known_shared: Set[str]) -> Mapping[str, set[str]]:
    shared = shared_addresses(links) | known_shared
    neighbours: defaultdict[str, set[str]] = defaultdict(set)
    for link in links:
        if shared.isdisjoint((link.customer, link.other)):
            neighbours[link.customer].add(link.other)
            neighbours[link.other].add(link.customer)
    return neighbours


def _connected(neighbours: Mapping[str, set[str]], names: Iterable[str]) -> set[str]:
    connected = set(names)
    waiting = list(connected)
    while waiting:
        new = neighbours.get(waiting.pop(), set()) - connected
        connected |= new
        waiting += new
    return connected
