"""Events and scores that earlier versions stored are read, and folded, as ever: see tests/fixtures/events."""

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, get_args

import pytest
from msgspec import Struct
from msgspec.structs import fields

from services.metrics.domain.ages import age_bin
from services.metrics.domain.contributions import Contribution, contributions
from services.metrics.domain.durations import bin_of
from services.metrics.domain.view import view
from shared import events
from shared.events import DIMENSIONS, Event, Score, ScoreEvent, decode_event, decode_score, encode

FOLDER = Path(__file__).parents[2] / "fixtures" / "events"
T0 = datetime(2026, 11, 20, 8, tzinfo=UTC)
LABELLED_NEGATIVE = {"label": (-1, -1), "sentiment": (-20, -1000)}
"""Bin and amount of the rows of a comment that a human labelled negative."""


def lines(pattern: str) -> list[bytes]:
    return [line for path in sorted(FOLDER.glob(pattern)) for line in path.read_bytes().splitlines()]


def stored_events() -> list[Event]:
    return list(map(decode_event, lines("events-*.ndjson")))


def stored_scores() -> list[ScoreEvent]:
    return list(map(decode_score, lines("scores-*.ndjson")))


def contributions_of(subject: str) -> list[Contribution]:
    scores = {(e.model, e.score.text_hash): e.score for e in stored_scores() if e.subject == subject}
    return contributions(view(event for event in stored_events() if event.subject == subject), scores)


def rows_of(subject: str) -> dict[str, list[tuple[int, int, int]]]:
    """By measure: minutes after T0, bin and amount."""
    rows: dict[str, list[tuple[int, int, int]]] = {}
    for c in sorted(contributions_of(subject), key=lambda c: (c.at, -c.amount)):
        rows.setdefault(c.measure, []).append((int((c.at - T0).total_seconds() / 60), c.bin, c.amount))
    return rows


@pytest.mark.parametrize(("pattern", "decode"), [("events-*.ndjson", decode_event), ("scores-*.ndjson", decode_score)])
def test_every_stored_record_is_encoded_again_byte_by_byte(pattern: str, decode: Callable[[bytes], object]) -> None:
    assert lines(pattern)
    for line in lines(pattern):
        assert encode(decode(line)) == line


def test_a_response_of_the_first_version() -> None:
    common = {
        "nps": [(1, 9, 9)],
        "ces:1..7+easy_is_high": [(1, 6, 6)],
        "responses": [(1, 1, 1)],
        "comments": [(1, 1, 1)],
        "invitations": [(-60, 1, 1)],
    }
    scored = {f"{family}:{model}": [(1, *row)] for model in ("vader-3.3.2", "e5-1") for family, row in LABELLED_NEGATIVE.items()}
    themed = {f"theme_nps:{model}": [(1, 9, 9)] for model in ("vader-3.3.2", "e5-1")}
    assert rows_of("con_1/response/r-1") == common | scored | themed | {"urgent:e5-1": [(1, 1, 1)]}
    response = {c.measure: c for c in contributions_of("con_1/response/r-1")}
    assert response["nps"].dims == (
        "standard", "con_1", "email", "post-support", "app", None, "en", "billing", "a-1", "pro", "high",
    )  # fmt: skip
    assert response["nps"].customer == "p1"
    assert response["label:vader-3.3.2"].themes == response["label:e5-1"].themes == ("delivery", "price")
    assert (response["label:vader-3.3.2"].urgency, response["label:e5-1"].urgency) == ((), ("cancellation", "outage"))


def test_a_review_of_the_first_version() -> None:
    assert rows_of("con_1/review/v-1") == {"stars:1..5": [(5, 4, 4)], "comments": [(5, 1, 1)]}
    assert view(e for e in stored_events() if e.subject == "con_1/review/v-1").text_at(T0) == "Good\nIt works"


def test_a_ticket_of_the_first_version() -> None:
    steps = [(6, 1, 1), (9, 1, 1), (9, -1, -1), (20, -1, -1), (30, 1, 1), (35, 1, 1), (35, -1, -1), (40, -1, -1)]
    assert rows_of("con_1/ticket/T-1") == {
        "opened": [(6, 1, 1)],
        "comments": [(6, 1, 1), (45, 1, 1)],
        "first_reply:created": [(6, bin_of(240), 240)],
        "first_reply:replied": [(10, bin_of(240), 240)],
        "solved": [(20, 1, 1), (40, 1, 1)],
        "first_solve": [(20, 1, 1)],
        "first_resolution": [(20, bin_of(840), 840)],
        "reopened": [(30, 1, 1)],
        "standing_solve": [(40, 1, 1)],
        "full_resolution": [(40, bin_of(2040), 2040)],
        "handling": [(40, bin_of(1440), 1440)],
        "requester_wait": [(40, bin_of(1440), 1440)],
        "agent_wait": [(40, 0, 0)],
        "agent_replies": [(40, 1, 1)],
        "touches": [(40, 2, 2)],
        "opened_solved": [(6, 1, 1)],
        "csat:1..5+4": [(45, 5, 5)],
        "backlog": steps,
        "backlog_age": [(minute, step * age_bin(T0), step) for minute, step, _ in steps],
    }
    held = {(c.at.minute, c.amount): (c.values("team")[0], c.values("agent")[0]) for c in backlog("con_1/ticket/T-1")}
    assert (held[6, 1], held[9, 1], held[30, 1], held[35, 1]) == (
        ("billing", "a-1"), ("tech", "a-1"), ("tech", "a-1"), ("tech", None),
    )  # fmt: skip
    assert {c.values("priority")[0] for c in contributions_of("con_1/ticket/T-1")} == {"low"}


def backlog(subject: str) -> list[Contribution]:
    return [c for c in contributions_of(subject) if c.measure == "backlog"]


def test_a_merged_ticket_an_erased_response_and_a_name_in_another_form_of_the_first_version() -> None:
    assert rows_of("con_1/ticket/T-2") == {"dropped": [(50, 1, 1)]}
    assert rows_of("con_1/response/r-2") == {}
    assert view(e for e in stored_events() if e.subject.endswith("r-2")).erased
    (nps,) = (c for c in contributions_of("con_1/response/r-3") if c.measure == "nps")
    assert nps.values("team") == ("Caf\u00e9",)


def test_the_opening_by_an_agent_and_its_repetition_of_the_second_version() -> None:
    assert rows_of("con_1/ticket/T-3") == {
        "opened": [(0, 1, 1)],
        "opened_solved": [(0, 0, 0)],
        "backlog": [(0, 1, 1)],
        "backlog_age": [(0, age_bin(T0), 1)],
        "first_reply:created": [(0, bin_of(180), 180)],
        "first_reply:replied": [(3, bin_of(180), 180)],
    }


def test_a_deleted_review_of_the_third_version_counts_nowhere() -> None:
    assert rows_of("con_1/review/v-2") == {}


def test_the_scores_of_the_first_version_have_no_urgency_and_the_shipped_taxonomy() -> None:
    first, nothing, second = (event.score for event in stored_scores())
    assert (first.taxonomy, first.urgency, first.mixed, first.flags) == (0, (), True, ("short",))
    assert (nothing.label, nothing.score) == (None, None)
    assert (second.taxonomy, second.urgency) == (3, ("outage", "cancellation"))


def test_every_field_of_an_event_is_in_a_stored_record() -> None:
    """A new field needs a new file of records that have it."""
    records = [(decode_event(line), json.loads(line)) for line in lines("events-*.ndjson")]
    scored = [(decode_score(line), json.loads(line)) for line in lines("scores-*.ndjson")]
    stored = {pair for struct, raw in [*records, *scored] for pair in fields_in(struct, raw)}
    structs = [
        Event,
        events.Alias,
        ScoreEvent,
        Score,
        events.ThemeScore,
        events.Answer,
        *get_args(events.Body),
        *get_args(events.Fact),
    ]
    declared = {(struct.__name__, field.name) for struct in structs for field in fields(struct)}
    constant = {("Rating", "kind")}
    assert declared - stored == constant


def fields_in(value: Any, raw: Any) -> Iterator[tuple[str, str]]:
    """The fields that a decoded record and all in it have in its JSON, by struct."""
    if isinstance(value, Struct):
        for field in fields(value):
            if field.encode_name in raw:
                yield type(value).__name__, field.name
                yield from fields_in(getattr(value, field.name), raw[field.encode_name])
    elif isinstance(value, tuple):
        for one, raw_one in zip(value, raw, strict=True):
            yield from fields_in(one, raw_one)


def test_the_dimensions_are_those_of_the_stored_events_in_the_order_of_their_columns() -> None:
    assert DIMENSIONS[:11] == (
        "source", "connection", "channel", "survey", "product", "region", "language", "team", "agent", "segment", "priority",
    )  # fmt: skip
