"""How a model's bars are chosen by held-out rows."""

from collections.abc import Sequence

import numpy as np
import pytest

from services.sentiment.domain.reading import Reading, softmax
from services.sentiment.training import choosing
from services.sentiment.training.figures import calibration_error


def read(texts: Sequence[str]) -> Reading:
    """Reads in a piece the share of praise and of blame that it begins with, as in "0.7 0.1 it is"."""
    softmax = [list(map(float, text.split()[:2])) for text in texts]
    return Reading(np.array([(bad, 1 - good - bad, good) for good, bad in softmax]).reshape(-1, 3))


def ambivalence(strength: float) -> str:
    return f"{strength} 0.1 it is good. 0.1 {strength} it is bad."


def test_the_temperature_is_above_one_for_an_overconfident_model_and_below_for_a_timid_one() -> None:
    chance = np.random.default_rng(0)
    kinds = chance.integers(0, 3, 2_000)
    honest = chance.normal(0, 1, (2_000, 3)) + 1.5 * np.eye(3)[kinds]
    own = choosing.temperature(honest, kinds)
    assert choosing.temperature(2 * honest, kinds) == pytest.approx(2 * own, rel=0.05)
    assert choosing.temperature(honest / 2, kinds) == pytest.approx(own / 2, rel=0.05)


def test_the_honest_temperature_calibrates_the_confidence() -> None:
    chance = np.random.default_rng(0)
    kinds = chance.integers(0, 3, 4_000)
    logits = 4 * (chance.normal(0, 1, (4_000, 3)) + 1.5 * np.eye(3)[kinds])
    odds = softmax(logits, choosing.honest_temperature(logits, kinds))
    assert calibration_error(odds.max(axis=1), odds.argmax(axis=1) == kinds) < 0.02
    raw = softmax(logits, 1.0)
    assert calibration_error(raw.max(axis=1), raw.argmax(axis=1) == kinds) > 0.1


def test_the_threshold_for_mixed_is_the_lowest_that_flags_few() -> None:
    plain = ["0.8 0.1 it is one piece alone"] * 95
    assert choosing.pole(plain + [ambivalence(0.44)] * 3 + [ambivalence(0.64)] * 2, read) == 0.45
    assert choosing.pole(plain + [ambivalence(0.64)] * 5, read) == 0.65
    assert choosing.pole(plain, read) == choosing.POLES[0]


def test_the_threshold_for_themes_separates_matching_pieces_from_others() -> None:
    likeness = np.array([[0.8, 0.3], [0.7, 0.45], [0.2, 0.75], [0.385, 0.1]])
    bears = likeness > 0.6
    assert 0.385 < choosing.nearness(likeness, bears) <= 0.7


def test_a_threshold_finds_as_many_themes_as_another_model_and_no_fewer() -> None:
    likeness = np.array([[0.605, 0.1], [0.405, 0.1], [0.305, 0.1]], np.float32)
    assert [choosing.nearness_of_as_many(likeness, matches) for matches in (1, 2, 3)] == [0.6, 0.4, 0.3]


def test_a_threshold_is_the_lowest_with_the_precision_of_another_model() -> None:
    likeness = np.array([[0.605, 0.1], [0.405, 0.1], [0.305, 0.1]], np.float32)
    bears = np.array([[True, False], [True, False], [False, False]])
    assert choosing.nearness_of_precision(likeness, bears, 0.6) == 0.05
    assert choosing.nearness_of_precision(likeness, bears, 0.7) == 0.31


def test_a_theme_far_below_the_likeliest_does_not_raise_the_threshold() -> None:
    likeness = np.array([[0.8, 0.5], [0.3, 0.1]])
    assert choosing.nearness(likeness, np.array([[True, False], [True, False]])) <= 0.3


def test_f1_without_predictions_is_zero() -> None:
    none, some = np.zeros((2, 2), bool), np.eye(2, dtype=bool)
    assert (choosing.f_measure(none, some), choosing.f_measure(some, some, 2.0)) == (0.0, 1.0)
