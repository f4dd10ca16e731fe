"""Choose by held-out rows, for all models: the temperature, and the thresholds for `mixed` and for themes."""

from collections.abc import Sequence
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray

from services.sentiment.domain import themes
from services.sentiment.domain.reading import Manner, Meanings, Numbers, Read, ambivalence, learnt_both, pieces, readings, softmax
from services.sentiment.domain.versions import LATEST
from services.sentiment.training.figures import calibration_error

FLAGGED = 0.02
"""Largest share of rows with a single pole that may be flagged as mixed."""
RECALL = 1.5
"""Weight of recall against precision for themes (beta of the F measure)."""
FALSE = 0.035
"""Largest flagged share of such rows for a model that has learnt `mixed`: the aim is 5 % on comments that are not like these."""
BARS = tuple(round(float(bar), 2) for bar in np.arange(0.05, 0.9, 0.01))
"""Possible thresholds for themes."""
ALIKE = 0.1
"""Largest flagged share of comments that only seem mixed."""
BOTH = tuple(round(float(bar), 3) for bar in np.arange(0.3, 0.99, 0.025))
POLES = tuple(round(float(bar), 3) for bar in np.arange(0.4, 0.95, 0.025))


Signs = Numbers


def temperature(logits: NDArray[Any], kinds: NDArray[np.int64]) -> float:
    """The temperature that maximises the likelihood of the labels (Guo et al., ICML 2017)."""

    def surprise(warmth: float) -> float:
        scaled = logits / warmth
        return float(np.mean(np.logaddexp.reduce(scaled, axis=1) - scaled[np.arange(len(kinds)), kinds]))

    return float(min(np.geomspace(0.2, 3, 200), key=surprise))


def honest_temperature(logits: NDArray[Any], kinds: NDArray[np.int64]) -> float:
    """The temperature with the least calibration error, for a model that the likelihood leaves overconfident."""

    def error(warmth: float) -> float:
        odds = softmax(logits, warmth)
        return calibration_error(odds.max(axis=1), odds.argmax(axis=1) == kinds)

    return float(min(np.geomspace(0.5, 3, 100), key=error))


def pole(texts: Sequence[str], read: Read) -> float:
    """The lowest threshold for `mixed` that flags at most FLAGGED of the comments with one human label."""
    parts = [cut if len(cut := pieces(text, LATEST)) > 1 else [] for text in texts]
    odds = read([part for of in parts for part in of])
    ends = np.cumsum([len(of) for of in parts])
    clear = np.array([ambivalence(odds[end - len(of) : end]) for of, end in zip(parts, ends, strict=True)])
    return next((bar for bar in POLES if (clear >= bar).mean() <= FLAGGED), POLES[-1])


def bars_for_mixed(
    texts: Sequence[str], two_sided: Sequence[str], one_sided: Sequence[str], read: Read, manner: Manner
) -> tuple[float, float]:
    """The thresholds `pole` and `both` of `mixed` that find the most of `two_sided`, held-out comments that praise and complain,
    while at most FALSE of `texts`, which have one label, are flagged, and at most ALIKE of `one_sided`, which only seem to do
    both. `manner`: how texts are read; its own thresholds of `mixed` count for nothing.
    """
    honest, mixed, alike = (signs_of_mixed(some, read, manner) for some in (texts, two_sided, one_sided))

    def flagged(signs: Signs, bars: tuple[float, float]) -> float:
        return float(((signs[:, 0] >= bars[0]) | (signs[:, 1] >= bars[1])).mean())

    possible = [bars for bars in product(POLES, BOTH) if flagged(honest, bars) <= FALSE and flagged(alike, bars) <= ALIKE]
    return max(possible or [(POLES[-1], BOTH[-1])], key=lambda bars: flagged(mixed, bars))


def signs_of_mixed(texts: Sequence[str], read: Read, manner: Manner) -> Signs:
    """The two signs that a text is mixed (texts × 2): how clearly its pieces point both ways, and what the model has learnt."""
    return np.array([(ambivalence(parts), learnt_both(whole, parts)) for whole, parts in readings(texts, read, manner, LATEST)])


def nearness(likeness: Meanings, bears: NDArray[np.bool_]) -> float:
    """The likeness from which on a theme matches, by the best F measure of all pairs of `likeness` (pieces × themes).

    Recall counts more: labels name one theme of a piece, so an additional theme is less certainly wrong than a missing one.
    """
    return max(BARS, key=lambda bar: f_measure(themes.matches(likeness, bar), bears, RECALL))


def nearness_of_as_many(likeness: Meanings, matches: int) -> float:
    """The highest threshold at which at least `matches` pairs of `likeness` (pieces × themes) match.

    With the number of the former network, a tenant's counts of themes stay comparable when it changes the model.
    """
    return next((bar for bar in reversed(BARS) if themes.matches(likeness, bar).sum() >= matches), BARS[0])


def nearness_of_precision(likeness: Meanings, bears: NDArray[np.bool_], precision: float) -> float:
    """The lowest threshold at which the share `precision` of the matching pairs of `likeness` (pieces × themes) is right.

    With the precision of the former network, a better one finds more themes and no larger share of wrong ones.
    """
    return next((bar for bar in BARS if precision_of(themes.matches(likeness, bar), bears) >= precision), BARS[-1])


def precision_of(predicted: NDArray[np.bool_], truth: NDArray[np.bool_]) -> float:
    """The share of predictions that are right; 0 without predictions."""
    return float((predicted & truth).sum() / max(1, predicted.sum()))


def f_measure(predicted: NDArray[np.bool_], truth: NDArray[np.bool_], beta: float = 1.0) -> float:
    """The F measure, in which recall counts `beta` times (van Rijsbergen, 1979); 0 without predictions."""
    return float((1 + beta**2) * (predicted & truth).sum() / max(1.0, predicted.sum() + beta**2 * truth.sum()))
