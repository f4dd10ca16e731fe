"""Whether a difference is more than noise, from the two intervals."""

import pytest

from services.metrics.domain.estimators import Estimate, proportion
from services.metrics.evaluation.results import significant


@pytest.mark.parametrize(
    ("one", "other", "told"),
    [
        ((86, 100), (62, 100), True),
        ((62, 100), (86, 100), True),
        ((80, 100), (75, 100), False),
        ((800, 1000), (750, 1000), True),
        ((50, 100), (50, 100), False),
        ((0, 5), (5, 5), True),
    ],
)
def test_shares_differ_when_newcombes_interval_leaves_out_0(one: tuple[int, int], other: tuple[int, int], told: bool) -> None:
    assert significant(proportion(*one, None), proportion(*other, None)) is told


def test_newcombes_own_example_is_significant_by_a_hair() -> None:
    """56 of 70 and 48 of 80: 0.20 with 0.0524 to 0.3339 (Newcombe 1998, table II, method 10)."""
    assert significant(proportion(56, 70, None), proportion(48, 80, None)) is True
    assert significant(proportion(56, 70, None), proportion(53, 80, None)) is False


@pytest.mark.parametrize("other", [Estimate(None, 0), Estimate(3, 3)])
def test_what_has_no_interval_can_not_be_told(other: Estimate) -> None:
    assert significant(proportion(8, 10, None), other) is None
