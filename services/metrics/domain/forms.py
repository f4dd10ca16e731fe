"""The form of a rating question, its scale and which answers are good; the form is part of the measure's name.

So a 4 of 5 and a 4 of 7 never meet in one bin. Where a form leaves out what is usual, the defaults of the field hold.
"""

from dataclasses import dataclass
from functools import lru_cache

USUAL_POSITIVE = {(1, 5): 4, (1, 7): 6, (1, 4): 3, (1, 3): 3, (1, 2): 2, (0, 1): 1}
"""From which value a CSAT rating counts as satisfied, by scale."""

CSAT_SCALE = (1, 5)
CES_SCALE = (1, 7)


@lru_cache(maxsize=1024)
def csat_measure(scale: tuple[int, int] | None, positive_from: int | None) -> str:
    """`csat:1..5+4`: the scale and the first satisfied value; on a scale without a usual one, what lies above 70 % of it."""
    low, high = scale or CSAT_SCALE
    if positive_from is None:
        positive_from = USUAL_POSITIVE.get((low, high), low - (low - high) * 7 // 10)
    return f"csat:{low}..{high}+{positive_from}"


@lru_cache(maxsize=1024)
def ces_measure(scale: tuple[int, int] | None, polarity: str | None) -> str:
    """`ces:1..7+easy_is_high`: the scale, and at which end of it things were easy."""
    low, high = scale or CES_SCALE
    return f"ces:{low}..{high}+{polarity or 'easy_is_high'}"


@dataclass(frozen=True, slots=True)
class Form:
    """A measure's name read back: the scale, and the values that are good."""

    low: int
    high: int
    good: range


@lru_cache(maxsize=1024)
def form(measure: str) -> Form:
    """The form that a `csat:` or `ces:` measure names. Effort counts as low in the upper third of the steps: 5–7 of 1–7."""
    family, _, rest = measure.partition(":")
    scale, _, mark = rest.partition("+")
    low, high = map(int, scale.split(".."))
    if family == "csat":
        return Form(low, high, range(int(mark), high + 1))
    steps = (high - low) // 3 + 1
    easy = range(high - steps + 1, high + 1) if mark == "easy_is_high" else range(low, low + steps)
    return Form(low, high, easy)
