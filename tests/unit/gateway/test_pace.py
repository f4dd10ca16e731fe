from services.gateway.live.query import Pace


def test_fast_queries_are_evaluated_at_most_once_an_interval_and_slow_ones_less_often() -> None:
    pace = Pace(min_interval=0.05, rest_ratio=1, max_rest=2)
    assert pace.rest(0.01) == 0.04
    assert pace.rest(0.04) == 0.04
    assert pace.rest(0.5) == 0.5
    assert pace.rest(30) == 2
