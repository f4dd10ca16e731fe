"""How a model's bars are chosen by held-out rows."""

from collections.abc import Sequence

import numpy as np
import pytest

from services.sentiment.domain.scorer import Model, Opinion
from services.sentiment.training import choosing


class Flags:
    """A scorer that calls a text mixed if the number in it is at least its bar."""

    model = Model("flags", "1")

    def __init__(self, bar: float) -> None:
        self.bar = bar

    def score(self, texts: Sequence[str]) -> list[Opinion]:
        return [Opinion("neutral", 0.0, 0.5, mixed=float(text) >= self.bar) for text in texts]


def test_an_overconfident_model_is_cooled_and_a_timid_one_warmed() -> None:
    chance = np.random.default_rng(0)
    kinds = chance.integers(0, 3, 2_000)
    honest = chance.normal(0, 1, (2_000, 3)) + 1.5 * np.eye(3)[kinds]
    own = choosing.temperature(honest, kinds)
    assert choosing.temperature(2 * honest, kinds) == pytest.approx(2 * own, rel=0.05)
    assert choosing.temperature(honest / 2, kinds) == pytest.approx(own / 2, rel=0.05)


def test_the_bar_for_mixed_is_the_lowest_that_flags_few() -> None:
    assert choosing.pole(Flags, ["0.3"] * 95 + ["0.44"] * 3 + ["0.64"] * 2) == 0.45
    assert choosing.pole(Flags, ["0.3"] * 95 + ["0.64"] * 5) == 0.65
    assert choosing.pole(Flags, ["0.1"] * 50) == choosing.POLES[0]


def test_the_bar_for_themes_parts_those_that_bear_from_those_that_do_not() -> None:
    likeness = np.array([[0.8, 0.3], [0.7, 0.45], [0.2, 0.75], [0.4, 0.1]])
    bears = likeness > 0.6
    assert 0.44 < choosing.nearness(likeness, bears) <= 0.7


def test_f1_of_nothing_told_is_nought() -> None:
    none, some = np.zeros((2, 2), bool), np.eye(2, dtype=bool)
    assert (choosing.f1(none, some), choosing.f1(some, some)) == (0.0, 1.0)
