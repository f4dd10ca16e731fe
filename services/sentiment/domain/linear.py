"""The linear model: logistic regressions over hashed words and pieces of words, in numpy, thousands of comments a second."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from services.sentiment.domain.features import Features, features
from services.sentiment.domain.preprocessing import prepared
from services.sentiment.domain.reading import LABELS, Manner, Numbers, Reading, opinions, shares
from services.sentiment.domain.scorer import Model, Opinion


@dataclass(frozen=True, slots=True)
class LinearModel:
    """What training leaves.

    `weights` (bins × negative, neutral, positive) and `idf` (inverse document frequency of each bin, 0 for one never met) are
    small integers, worth a `weight_unit` and an `idf_unit` each. `temperature` calibrates.
    """

    model: Model
    weights: NDArray[np.int8]
    weight_unit: float
    idf: NDArray[np.uint8]
    idf_unit: float
    bias: Numbers
    temperature: float
    manner: Manner


class LinearScorer:
    """Scores with a trained model: arithmetic alone, in which no text touches another."""

    def __init__(self, trained: LinearModel) -> None:
        self.model = trained.model
        self._trained = trained

    def score(self, texts: Sequence[str]) -> list[Opinion]:
        return opinions(texts, self.read, self._trained.manner)

    def read(self, texts: Sequence[str]) -> Reading:
        """What is in texts, each read as it is."""
        logits = decisions(self._trained, features([prepared(text) for text in texts]), len(texts))
        return Reading(shares(logits, self._trained.temperature))


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
