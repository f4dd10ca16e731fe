"""Each status and error of a tool's API has one outcome; pauses grow and have a bound."""

from datetime import timedelta
from email.utils import format_datetime

import pytest

from services.ingest.domain.api_outcome import (
    LONGEST_BLOCK,
    LONGEST_PAUSE,
    LONGEST_RETRY_AFTER,
    MOST_ATTEMPTS,
    RATE_LIMIT_PAUSE,
    block_after,
    describe_fault,
    failure_of_status,
    parse_retry_after,
    pause_after,
)
from tests.unit.ingest.making import NOW


@pytest.mark.parametrize(
    ("status", "action", "label"),
    [
        (201, "quarantine", "refused"),
        (204, "quarantine", "refused"),
        (302, "quarantine", "refused"),
        (400, "quarantine", "refused"),
        (401, "stop", "unauthorized"),
        (403, "quarantine", "forbidden"),
        (404, "ignore", "not_found"),
        (410, "ignore", "not_found"),
        (408, "retry", "unavailable"),
        (422, "quarantine", "refused"),
        (425, "retry", "unavailable"),
        (429, "wait", "rate_limited"),
        (500, "retry", "unavailable"),
        (503, "retry", "unavailable"),
        (599, "retry", "unavailable"),
    ],
)
def test_a_status_has_one_outcome(status: int, action: str, label: str) -> None:
    failure = failure_of_status(status, "", NOW)
    assert (failure.action, failure.label) == (action, label)


@pytest.mark.parametrize("status", [429, 503])
def test_retry_after_is_honoured(status: int) -> None:
    assert failure_of_status(status, "17", NOW).retry_after == 17


def test_a_rate_limit_without_a_time_lasts_a_minute() -> None:
    assert failure_of_status(429, "soon", NOW).retry_after == RATE_LIMIT_PAUSE
    assert failure_of_status(429, "0", NOW).retry_after == 0
    assert failure_of_status(503, "", NOW).retry_after is None


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("30", 30),
        (" 30 ", 30),
        ("0", 0),
        (format_datetime(NOW + timedelta(seconds=90), usegmt=True), 90),
        (format_datetime(NOW - timedelta(seconds=90), usegmt=True), 0),
        ("99999999999999999999", LONGEST_RETRY_AFTER),
        (format_datetime(NOW + timedelta(days=30), usegmt=True), LONGEST_RETRY_AFTER),
        ("", None),
        ("-5", None),
        ("1.5", None),
        ("²", None),
        ("Fri, 99 Nov 2026 25:00:00 GMT", None),
    ],
)
def test_retry_after_is_a_number_or_a_date_and_has_a_bound(value: str, seconds: float | None) -> None:
    assert parse_retry_after(value, NOW) == seconds


def test_pauses_double_with_jitter_up_to_six_hours() -> None:
    assert [pause_after(attempts, 0) for attempts in (1, 2, 3)] == [10, 20, 40]
    assert pause_after(1, 1) == 12.5
    assert pause_after(50, 0) == LONGEST_PAUSE
    hours = sum(pause_after(attempts, 0) for attempts in range(1, MOST_ATTEMPTS)) / 3600
    assert 22 < hours < 25


def test_an_api_is_blocked_from_the_second_failure_in_a_row_for_at_most_five_minutes() -> None:
    assert [block_after(failures) for failures in (0, 1, 2, 3, 4)] == [0, 0, 5, 10, 20]
    assert block_after(1000) == LONGEST_BLOCK


def test_the_reason_of_a_fault_has_its_type_and_none_of_its_words() -> None:
    assert describe_fault(ValueError("Ada Lovelace")) == "an unexpected fault of ours (ValueError)"
