"""From a text to its pieces, and from what a model reads in them to an opinion: the same for all models of our own.

A text of several sentences is also read piece by piece: a long one gets the mean of its pieces, and one whose pieces point both
ways is `mixed`.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from services.sentiment.domain.pieces import pieces
from services.sentiment.domain.scorer import Opinion, Passage
from shared.events import Label

LABELS: tuple[Label, ...] = ("negative", "neutral", "positive")
NEGATIVE, POSITIVE = 0, 2

Numbers = NDArray[np.float64]
Meanings = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Reading:
    """What a model reads in some texts: `odds` (texts × negative, neutral, positive), calibrated; `meanings` (texts × numbers) of
    length one, where it knows them.
    """

    odds: Numbers
    meanings: Meanings | None = None

    def __getitem__(self, places: Sequence[int] | slice) -> "Reading":
        return Reading(self.odds[places], None if self.meanings is None else self.meanings[places])


@dataclass(frozen=True, slots=True)
class Manner:
    """How pieces count: `pole` is the probability from which on a piece counts for `mixed`; a text of `long` characters or more
    gets the mean of its pieces instead of being read as one.
    """

    pole: float
    long: int


Read = Callable[[Sequence[str]], Reading]


def opinions(texts: Sequence[str], read: Read, manner: Manner) -> list[Opinion]:
    """One opinion for each text; all that has to be read is read in one go."""
    if not texts:
        return []
    asked: list[str] = []
    spans: list[tuple[int, int, int]] = []
    for text in texts:
        parts = pieces(text)
        begin = len(asked)
        if len(parts) < 2 or len(text) < manner.long:
            asked.append(text)
        whole = len(asked)
        asked += parts if len(parts) > 1 else ()
        spans.append((begin, whole, len(asked)))
    found = read(asked)
    return [opinion(found[begin:whole], found[whole:end], manner) for begin, whole, end in spans]


def twofold(parts: Reading) -> float:
    """How clearly the pieces of a text point both ways: the probability of the less clear of its two poles. 0: a single piece."""
    return float(parts.odds[:, [NEGATIVE, POSITIVE]].max(axis=0).min()) if len(parts.odds) else 0.0


def opinion(whole: Reading, parts: Reading, manner: Manner) -> Opinion:
    """`whole`: what was read in the text as one, if it was; `parts`: what in its pieces, if it has several."""
    odds = whole.odds[0] if len(whole.odds) else parts.odds.mean(axis=0)
    best = int(odds.argmax())
    return Opinion(
        label=LABELS[best],
        score=round(float(odds[POSITIVE] - odds[NEGATIVE]), 3),
        confidence=round(float(odds[best]), 3),
        mixed=twofold(parts) >= manner.pole,
        passages=passages(parts if len(parts.odds) else whole),
    )


def passages(read: Reading) -> Sequence[Passage]:
    if read.meanings is None:
        return ()
    scores = read.odds[:, POSITIVE] - read.odds[:, NEGATIVE]
    return [Passage(float(score), meaning) for score, meaning in zip(scores, read.meanings, strict=True)]


def shares(logits: Numbers, temperature: float) -> Numbers:
    """Logits (texts × classes) as probabilities, calibrated by the temperature (Guo et al., ICML 2017). Raises ValueError for any
    that is no number.
    """
    if not np.isfinite(logits).all():
        raise ValueError("a logit is no number")
    scaled = logits / temperature
    grown = np.exp(scaled - scaled.max(axis=1, keepdims=True))
    found: Numbers = grown / grown.sum(axis=1, keepdims=True)
    return found
