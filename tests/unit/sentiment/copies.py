"""Find texts that are nearly copies of others, so that nothing is measured on texts that a network was trained on."""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable
from itertools import chain

ALIKE = 0.6


def words(text: str) -> frozenset[str]:
    return frozenset(re.findall(r"\w+", text.casefold()))


def copies(some: Iterable[str], others: Iterable[str]) -> list[tuple[str, str]]:
    """The pairs that share at least ALIKE of their words (Jaccard)."""
    known = [(other, words(other)) for other in others]
    places: dict[str, list[int]] = defaultdict(list)
    for place, (_, theirs) in enumerate(known):
        for word in theirs:
            places[word].append(place)
    pairs: list[tuple[str, str]] = []
    for text in some:
        mine = words(text)
        shared = Counter(chain.from_iterable(places[word] for word in mine if word in places))
        alike = [place for place, n in shared.items() if n >= ALIKE * (len(mine) + len(known[place][1]) - n)]
        pairs += [(text, known[place][0]) for place in alike]
    return pairs
