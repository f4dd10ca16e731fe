"""Choose by held-out rows, for all models: the temperature, and the thresholds for `mixed` and for themes."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from services.sentiment.domain import themes
from services.sentiment.domain.reading import Meanings, Read, ambivalence, pieces, softmax
from services.sentiment.training.figures import calibration_error

FLAGGED = 0.02
"""Largest share of rows with a single pole that may be flagged as mixed."""
RECALL = 1.5
"""Weight of recall against precision for themes (beta of the F measure)."""
POLES = tuple(round(float(bar), 3) for bar in np.arange(0.4, 0.95, 0.025))


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
    parts = [cut if len(cut := pieces(text)) > 1 else [] for text in texts]
    odds = read([part for of in parts for part in of])
    ends = np.cumsum([len(of) for of in parts])
    clear = np.array([ambivalence(odds[end - len(of) : end]) for of, end in zip(parts, ends, strict=True)])
    return next((bar for bar in POLES if (clear >= bar).mean() <= FLAGGED), POLES[-1])


def nearness(likeness: Meanings, bears: NDArray[np.bool_]) -> float:
    """The likeness from which on a theme matches, by the best F measure of all pairs of `likeness` (pieces × themes).

    Recall counts more: labels name one theme of a piece, so an additional theme is less certainly wrong than a missing one.
    """
    bars = np.arange(0.05, 0.9, 0.01)
    return round(float(max(bars, key=lambda bar: f_measure(themes.matches(likeness, bar), bears, RECALL))), 2)


def f_measure(predicted: NDArray[np.bool_], truth: NDArray[np.bool_], beta: float = 1.0) -> float:
    """The F measure, in which recall counts `beta` times (van Rijsbergen, 1979); 0 without predictions."""
    return float((1 + beta**2) * (predicted & truth).sum() / max(1.0, predicted.sum() + beta**2 * truth.sum()))
