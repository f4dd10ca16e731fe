"""A consumer logs one line a minute about its batches, and none while it is idle."""

import pytest
from structlog.testing import capture_logs

from shared.kafka.summary import SECONDS, Summary


def test_a_line_sums_up_the_batches_of_a_minute(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [1000.0]
    monkeypatch.setattr("time.monotonic", lambda: now[0])
    batches = Summary()
    with capture_logs() as lines:
        batches.log("scorers")
        batches.add(["feedback.events"] * 3, 1, 0.25)
        now[0] += SECONDS - 1
        batches.add(["feedback.scores"], 0, 0.5)
        batches.log("scorers")
        assert lines == []
        now[0] += 1
        batches.log("scorers")
        batches.log("scorers", at_once=True)
    [line] = lines
    assert line == {
        "event": "kafka.summary",
        "log_level": "info",
        "group": "scorers",
        "batches": 2,
        "records": {"feedback.events": 3, "feedback.scores": 1},
        "parked": 1,
        "busy_ms": 750,
        "seconds": 60,
    }


def test_a_consumer_that_ends_logs_what_is_left() -> None:
    batches = Summary()
    batches.add(["feedback.events"], 0, 0.0)
    with capture_logs() as lines:
        batches.log("scorers", at_once=True)
    assert [line["records"] for line in lines] == [{"feedback.events": 1}]
