"""A filter finds a name whichever Unicode form the caller sends."""

from datetime import UTC, datetime

import pytest

from services.metrics.api.questions import read
from services.metrics.domain.kpis import KPIS


@pytest.mark.parametrize("name", ["Cafe\u0301", "Caf\u00e9"])
def test_filter_values_are_compared_in_nfc(name: str) -> None:
    now = datetime(2026, 11, 20, tzinfo=UTC)
    question = read(KPIS["nps"], [("filter[team]", name), ("filter[region]", f"!{name}")], now=now, zone="UTC", model="m")
    assert [(one.include, one.exclude) for one in question.selection.filters] == [(("Caf\u00e9",), ()), ((), ("Caf\u00e9",))]
