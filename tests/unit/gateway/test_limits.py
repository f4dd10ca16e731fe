"""Client addresses, rate limits, and the bounded number of buckets."""

import pytest

from services.gateway.api import limits
from services.gateway.api.limits import Buckets, GuessLimit, RateLimits, client_network
from services.gateway.domain.bucket import Rate
from shared.problems import TooManyRequests

SLOW = Rate(per_second=0.001, burst=2)


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.mark.parametrize(
    ("host", "network"),
    [
        ("203.0.113.7", "203.0.113.7"),
        ("::ffff:203.0.113.7", "203.0.113.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::9", "2001:db8:1:2::/64"),
        ("2001:db8:1:3::9", "2001:db8:1:3::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("", ""),
        ("x" * 1000, "x" * 64),
    ],
)
def test_an_address_is_an_ipv4_address_or_an_ipv6_network_of_64_bits(host: str, network: str) -> None:
    assert client_network(host) == network


def test_no_more_buckets_than_the_capacity_are_held(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "CAPACITY", 10)
    buckets = Buckets(SLOW, Clock())
    for number in range(1000):
        buckets.take(str(number))
    assert len(buckets) == 10
    assert buckets.take("999")[0].tokens == 0
    assert buckets.take("0")[0].tokens == 1, "a bucket that was dropped starts full"


def test_no_more_known_keys_than_the_capacity_are_exempt(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "CAPACITY", 10)
    guesses = GuessLimit(SLOW, Clock())
    for number in range(11):
        guesses.succeed("a", bytes([number]))
    for _ in range(5):
        guesses.begin("a", bytes([10]))
    for _ in range(2):
        guesses.begin("a", bytes([0]))
    with pytest.raises(TooManyRequests):
        guesses.begin("a", bytes([0]))


def test_a_request_refused_by_the_tenants_limit_takes_no_token_of_the_key() -> None:
    clock = Clock()
    limits_ = RateLimits(per_key=Rate(1, 10), per_tenant=SLOW, clock=clock)
    for _ in range(2):
        limits_.take("acme", "k")
    for _ in range(20):
        with pytest.raises(TooManyRequests, match="tenant"):
            limits_.take("acme", "k")
    assert limits_.take("other", "k")["RateLimit"].startswith('"key";r=7;')


def test_concurrent_guesses_are_all_counted() -> None:
    """A token is taken before the look-up, not after it failed, so that a flood of guesses at once gets no further."""
    guesses = GuessLimit(SLOW, Clock())
    guesses.begin("a", b"1")
    guesses.begin("a", b"2")
    with pytest.raises(TooManyRequests):
        guesses.begin("a", b"3")
    guesses.begin("b", b"3")
    guesses.succeed("a", b"1")
    guesses.begin("a", b"3")
    guesses.begin("a", b"1")
