"""Whether a difference is significant, from the two intervals."""

import pytest

from services.metrics.domain.estimators import Estimate, proportion
from services.metrics.evaluation.results import significant


@pytest.mark.parametrize(
    ("one", "other", "significance"),
    [
        ((86, 100), (62, 100), True),
        ((62, 100), (86, 100), True),
        ((80, 100), (75, 100), False),
        ((800, 1000), (750, 1000), True),
        ((50, 100), (50, 100), False),
        ((0, 5), (5, 5), True),
    ],
)
def test_shares_differ_significantly_if_newcombes_interval_excludes_0(
    one: tuple[int, int], other: tuple[int, int], significance: bool
) -> None:
    assert significant(proportion(*one, None), proportion(*other, None)) is significance


def test_newcombes_own_example_is_barely_significant() -> None:
    """56 of 70 and 48 of 80: 0.20 with 0.0524 to 0.3339 (Newcombe 1998, table II, method 10)."""
    assert significant(proportion(56, 70, None), proportion(48, 80, None)) is True
    assert significant(proportion(56, 70, None), proportion(53, 80, None)) is False


@pytest.mark.parametrize("other", [Estimate(None, 0), Estimate(3, 3)])
def test_without_an_interval_the_significance_is_unknown(other: Estimate) -> None:
    assert significant(proportion(8, 10, None), other) is None
