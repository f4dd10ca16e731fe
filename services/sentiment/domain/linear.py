"""The linear model: logistic regressions over hashed words and pieces of words, in numpy, thousands of comments a second.

A text of several sentences is also read piece by piece: a long one gets the mean of its pieces, and one whose pieces point both
ways is `mixed`.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from services.sentiment.domain.features import Features, features
from services.sentiment.domain.pieces import pieces
from services.sentiment.domain.preprocessing import prepared
from services.sentiment.domain.scorer import Model, Opinion
from shared.events import Label

LABELS: tuple[Label, ...] = ("negative", "neutral", "positive")
NEGATIVE, POSITIVE = 0, 2

Numbers = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class LinearModel:
    """What training leaves.

    `weights` (bins × negative, neutral, positive) and `idf` (inverse document frequency of each bin, 0 for one never met) are
    small integers, worth a `weight_unit` and an `idf_unit` each. `temperature` calibrates. `pole` is the probability from which
    on a piece counts for `mixed`; a text of `long` characters or more gets the mean of its pieces instead of being read as one.
    """

    model: Model
    weights: NDArray[np.int8]
    weight_unit: float
    idf: NDArray[np.uint8]
    idf_unit: float
    bias: Numbers
    temperature: float
    pole: float
    long: int


class LinearScorer:
    """Scores with a trained model: arithmetic alone, in which no text touches another."""

    def __init__(self, trained: LinearModel) -> None:
        self.model = trained.model
        self._trained = trained

    def score(self, texts: Sequence[str]) -> list[Opinion]:
        parts = [pieces(text) for text in texts]
        split = [(place, part) for place, found in enumerate(parts) if len(found) > 1 for part in found]
        odds = probabilities(self._trained, [*texts, *(part for _, part in split)])
        owners = np.array([place for place, _ in split], dtype=np.int64)
        of_parts = odds[len(texts) :]
        bounds = np.searchsorted(owners, np.arange(len(texts) + 1))
        return [
            self._opinion(odds[place], of_parts[bounds[place] : bounds[place + 1]], len(text)) for place, text in enumerate(texts)
        ]

    def _opinion(self, whole: Numbers, parts: Numbers, length: int) -> Opinion:
        odds = parts.mean(axis=0) if len(parts) and length >= self._trained.long else whole
        best = int(odds.argmax())
        return Opinion(
            label=LABELS[best],
            score=round(float(odds[POSITIVE] - odds[NEGATIVE]), 4),
            confidence=round(float(odds[best]), 4),
            mixed=bool(len(parts) and parts[:, [NEGATIVE, POSITIVE]].max(axis=0).min() >= self._trained.pole),
        )


def probabilities(trained: LinearModel, texts: Sequence[str]) -> Numbers:
    """The calibrated probability of negative, neutral and positive for each text."""
    logits = decisions(trained, features([prepared(text) for text in texts]), len(texts)) / trained.temperature
    grown = np.exp(logits - logits.max(axis=1, keepdims=True))
    shares: Numbers = grown / grown.sum(axis=1, keepdims=True)
    return shares


def decisions(trained: LinearModel, found: Features, texts: int) -> Numbers:
    """The logit of each class for each text, summed in the order of its bins, whoever else is in the batch."""
    values = unit_values(found, trained.idf[found.bins].astype(np.float64) * trained.idf_unit, texts) * trained.weight_unit
    weights = trained.weights[found.bins]
    columns = [np.bincount(found.texts, values * weights[:, kind], minlength=texts) for kind in range(len(LABELS))]
    logits: Numbers = np.stack(columns, axis=1) + trained.bias
    return logits


def unit_values(found: Features, idf: Numbers, texts: int) -> Numbers:
    """TF-IDF with 1 + ln(count), each text of length one. `idf` is that of each occurring bin."""
    values = (1 + np.log(found.counts)) * idf
    lengths = np.sqrt(np.bincount(found.texts, values * values, minlength=texts))
    lengths[lengths == 0] = 1
    scaled: Numbers = values / lengths[found.texts]
    return scaled
