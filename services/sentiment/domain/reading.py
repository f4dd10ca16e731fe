"""Split a text into pieces, and make an opinion of a model's readings of them. All of our own models use it.

A text of several sentences is also read piece by piece: a long text gets the mean of its pieces, and a text whose pieces point
both ways is `mixed`.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import accumulate, compress

import numpy as np
from numpy.typing import NDArray

from services.sentiment.domain.scorer import Opinion, Passage
from services.sentiment.domain.turns import split_at_turns
from services.sentiment.domain.urgency import REASONS
from shared.events import Label, Urgency

BLANKS = re.compile(r"[^\S\n]+")
"""A run is read as one space; the patterns below would take quadratic time on it."""
LINES = re.compile(r" ?\n[ \n]*")
END = re.compile(r"(?<=[.!?؟…])[\"')\]]*\s+(?=\S)|\n| ?;\s+")
LONGEST = 300
"""Characters of a piece at most; a longer one is cut at a space."""
SHORTEST = 8
"""Characters of a piece at least; a shorter one ("Hi.", "Nr.") is joined to the piece before."""

LABELS: tuple[Label, ...] = ("negative", "neutral", "positive")
NEGATIVE, POSITIVE = 0, 2

Numbers = NDArray[np.float64]
Meanings = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Reading:
    """A model's output for some texts. `odds` (texts × negative, neutral, positive) are calibrated probabilities; `meanings`
    (texts × dimensions) are unit vectors; `both` (texts) are the probabilities that a text praises and complains; `urgent`
    (texts × REASONS) those of the reasons for urgency. The last three are None from a model that has not learnt them.
    """

    odds: Numbers
    meanings: Meanings | None = None
    both: Numbers | None = None
    urgent: Numbers | None = None

    def __getitem__(self, places: Sequence[int] | slice) -> "Reading":
        return Reading(
            odds=self.odds[places],
            meanings=None if self.meanings is None else self.meanings[places],
            both=None if self.both is None else self.both[places],
            urgent=None if self.urgent is None else self.urgent[places],
        )


@dataclass(frozen=True, slots=True)
class Manner:
    """How pieces count. From the probability `pole` on, a piece counts for `mixed`. A text of `long` characters or more gets the
    mean of its pieces instead of being read as one. From the learnt probability `both` on a text is `mixed`, and from `urgent` on
    it has a reason for urgency; None if the model has not learnt that. Below the learnt probability `improbable` a reason that a
    phrase names does not apply.

    A text of fewer than `short` characters is read as a whole, and by pieces only if the learnt probability that it praises and
    complains is `doubt` or more: 0 for a model that reads all pieces. With `whole` the reading of a long text as one counts as
    much as the mean of its pieces.
    """

    pole: float
    long: int
    both: float | None = None
    urgent: float | None = None
    improbable: float = 0.0
    short: int = 0
    doubt: float = 0.0
    whole: bool = False


Read = Callable[[Sequence[str]], Reading]


def pieces(text: str, rules: int) -> list[str]:
    """The sentences of a text, and the halves of those with a "but", in order. At least one, unless the text is blank.

    `rules`: their version (`domain/versions.py`).
    """
    even = LINES.sub("\n", BLANKS.sub(" ", text))
    parts = [part.strip() for sentence in END.split(even) for turned in split_at_turns(sentence, rules) for part in cut(turned)]
    result: list[str] = []
    for part in filter(None, parts):
        if result and (len(part) < SHORTEST or len(result[-1]) < SHORTEST):
            result[-1] += f" {part}"
        else:
            result.append(part)
    return result


def cut(text: str) -> list[str]:
    """A text in parts of at most LONGEST characters, cut at spaces if possible."""
    result: list[str] = []
    while len(text) > LONGEST:
        end = text.rfind(" ", 1, LONGEST)
        end = end if end > 0 else LONGEST
        result.append(text[:end])
        text = text[end:]
    return [*result, text]


def opinions(texts: Sequence[str], read: Read, manner: Manner, rules: int) -> list[Opinion]:
    """One opinion for each text. `rules`: the version by which texts are split."""
    read_parts = readings(texts, read, manner, rules)
    return [opinion(*pair, manner, len(text) >= manner.long) for text, pair in zip(texts, read_parts, strict=True)]


def readings(texts: Sequence[str], read: Read, manner: Manner, rules: int) -> list[tuple[Reading, Reading]]:
    """The reading of each text as one, and those of its pieces; either may be empty. `rules`: as for `opinions`.

    `read` is called once, and a second time if the pieces of short texts have to be read.
    """
    if not texts:
        return []
    cuts = [pieces_of_several(text, rules) for text in texts]
    wholes = [
        [] if cut and len(text) >= manner.long and not manner.whole else [text] for text, cut in zip(texts, cuts, strict=True)
    ]
    parts = [cut if len(text) >= manner.short else [] for text, cut in zip(texts, cuts, strict=True)]
    read_at_once = in_groups([*wholes, *parts], read)
    result = list(zip(read_at_once[: len(texts)], read_at_once[len(texts) :], strict=True))
    unread = [place for place, cut in enumerate(cuts) if cut and not parts[place] and learnt_both(*result[place]) >= manner.doubt]
    if unread:
        for place, read_later in zip(unread, in_groups([cuts[place] for place in unread], read), strict=True):
            result[place] = (result[place][0], read_later)
    return result


def pieces_of_several(text: str, rules: int) -> list[str]:
    """The pieces of a text that has several, else none."""
    parts = pieces(text, rules)
    return parts if len(parts) > 1 else []


def in_groups(groups: Sequence[Sequence[str]], read: Read) -> list[Reading]:
    """The readings of groups of texts, some of them empty, with a single call of `read`."""
    result = read([text for group in groups for text in group])
    ends = list(accumulate(map(len, groups)))
    return [result[end - len(group) : end] for group, end in zip(groups, ends, strict=True)]


def ambivalence(parts: Reading) -> float:
    """How clearly pieces point both ways, 0..1: the lower of the highest negative and the highest positive probability."""
    return float(parts.odds[:, [NEGATIVE, POSITIVE]].max(axis=0).min()) if len(parts.odds) else 0.0


def learnt_both(whole: Reading, parts: Reading) -> float:
    """The learnt probability that a text praises and complains: of the whole text, or the highest of a long one's pieces."""
    read = whole if len(whole.odds) else parts
    return float(read.both.max()) if read.both is not None and len(read.both) else 0.0


def is_mixed(whole: Reading, parts: Reading, manner: Manner) -> bool:
    """Whether a text is `mixed`: its pieces clearly point both ways, or the model has learnt that such a text does."""
    return ambivalence(parts) >= manner.pole or (manner.both is not None and learnt_both(whole, parts) >= manner.both)


def learnt_urgency(whole: Reading, parts: Reading, manner: Manner) -> tuple[tuple[Urgency, ...], tuple[Urgency, ...]]:
    """The reasons for urgency that the model finds in a text or in one of its pieces, and those that are improbable."""
    learnt = [reading.urgent for reading in (whole, parts) if reading.urgent is not None and len(reading.urgent)]
    if manner.urgent is None or not learnt:
        return (), ()
    probabilities = np.concatenate(learnt).max(axis=0)
    return reasons(probabilities >= manner.urgent), reasons(probabilities < manner.improbable)


def reasons(apply: NDArray[np.bool_]) -> tuple[Urgency, ...]:
    """The reasons that apply, in their order."""
    return tuple(compress(REASONS, apply)) if apply.any() else ()


def opinion(whole: Reading, parts: Reading, manner: Manner, is_long: bool) -> Opinion:
    """The opinion of a text. `whole`: its reading as one, or empty; `parts`: the readings of its pieces, or empty."""
    odds = odds_of(whole, parts, is_long)
    best = int(odds.argmax())
    urgency, improbable = learnt_urgency(whole, parts, manner)
    return Opinion(
        label=LABELS[best],
        score=round(float(odds[POSITIVE] - odds[NEGATIVE]), 3),
        confidence=round(float(odds[best]), 3),
        mixed=is_mixed(whole, parts, manner),
        urgency=urgency,
        improbable=improbable,
        passages=passages(parts if len(parts.odds) else whole),
    )


def odds_of(whole: Reading, parts: Reading, is_long: bool) -> Numbers:
    """The probabilities of a text: of its reading as one, or the mean of its pieces; of a long text with both, their mean."""
    if not len(parts.odds) or (len(whole.odds) and not is_long):
        result: Numbers = whole.odds[0]
        return result
    mean: Numbers = parts.odds.mean(axis=0)
    return (whole.odds[0] + mean) / 2 if len(whole.odds) else mean


def passages(read: Reading) -> Sequence[Passage]:
    """The score and the meaning of each piece; empty for a model without embeddings."""
    if read.meanings is None:
        return ()
    scores = read.odds[:, POSITIVE] - read.odds[:, NEGATIVE]
    return [Passage(float(score), meaning) for score, meaning in zip(scores, read.meanings, strict=True)]


def softmax(logits: Numbers, temperature: float) -> Numbers:
    """Softmax of logits (texts × classes), calibrated by a temperature (Guo et al., ICML 2017).

    Raises ValueError if a logit is not finite.
    """
    if not np.isfinite(logits).all():
        raise ValueError("a logit is not finite")
    scaled = logits / temperature
    exponentials = np.exp(scaled - scaled.max(axis=1, keepdims=True))
    probabilities: Numbers = exponentials / exponentials.sum(axis=1, keepdims=True)
    return probabilities
