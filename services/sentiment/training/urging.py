"""Learn the reasons for urgency on a network's meanings: one logistic regression for each reason.

It learns from our own sentences, and from public comments, which are taken to have no reason: few have one.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression

from services.sentiment.domain.reading import Numbers
from services.sentiment.domain.urgency import REASONS
from shared.events import Urgency

Floats = NDArray[np.float32]
STRENGTH = 3.0
"""Inverse strength of the regularisation."""
WEIGHT = 2.0
"""Weight of a sentence with the reason against one without."""
FLAGGED = 0.0003
"""Largest share of public comments, few of which are urgent, with a learnt reason."""
BARS = tuple(round(float(bar), 3) for bar in np.arange(0.3, 0.99, 0.01))


class Linear(NamedTuple):
    """A head: `weights` (reasons × dimensions) and `bias` (reasons)."""

    weights: Floats
    bias: Floats


def fit_reasons(meanings: Floats, truth: Sequence[Urgency | None]) -> Linear:
    """The head for the meanings (texts × dimensions) of texts with at most one reason each."""
    fits = [regression(meanings, np.array([one == reason for one in truth])) for reason in REASONS]
    weights = np.concatenate([fit.coef_ for fit in fits])
    return Linear(weights.astype(np.float32), np.concatenate([fit.intercept_ for fit in fits]).astype(np.float32))


def regression(meanings: Floats, bears: NDArray[np.bool_], strength: float = STRENGTH) -> LogisticRegression:
    return LogisticRegression(C=strength, max_iter=3_000, class_weight={True: WEIGHT, False: 1.0}).fit(meanings, bears)


def bar_for_urgency(probabilities: Numbers) -> float:
    """The lowest threshold that flags at most FLAGGED of public comments. `probabilities`: comments × REASONS."""
    highest = probabilities.max(axis=1)
    return next((bar for bar in BARS if (highest >= bar).mean() <= FLAGGED), BARS[-1])
