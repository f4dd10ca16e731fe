"""The order in which the comments of a batch are scored: those of quiet tenants first, in parts that are sent one by one."""

from collections import Counter
from collections.abc import Sequence

PART = 4_000
"""Characters in one part, unless one comment is longer."""


def parts(comments: Sequence[tuple[str, int]], characters: int = PART) -> list[list[int]]:
    """The places of comments, given as (tenant, characters), each once: the tenant with the fewest characters first.

    A part holds at most so many characters, or one comment.
    """
    totals: Counter[str] = Counter()
    for tenant, length in comments:
        totals[tenant] += length
    found: list[list[int]] = []
    free = 0
    for place in sorted(range(len(comments)), key=lambda place: (totals[comments[place][0]], comments[place][0], place)):
        length = comments[place][1]
        if not found or length > free:
            found.append([])
            free = characters
        found[-1].append(place)
        free -= length
    return found
