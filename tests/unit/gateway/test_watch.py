from typing import Any

import pytest

from services.gateway.domain.watch import UPCOMING, fingerprint, parse_watch, recheck_seconds


def result(value: float | None = 41.2, window: tuple[str, str] = ("a", "b"), **row: Any) -> dict[str, Any]:
    rows = [{"from": window[0], "to": window[1], "value": value, "n": 3} | row]
    return {"kpi": "nps", "version": 1, "window": {"from": window[0], "to": window[1]}, "watermark": window[1], "rows": rows}


def test_equal_queries_are_normalised_to_one_string() -> None:
    one = parse_watch([("kpis", "nps,csat"), ("window", "24h"), ("filter[team]", "a b"), ("compare", "x"), ("compare", "a")])
    two = parse_watch(
        [("filter[team]", "a b"), ("compare", "x"), ("kpis", "nps"), ("kpis", " csat,nps"), ("compare", "a"), ("window", "24h")]
    )
    assert one == two
    assert one.kpis == ("nps", "csat")
    assert one.query == "compare=x&compare=a&filter%5Bteam%5D=a+b&window=24h"


@pytest.mark.parametrize("kpis", ["", ",", ",".join(f"k{n}" for n in range(31))])
def test_none_or_too_many_kpis_are_refused(kpis: str) -> None:
    with pytest.raises(ValueError, match="1 to 30"):
        parse_watch([("kpis", kpis)])


def test_a_stream_watches_kpis_or_the_upcoming_deadlines() -> None:
    watch = parse_watch([("within", "4h"), ("sla", "upcoming"), ("filter[team]", "a")])
    assert (watch.kpis, watch.query, watch.recheck) == ((UPCOMING,), "filter%5Bteam%5D=a&within=4h", 10)
    with pytest.raises(ValueError, match="not both"):
        parse_watch([("kpis", "nps"), ("sla", "upcoming")])


def test_a_list_of_deadlines_has_the_same_fingerprint_until_a_row_changes() -> None:
    def deadlines(now: str, seconds_left: int, state: str = "running") -> dict[str, Any]:
        return {"now": now, "rows": [{"subject": "c1/ticket/1", "seconds_left": seconds_left, "state": state}], "next": None}

    assert fingerprint(deadlines("a", 60)) == fingerprint(deadlines("b", 50))
    assert fingerprint(deadlines("a", 60)) != fingerprint(deadlines("b", -1, "breached"))


def test_a_query_that_is_too_long_is_refused() -> None:
    with pytest.raises(ValueError, match="longer"):
        parse_watch([("kpis", "nps"), ("filter[team]", "x" * 5_000)])


@pytest.mark.parametrize(
    ("window", "seconds"),
    [("15m", 1.0), ("1h", 3.6), ("100m", 6.0), ("24h", 10.0), ("365d", 10.0), ("today", 10.0), ("", 10.0), ("0m", 10.0)],
)
def test_short_windows_are_evaluated_more_often(window: str, seconds: float) -> None:
    assert recheck_seconds(window) == seconds


def test_a_window_that_only_moved_has_the_same_fingerprint() -> None:
    assert fingerprint(result(window=("a", "b"))) == fingerprint(result(window=("c", "d")))


@pytest.mark.parametrize(
    "other", [result(None), result(n=4), result(flags=["low_n"]), result() | {"version": 2}, result() | {"rows": []}]
)
def test_any_other_change_has_another_fingerprint(other: dict[str, Any]) -> None:
    assert fingerprint(result()) != fingerprint(other)


def test_a_bucket_that_moved_has_another_fingerprint() -> None:
    def series(middle: str) -> dict[str, Any]:
        rows = [{"from": "a", "to": middle, "n": 0}, {"from": middle, "to": "b", "n": 0}]
        return {"kpi": "nps", "window": {"from": "a", "to": "b"}, "rows": rows}

    assert fingerprint(series("m")) != fingerprint(series("o"))
