"""Split comments into batches: parts of a Kafka batch in fair order, and slices of texts of similar length for a model."""

from collections import Counter
from collections.abc import Iterator, Sequence

from services.sentiment.domain.scoring import LONGEST

PART = 4_000
"""Characters of a part, unless it is one longer comment."""
TEXTS = 64
"""Texts of a slice at most: enough to make the cost of a call negligible, few enough that another caller waits only briefly."""
CHARACTERS = 4_000
"""Characters of a slice at most, each text counted with the length of its longest, to which the model pads it."""


def parts(comments: Sequence[tuple[str, int]], characters: int = PART) -> list[list[int]]:
    """Indices of comments, given as (tenant, characters), in parts: the tenant with the fewest characters first.

    A part has at most `characters` characters, or is a single comment.
    """
    totals: Counter[str] = Counter()
    for tenant, length in comments:
        totals[tenant] += length
    result: list[list[int]] = []
    free = 0
    for index in sorted(range(len(comments)), key=lambda index: (totals[comments[index][0]], comments[index][0], index)):
        length = comments[index][1]
        if not result or length > free:
            result.append([])
            free = characters
        result[-1].append(index)
        free -= length
    return result


def slices(lengths: Sequence[int], texts: int = TEXTS, characters: int = CHARACTERS) -> Iterator[list[int]]:
    """Indices of texts of these lengths (characters) in slices, the shortest first. A text that is too long is a slice alone."""
    current: list[int] = []
    for index in sorted(range(len(lengths)), key=lengths.__getitem__):
        length = min(lengths[index], LONGEST)
        if current and (len(current) == texts or (len(current) + 1) * length > characters):
            yield current
            current = []
        current.append(index)
    if current:
        yield current
