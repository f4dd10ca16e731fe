"""The traffic of the benchmark of records: spread over tenants and over time, with corrections."""

from collections import Counter
from datetime import UTC, datetime, timedelta

from bench.records_traffic import Traffic, next_part
from shared.events import Event

UNTIL = datetime(2026, 11, 20, 12, tzinfo=UTC)


def parts(tenants: int, number: int) -> list[list[Event]]:
    traffic = [Traffic(f"t-{seed}", seed) for seed in range(tenants)]
    return [next_part(traffic, UNTIL + timedelta(seconds=20 * part), 20, 500) for part in range(number)]


def test_tenants_have_equal_shares_of_the_rate() -> None:
    events = [event for part in parts(50, 3) for event in part]
    assert 0.9 * 30_000 < len(events) < 1.1 * 30_000
    counts = Counter(event.tenant for event in events)
    assert len(counts) == 50
    assert max(counts.values()) < 1.2 * min(counts.values())


def test_events_arrive_in_order_and_most_are_new() -> None:
    first, second = parts(20, 2)
    times = [event.received_at for event in first + second]
    assert times == sorted(times)
    new = sum(event.received_at - event.at < timedelta(minutes=1) for event in first)
    assert 0.6 < new / len(first) < 0.8


def test_later_parts_correct_earlier_answers_and_repeat_no_other_statement() -> None:
    first, second = parts(5, 2)
    subjects = {(event.tenant, event.subject) for event in first}
    again = [event for event in second if (event.tenant, event.subject) in subjects]
    assert 0.03 < len(again) / len(second) < 0.07
    statements = [(event.tenant, event.subject, event.statement) for event in first + second]
    assert len(statements) == len(set(statements))
