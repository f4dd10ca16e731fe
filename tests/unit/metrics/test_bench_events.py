"""The events of benchmarks: as many as requested, and of new subjects where a benchmark needs them."""

from datetime import UTC, datetime

from bench.metrics_events import Story

UNTIL = datetime(2026, 11, 20, 12, tzinfo=UTC)


def test_a_story_has_as_many_events_as_requested_and_none_of_the_future() -> None:
    events = Story("acme", 1, UNTIL, 1 / 48).events(500)
    assert len(events) == 500
    assert max(event.at for event in events) <= UNTIL
    assert [event.seq for event in events] == list(range(1, 501))


def test_stories_with_other_numbers_share_no_subject() -> None:
    first = Story("acme", 1, UNTIL, 1 / 48)
    subjects = {event.subject for event in first.events(200)}
    second = Story("acme", 1, UNTIL, 1 / 48, first=first.last + 1)
    assert subjects.isdisjoint(event.subject for event in second.events(200))
