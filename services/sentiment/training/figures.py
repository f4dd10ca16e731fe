"""Quality figures of a model on labelled comments, for the model card and the benchmark."""

from collections import defaultdict
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from services.sentiment.domain.scorer import Opinion
from services.sentiment.training.data import KINDS, Row

NEGATIVE, NEUTRAL, POSITIVE = range(3)
NAMES = {"negative": NEGATIVE, "neutral": NEUTRAL, "positive": POSITIVE}
BUCKETS = 15
"""Bins of equal width of the confidence, for the calibration error (Guo et al., ICML 2017)."""


class Figures(NamedTuple):
    """Shares of one: `two_class` is of the rows labelled positive or negative, judged by the score's sign (0 is no praise);
    `ece` is the expected calibration error of the confidence.
    """

    rows: int
    accuracy: float
    macro_f1: float
    macro_recall: float
    two_class: float
    ece: float


def by_source(rows: Sequence[Row], opinions: Sequence[Opinion]) -> dict[str, Figures]:
    """The figures of each source."""
    groups: dict[str, list[int]] = defaultdict(list)
    for place, row in enumerate(rows):
        groups[row.source].append(place)
    return {
        source: figures([rows[p] for p in places], [opinions[p] for p in places]) for source, places in sorted(groups.items())
    }


def figures(rows: Sequence[Row], opinions: Sequence[Opinion]) -> Figures:
    truth = np.array([row.kind for row in rows])
    predicted = np.array([NAMES[opinion.label] for opinion in opinions])
    right = truth == predicted
    polar = truth != NEUTRAL
    glad = np.array([opinion.score for opinion in opinions]) > 0
    present = [kind for kind in range(len(KINDS)) if (truth == kind).any()]
    return Figures(
        rows=len(rows),
        accuracy=float(right.mean()),
        macro_f1=float(np.mean([_f1(truth == kind, predicted == kind) for kind in present])),
        macro_recall=float(np.mean([right[truth == kind].mean() for kind in present])),
        two_class=float((glad == (truth == POSITIVE))[polar].mean()) if polar.any() else float("nan"),
        ece=calibration_error(np.array([opinion.confidence for opinion in opinions]), right),
    )


def mean(sources: Sequence[Figures]) -> Figures:
    """The mean over sources, each with the same weight."""
    columns = np.array(sources, dtype=float)
    return Figures(int(columns[:, 0].sum()), *(float(value) for value in columns[:, 1:].mean(axis=0)))


def calibration_error(confidence: NDArray[np.float64], right: NDArray[np.bool_]) -> float:
    """The mean difference between confidence and accuracy."""
    bucket = np.minimum((confidence * BUCKETS).astype(int), BUCKETS - 1)
    gaps = [abs(float(confidence[bucket == b].sum() - right[bucket == b].sum())) for b in range(BUCKETS)]
    return sum(gaps) / len(confidence)


def _f1(truth: NDArray[np.bool_], predicted: NDArray[np.bool_]) -> float:
    return float(2 * (truth & predicted).sum() / max(1, truth.sum() + predicted.sum()))
