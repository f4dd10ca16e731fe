"""The page about scale has the needs that are computed from the measured costs."""

from pathlib import Path

import pytest

from bench import simulation
from bench.capacity import FEW, MANY, MEASURED, VOLUMES, Costs, need, rest, rest_table, table

PAGE = Path(__file__).parents[3] / "docs" / "scale.md"
COSTS = Costs(
    ingest=0.001,
    ingest_database=0.0002,
    scoring=0.01,
    metrics=0.0005,
    metrics_database=0.0003,
    sealing=0.0001,
    inbox_bytes=2_000,
    metrics_bytes=1_000,
    kafka_bytes=500,
)


def test_the_page_has_the_table_of_needs() -> None:
    assert "\n".join(table(MEASURED)) in PAGE.read_text()


def test_the_page_has_the_table_of_tenants() -> None:
    assert "\n".join(rest_table()) in PAGE.read_text()


def test_tenants_use_as_much_as_the_line_through_the_measurements_says_except_where_a_bound_is_lower() -> None:
    assert rest(10).cores[0] == pytest.approx(FEW.cores[0])
    assert rest(1_000).cores == pytest.approx(MANY.cores)
    assert rest(1_000).memory == MANY.memory
    one = rest(1_990)
    assert one.cores == pytest.approx((2.4, 0.7, 6.54, 0.65))
    assert one.postgres == pytest.approx(6.65)
    assert one.memory == (133, 224, 249, 134)


def test_a_need_grows_with_the_peak_rate() -> None:
    assert need(86_400_000, COSTS).peak == pytest.approx(5_000)
    one = need(86_400_000, COSTS)
    assert (one.ingest, one.sentiment, one.metrics) == (9, 34, 5)
    assert one.database_cores == pytest.approx((1.667, 3.333), rel=1e-3)
    assert one.disk == pytest.approx((63_072, 31_536))
    assert (one.partitions, one.databases) == (102, 8)


def test_the_smallest_installation_has_two_pods_of_each() -> None:
    one = need(1_000, COSTS)
    assert (one.ingest, one.sentiment, one.metrics, one.partitions, one.databases) == (2, 2, 2, 6, 1)


def test_the_page_covers_up_to_a_billion_events_a_day() -> None:
    assert max(VOLUMES) == 10**9


def test_the_page_has_the_table_of_the_simulation() -> None:
    assert "\n".join(simulation.table(MEASURED)) in PAGE.read_text()


@pytest.mark.parametrize("used", [0.5, 0.9])
def test_simulated_waits_are_those_of_queueing_theory(used: float) -> None:
    """An M/M/1 queue: a share of 1 - used waits 0 seconds, the mean is used / (1 - used) of a service time."""
    waited = simulation.waits(rate=used * 100, cost=0.01, seconds=20_000, seed=1)
    assert waited.mean() == pytest.approx(0.01 * used / (1 - used), rel=0.1)
    assert (waited == 0).mean() == pytest.approx(1 - used, rel=0.05)


def test_the_fullest_pod_gets_whole_partitions() -> None:
    one = need(86_400_000, COSTS)
    assert simulation.shares_of_fullest_pod(one, lost=0) == (1 / 9, 3 / 102, 21 / 102)
    assert simulation.shares_of_fullest_pod(one, lost=1) == (1 / 8, 4 / 102, 26 / 102)
