from hypothesis import given
from hypothesis import strategies as st

from services.gateway.domain.bucket import Bucket, Rate, give_back, seconds_until_token, take

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


def test_a_bucket_holds_no_more_than_its_burst() -> None:
    assert take(Bucket(2, 10.0), RATE, now=1000.0) == (Bucket(2, 1000.0), True)
    assert give_back(Bucket(2.5, 10.0), RATE) == Bucket(3, 10.0)
    assert give_back(Bucket(1, 10.0), RATE) == Bucket(2, 10.0)


def test_the_wait_for_a_token_depends_on_the_missing_part_and_the_rate() -> None:
    assert seconds_until_token(Bucket(0.5, 10.0), RATE) == 0.25
    assert seconds_until_token(Bucket(0, 10.0), Rate(per_second=0.1, burst=3)) == 10
    assert seconds_until_token(Bucket(1, 10.0), RATE) == seconds_until_token(Bucket(2, 10.0), RATE) == 0


@given(st.lists(st.floats(0, 0.5), max_size=200))
def test_no_more_requests_are_allowed_than_burst_and_rate(rests: list[float]) -> None:
    bucket, now, passed = None, 0.0, 0
    for rest in rests:
        now += rest
        bucket, ok = take(bucket, RATE, now)
        passed += ok
    assert passed <= RATE.burst + now * RATE.per_second + 1e-6
