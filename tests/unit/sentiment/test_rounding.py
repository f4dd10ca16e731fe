"""Rounding to eight bits: a product is close to that of floats, for channels of all sizes."""

import numpy as np
from numpy.typing import NDArray

from services.sentiment.training.rounding import Flow, Rounding, rounding

Floats = NDArray[np.float32]


def flow_of(rows: Floats) -> Flow:
    return Flow(rows[0], rows[0]).met(rows)


def restored(rows: Floats, way: Rounding) -> Floats:
    """Rows after rounding and back."""
    whole = np.clip(np.rint(rows / way.even / way.unit) + way.zero, 0, 255)
    return ((whole - way.zero) * way.unit * way.even).astype(np.float32)


def lost(rows: Floats, weights: Floats, way: Rounding) -> float:
    """The mean error of a product with rounded rows, as a share of its mean size."""
    exact, rounded = rows @ weights, restored(rows, way) @ weights
    return float(np.abs(rounded - exact).mean() / np.abs(exact).mean())


def test_rounding_keeps_zero_and_covers_the_range() -> None:
    rows = np.array([[-1.0, 0.0, 0.0], [3.0, 0.5, 0.0]], np.float32)
    way = rounding(flow_of(rows), np.ones((3, 2), np.float32))
    assert restored(np.zeros((1, 3), np.float32), way).tolist() == [[0.0, 0.0, 0.0]]
    assert np.abs(restored(rows, way) - rows).max() <= way.unit * way.even.max()


def test_a_large_channel_does_not_hide_the_others() -> None:
    chance = np.random.default_rng(0)
    rows = chance.normal(size=(200, 64)).astype(np.float32)
    rows[:, 5] *= 60
    weights = chance.normal(size=(64, 32)).astype(np.float32)
    weights[5] /= 60
    way = rounding(flow_of(rows), weights)
    uneven = Rounding(np.ones(64, np.float32), np.float32((rows.max() - rows.min()) / 255), np.uint8(128))
    assert lost(rows, weights, way) < 0.02
    assert lost(rows, weights, way) < lost(rows, weights, uneven) / 4


def test_observed_rows_only_widen_the_range() -> None:
    flow = flow_of(np.array([[1.0, -2.0]], np.float32)).met(np.array([[0.0, 5.0]], np.float32))
    assert (flow.least.tolist(), flow.greatest.tolist()) == ([0.0, -2.0], [1.0, 5.0])
