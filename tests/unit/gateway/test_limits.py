"""What counts as one address, and that the memory of who called stays bounded."""

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


def test_buckets_are_forgotten_beyond_their_capacity(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "CAPACITY", 10)
    buckets, guesses = Buckets(SLOW), GuessLimit(SLOW)
    for number in range(1000):
        buckets.take(str(number))
        guesses.begin(str(number), None)
        guesses.succeed(str(number), bytes([number % 256, number // 256]))
    assert len(buckets) == len(guesses._addresses) == len(guesses._known) == 10


def test_what_the_tenants_limit_refuses_costs_the_key_nothing() -> None:
    clock = Clock()
    found = RateLimits(per_key=Rate(1, 10), per_tenant=SLOW, clock=clock)
    for _ in range(2):
        found.take("acme", "k")
    for _ in range(20):
        with pytest.raises(TooManyRequests, match="tenant"):
            found.take("acme", "k")
    assert found.take("other", "k")["RateLimit"].startswith('"key";r=7;')


def test_guesses_at_one_time_are_all_counted() -> None:
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
