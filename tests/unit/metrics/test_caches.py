"""Caches of sealed spans have a bound: the entry that was not used for longest is forgotten."""

from datetime import UTC, datetime

from services.metrics.domain.histogram import Histogram
from services.metrics.evaluation.row_cache import CachedBucket, RowCache
from services.metrics.store.run_cache import RunCache, RunSum
from services.metrics.store.spans import ConfirmedSeal, Run

SINCE = datetime(2026, 1, 1, tzinfo=UTC)


def run(number: int) -> Run:
    return (ConfirmedSeal(number, SINCE),)


def part(bins: int) -> RunSum:
    return RunSum({(): Histogram(dict.fromkeys(range(bins), 1))}, bins)


def test_the_runs_that_were_used_last_are_cached() -> None:
    cache = RunCache(most_bins=400)
    for number in range(4):
        cache.add(("acme", run(number)), part(80))
    assert cache.get(("acme", run(0))) is not None
    cache.add(("acme", run(4)), part(80))
    assert [cache.get(("acme", run(number))) is not None for number in range(5)] == [True, False, True, True, True]


def test_a_run_that_is_cached_again_takes_its_room_once() -> None:
    cache = RunCache(most_bins=400)
    for _ in range(100):
        cache.add(("acme", run(1)), part(80))
    cache.add(("acme", run(2)), part(80))
    assert cache.get(("acme", run(1))) == part(80)


def test_a_run_that_would_take_most_of_the_room_is_not_cached() -> None:
    cache = RunCache(most_bins=400)
    cache.add(("acme", run(1)), part(80))
    cache.add(("acme", run(2)), part(300))
    assert [cache.get(("acme", run(number))) is not None for number in (1, 2)] == [True, False]


def test_a_seal_of_the_same_id_of_another_time_is_another_run() -> None:
    cache = RunCache()
    cache.add(("acme", run(1)), part(3))
    assert cache.get(("acme", (ConfirmedSeal(1, SINCE.replace(year=2027)),))) is None


def test_the_rows_of_the_queries_that_were_used_last_are_cached() -> None:
    rows = RowCache(most_bytes=3000)
    bucket = CachedBucket({(): b"x" * 100}, frozenset(), 1)
    for query in ("a", "b"):
        for number in range(3):
            rows.add((query,), (number,), bucket)
    assert len(rows.of(("a",))) == 3
    rows.add(("c",), (0,), bucket)
    assert [len(rows.of((query,))) for query in "abc"] == [3, 0, 1]
    for number in range(100):
        rows.add(("c",), (number,), bucket)
    assert sum(len(rows.of((query,))) for query in "abc") <= 6
