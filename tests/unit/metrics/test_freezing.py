"""The content of frozen subjects, and which subjects nothing has touched for so many months."""

import zlib
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from services.metrics.domain.untouched import is_untouched, months_before
from services.metrics.store.frozen import pack, unpack
from services.metrics.store.frozen_dictionary import DICTIONARIES
from shared.events import Event, ScoreEvent, decode_event, decode_score, encode
from tests.unit.metrics.build import nps, response

STORED = Path("tests/fixtures/events")


def stored_events() -> list[Event]:
    """Events as earlier versions stored them."""
    return [decode_event(line) for file in sorted(STORED.glob("events-*.ndjson")) for line in file.read_bytes().splitlines()]


def stored_scores() -> list[ScoreEvent]:
    return [decode_score(line) for file in STORED.glob("scores-*.ndjson") for line in file.read_bytes().splitlines()]


def test_unpacked_content_is_what_was_packed() -> None:
    events = {event.statement: event for event in stored_events()}
    scores = {(one.model, one.score.text_hash): encode(one.score) for one in stored_scores()}
    assert len(events) > 5
    assert len(scores) > 1
    assert unpack(*pack(events.values(), scores)) == (events, scores)
    assert unpack(*pack([], {})) == ({}, {})


def test_a_single_response_takes_less_than_half_of_its_space() -> None:
    event = response(nps(9))
    _, packed = pack([event], {})
    assert len(packed) < len(encode(event)) / 2


def test_damaged_content_is_an_error_and_never_other_content() -> None:
    event = response(nps(9))
    dictionary, packed = pack([event], {})
    flipped = [packed[:place] + bytes([packed[place] ^ 4]) + packed[place + 1 :] for place in range(len(packed))]
    errors = 0
    for damaged in (*flipped, packed[:-1], packed[:10], b""):
        try:
            assert unpack(dictionary, damaged) == ({event.statement: event}, {})
        except zlib.error:
            errors += 1
    assert errors >= len(packed), "all damage except of padding is noticed"


def test_the_dictionaries_never_change() -> None:
    """Frozen subjects can't be read with another text."""
    assert {number: zlib.crc32(text) for number, text in DICTIONARIES.items()} == {1: 3872787233}


@pytest.mark.parametrize(
    ("now", "months", "then"),
    [
        ("2026-11-29T12:00:00+00:00", 1, "2026-10-29T12:00:00+00:00"),
        ("2026-11-29T12:00:00+00:00", 12, "2025-11-29T12:00:00+00:00"),
        ("2026-03-31T00:00:00+00:00", 1, "2026-02-28T00:00:00+00:00"),
        ("2024-03-31T00:00:00+00:00", 1, "2024-02-29T00:00:00+00:00"),
        ("2026-12-31T00:00:00+00:00", 12, "2025-12-31T00:00:00+00:00"),
        ("2026-01-31T00:00:00+00:00", 2, "2025-11-30T00:00:00+00:00"),
        ("2026-01-15T00:00:00+00:00", 120, "2016-01-15T00:00:00+00:00"),
    ],
)
def test_months_before_a_time(now: str, months: int, then: str) -> None:
    assert months_before(datetime.fromisoformat(now), months) == datetime.fromisoformat(then)


def test_a_subject_is_touched_by_the_receipt_of_any_statement() -> None:
    since = datetime(2026, 1, 1, tzinfo=UTC)
    old, late = (response(nps(9), received_at=received) for received in (since - timedelta(microseconds=1), since))
    assert is_untouched([old, old], since)
    assert not is_untouched([old, late], since)
