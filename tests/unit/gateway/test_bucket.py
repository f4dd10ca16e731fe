from hypothesis import given
from hypothesis import strategies as st

from services.gateway.domain.bucket import Bucket, Rate, seconds_until_token, take

RATE = Rate(per_second=2, burst=3)


def test_a_burst_is_allowed_and_then_the_rate() -> None:
    bucket: Bucket | None = None
    allowed = []
    for _ in range(4):
        bucket, ok = take(bucket, RATE, now=10.0)
        allowed.append(ok)
    assert allowed == [True, True, True, False]
    assert bucket
    assert seconds_until_token(bucket, RATE) == 0.5
    assert take(bucket, RATE, now=10.4)[1] is False
    assert take(bucket, RATE, now=10.5)[1] is True


def test_a_clock_that_steps_back_takes_no_tokens() -> None:
    bucket, _ = take(None, RATE, now=10.0)
    assert take(bucket, RATE, now=5.0)[0].tokens == 1


@given(st.lists(st.floats(0, 0.5), max_size=200))
def test_no_more_requests_are_allowed_than_burst_and_rate(rests: list[float]) -> None:
    bucket, now, passed = None, 0.0, 0
    for rest in rests:
        now += rest
        bucket, ok = take(bucket, RATE, now)
        passed += ok
    assert passed <= RATE.burst + now * RATE.per_second + 1e-6
