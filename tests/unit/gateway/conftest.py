"""Fixtures of the live hub's tests."""

import pytest

from tests.unit.gateway.fake_metrics import Metrics


@pytest.fixture
def metrics() -> Metrics:
    return Metrics()
