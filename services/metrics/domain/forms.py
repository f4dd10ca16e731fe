"""The form of a rating question: its scale, and which answers are good.

The form is a part of the measure's name, so a 4 of 5 and a 4 of 7 never share a bin. A form of which a tool states only a part
has the usual defaults.
"""

from dataclasses import dataclass
from functools import lru_cache

from services.metrics.domain.measures import CES, CSAT, NPS, STARS
from shared.events import Answer, Rating

USUAL_POSITIVE = {(1, 5): 4, (1, 7): 6, (1, 4): 3, (1, 3): 3, (1, 2): 2, (0, 1): 1}
"""The lowest CSAT rating that counts as satisfied, by scale."""

CSAT_SCALE = (1, 5)
CES_SCALE = (1, 7)

STARS_MEASURE = STARS.named("1..5")
"""The measure of the stars of reviews."""


@lru_cache(maxsize=1024)
def csat_measure(scale: tuple[int, int] | None, positive_from: int | None) -> str:
    """The measure of a CSAT form, such as `csat:1..5+4`: its scale, and the lowest satisfied rating.

    On a scale that is not in USUAL_POSITIVE the upper 30 % are satisfied.
    """
    low, high = scale or CSAT_SCALE
    if positive_from is None:
        positive_from = USUAL_POSITIVE.get((low, high), low - (low - high) * 7 // 10)
    return CSAT.named(f"{low}..{high}+{positive_from}")


@lru_cache(maxsize=1024)
def ces_measure(scale: tuple[int, int] | None, polarity: str | None) -> str:
    """The measure of an effort form, such as `ces:1..7+easy_is_high`: its scale, and the end of it that means easy."""
    low, high = scale or CES_SCALE
    return CES.named(f"{low}..{high}+{polarity or 'easy_is_high'}")


def rating_measure(rating: Answer | Rating) -> str:
    """The measure of a rating, with its form."""
    if rating.kind == "nps":
        return NPS.family
    if rating.kind == "csat":
        return csat_measure(rating.scale, rating.positive_from)
    return ces_measure(rating.scale, rating.polarity)


@dataclass(frozen=True, slots=True)
class Form:
    """A form: the scale `low` to `high`, and the good ratings."""

    low: int
    high: int
    good: range

    @property
    def hard(self) -> range:
        """The ratings of an effort scale that mean hard: the third at that end, 1–3 of 1–7."""
        steps = len(self.good)
        return range(self.low, self.low + steps) if self.good.stop > self.high else range(self.high - steps + 1, self.high + 1)

    @property
    def very_easy(self) -> range:
        """The ratings of an effort scale that mean very easy: the good ones except the least easy, 6–7 of 1–7. A single good
        rating is one of them."""
        if len(self.good) == 1:
            return self.good
        return self.good[1:] if self.good.stop > self.high else self.good[:-1]


@lru_cache(maxsize=1024)
def parse_form(measure: str) -> Form:
    """The form of a `csat:` or `ces:` measure. The third of an effort scale at its easy end is good: 5–7 of 1–7."""
    family, _, rest = measure.partition(":")
    scale, _, mark = rest.partition("+")
    low, high = map(int, scale.split(".."))
    if family == CSAT.family:
        return Form(low, high, range(int(mark), high + 1))
    steps = (high - low) // 3 + 1
    easy = range(high - steps + 1, high + 1) if mark == "easy_is_high" else range(low, low + steps)
    return Form(low, high, easy)
