"""What is chosen by held-out rows, the same way for all models: the temperature, and the bars for `mixed` and for themes."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from services.sentiment.domain import themes
from services.sentiment.domain.reading import Meanings, Read, ambivalence, pieces, softmax
from services.sentiment.training.figures import calibration_error

FLAGGED = 0.02
"""The share of rows, each labelled with one pole, that may be called mixed."""
RECALL = 1.5
"""How much finding a theme counts beside not telling a wrong one."""
POLES = tuple(round(float(bar), 3) for bar in np.arange(0.4, 0.95, 0.025))


def temperature(logits: NDArray[Any], kinds: NDArray[np.int64]) -> float:
    """What makes the labels likeliest (Guo et al., ICML 2017)."""

    def surprise(warmth: float) -> float:
        scaled = logits / warmth
        return float(np.mean(np.logaddexp.reduce(scaled, axis=1) - scaled[np.arange(len(kinds)), kinds]))

    return float(min(np.geomspace(0.2, 3, 200), key=surprise))


def honest_temperature(logits: NDArray[Any], kinds: NDArray[np.int64]) -> float:
    """What makes the model as often right as it says: for one so flexible that the likeliest leaves it too sure of itself."""

    def error(warmth: float) -> float:
        odds = softmax(logits, warmth)
        return calibration_error(odds.max(axis=1), odds.argmax(axis=1) == kinds)

    return float(min(np.geomspace(0.5, 3, 100), key=error))


def pole(texts: Sequence[str], read: Read) -> float:
    """The lowest bar for `mixed` that flags few of the comments that humans gave one label."""
    parts = [found if len(found := pieces(text)) > 1 else [] for text in texts]
    odds = read([part for of in parts for part in of])
    ends = np.cumsum([len(of) for of in parts])
    clear = np.array([ambivalence(odds[end - len(of) : end]) for of, end in zip(parts, ends, strict=True)])
    return next((bar for bar in POLES if (clear >= bar).mean() <= FLAGGED), POLES[-1])


def nearness(likeness: Meanings, bears: NDArray[np.bool_]) -> float:
    """The likeness (pieces × themes) from which on a theme is told, by the best F of all pairs told as in service: the labels
    name one theme of a piece, so what is told beside it is less certainly wrong than what is missed is.
    """
    bars = np.arange(0.05, 0.9, 0.01)
    return round(float(max(bars, key=lambda bar: f_measure(themes.matches(likeness, bar), bears, RECALL))), 2)


def f_measure(told: NDArray[np.bool_], truth: NDArray[np.bool_], beta: float = 1.0) -> float:
    """The mean of precision and recall in which recall counts `beta` times (van Rijsbergen, 1979); 0 where nothing is told."""
    return float((1 + beta**2) * (told & truth).sum() / max(1.0, told.sum() + beta**2 * truth.sum()))
