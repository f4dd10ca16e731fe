"""The ages of open tickets, from the steps of the backlog.

A step up is in the bin of the quarter of an hour in which its ticket was opened; the steps down of that ticket are in the
negative of this bin. So the number of open tickets of each quarter is the difference of the two, and an age is exact to seven and
a half minutes. Bins are stored: never change them.
"""

from collections import Counter
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

QUARTER = timedelta(minutes=15)
BEGINNING = datetime(1, 1, 1, tzinfo=UTC)


def age_bin(opened: datetime) -> int:
    """The bin of an opening, 1 or more."""
    return (opened - BEGINNING) // QUARTER + 1


def ages(counts: Mapping[int, int], at: datetime) -> dict[int, int]:
    """The number of open tickets by their age at an instant, in whole seconds. `counts` are of the steps before it."""
    openings: Counter[int] = Counter()
    for place, count in counts.items():
        openings[abs(place)] += count if place > 0 else -count
    elapsed = at - BEGINNING
    by_age: Counter[int] = Counter()
    for place, count in openings.items():
        if count:
            middle = (place - 1) * QUARTER + QUARTER / 2
            by_age[max(elapsed - middle, timedelta()) // timedelta(seconds=1)] += count
    return dict(by_age)
