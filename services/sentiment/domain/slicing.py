"""Texts in slices for a model: such of like length together, since a short one is padded to the longest of its batch."""

from collections.abc import Iterator, Sequence

from services.sentiment.domain.judging import LONGEST

TEXTS = 64
"""Texts in one slice at most: so many that starting costs nothing, so few that a caller in a hurry is not kept waiting."""
CHARACTERS = 4_000
"""Characters of a slice at most, each text counted as long as its longest."""


def slices(lengths: Sequence[int], texts: int = TEXTS, characters: int = CHARACTERS) -> Iterator[list[int]]:
    """The places of texts of these lengths (characters), each once, the shortest first. Too long for any: alone in one."""
    places = sorted(range(len(lengths)), key=lengths.__getitem__)
    held: list[int] = []
    for place in places:
        seen = min(lengths[place], LONGEST)
        if held and (len(held) == texts or (len(held) + 1) * seen > characters):
            yield held
            held = []
        held.append(place)
    if held:
        yield held
