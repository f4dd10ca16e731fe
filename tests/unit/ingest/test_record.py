"""The canonical record: bounds, defaults, and the places of errors."""

from datetime import timedelta
from typing import Any

import pytest
from msgspec import UNSET

from services.ingest.domain.record import Invalid, Response, Review, Ticket, read_record
from services.ingest.domain.record_parts import Ces, Csat, Nps
from shared import strict_json as json
from tests.unit.ingest.making import NOW, comment, nps, response, ticket


def refused(value: Any) -> dict[str, str]:
    with pytest.raises(Invalid) as refusal:
        read_record(value, NOW)
    return {place["name"]: place["reason"] for place in refusal.value.places}


@pytest.mark.parametrize(
    ("scale", "positive_from"), [([1, 5], 4), ([1, 7], 6), ([1, 4], 3), ([1, 3], 3), ([1, 2], 2), ([0, 1], 1)]
)
def test_a_common_csat_scale_has_a_default_threshold(scale: list[int], positive_from: int) -> None:
    record = read_record(response({"question": "q", "kind": "csat", "value": 1, "scale": scale}), NOW)
    assert isinstance(record, Response)
    [answer] = record.answers
    assert isinstance(answer, Csat)
    assert answer.lowest_positive == positive_from


def test_other_csat_scales_need_a_threshold() -> None:
    assert refused(response({"question": "q", "kind": "csat", "value": 1, "scale": [1, 10]})) == {
        "answers.0": "this scale needs positive_from"
    }
    read_record(response({"question": "q", "kind": "csat", "value": 1, "scale": [1, 10], "positive_from": 8}), NOW)


def test_a_csat_rating_without_its_scale_is_refused() -> None:
    assert refused(response({"question": "q", "kind": "csat", "value": 4})) == {"answers.0": "a csat rating needs its scale"}


def test_the_default_of_ces_is_1_to_7_easy_is_high() -> None:
    record = read_record(response({"question": "q", "kind": "ces", "value": 6}), NOW)
    assert isinstance(record, Response)
    [answer] = record.answers
    assert isinstance(answer, Ces)
    assert (answer.scale, answer.polarity) == ((1, 7), "easy_is_high")


def test_the_scale_of_nps_is_always_0_to_10() -> None:
    record = read_record(response(nps(10)), NOW)
    assert isinstance(record, Response)
    assert isinstance(record.answers[0], Nps)
    assert record.answers[0].scale == (0, 10)
    assert refused(response(nps(1, scale=[1, 5]))) == {"answers.0.scale": "an nps question's scale is [0, 10]"}


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (nps(11), "outside its scale 0..10"),
        (nps(-1), "outside its scale 0..10"),
        ({"question": "q", "kind": "csat", "value": 0, "scale": [1, 5]}, "outside its scale 1..5"),
        ({"question": "q", "kind": "ces", "value": 8}, "outside its scale 1..7"),
    ],
)
def test_one_score_off_its_scale_refuses_the_whole_record(answer: dict[str, Any], reason: str) -> None:
    assert refused(response({**comment("fine"), "question": "c"}, answer)) == {"answers.1.value": reason}


@pytest.mark.parametrize("value", ["9", "9.0", True, [9], 10**9, 1e300, 0.5, 9.5, float("nan"), float("inf")])
def test_a_score_must_be_a_whole_number(value: Any) -> None:
    assert list(refused(response(nps(value)))) == ["answers.0.value"]


@pytest.mark.parametrize(("number", "value"), [("9.0", 9), ("1E1", 10), ("1e0", 1), ("-0.0", 0), ("100.0e-1", 10)])
def test_a_whole_number_may_be_written_as_a_float(number: str, value: int) -> None:
    record = read_record(json.parse(f'{{"type": "response", "id": "r", "at": "2026-11-20T10:00:00Z", "answers": [{{"question": '
                                    f'"q", "kind": "nps", "value": {number}}}]}}'.encode()), NOW)  # fmt: skip
    assert isinstance(record, Response)
    assert (record.answers[0].value, type(record.answers[0].value)) == (value, int)


def test_scales_thresholds_and_stars_may_be_written_as_floats() -> None:
    record = read_record(
        response({"question": "q", "kind": "csat", "value": 4.0, "scale": [1.0, 5e0], "positive_from": 4.0}), NOW
    )
    assert isinstance(record, Response)
    [answer] = record.answers
    assert isinstance(answer, Csat)
    assert (answer.scale, answer.lowest_positive, type(answer.lowest_positive)) == ((1, 5), 4, int)
    review = {"type": "review", "id": "v", "at": "2026-11-20T10:00:00Z"}
    assert read_record(review | {"stars": 5.0}, NOW) == read_record(review | {"stars": 5}, NOW)
    assert list(refused(review | {"stars": 5.5})) == ["stars"]
    assert list(refused(review | {"stars": 6.0})) == ["stars"]


@pytest.mark.parametrize(
    ("scale", "positive_from", "accepted"),
    [
        ([1, 5], 5, True),
        ([1, 5], 1, False),
        ([1, 5], 6, False),
        ([7, 1], 4, False),
        ([5, 5], 5, False),
        ([0, 101], 80, False),
        ([0, 100], 80, True),
    ],
)
def test_a_scale_spans_at_most_100_and_its_threshold_is_above_its_lowest_value(
    scale: list[int], positive_from: int, accepted: bool
) -> None:
    record = response({"question": "q", "kind": "csat", "value": 5, "scale": scale, "positive_from": positive_from})
    if accepted:
        read_record(record, NOW)
    else:
        assert refused(record)


DECOMPOSED, COMPOSED = "Cafe\u0301", "Caf\u00e9"


def test_names_of_groups_are_stored_in_nfc_and_ids_unchanged() -> None:
    record = read_record(
        response(
            nps(9) | {"question": DECOMPOSED},
            id=DECOMPOSED,
            channel=DECOMPOSED,
            survey={"id": DECOMPOSED},
            dimensions=dict.fromkeys(("product", "region", "language", "team", "agent", "segment"), DECOMPOSED),
        ),
        NOW,
    )
    assert isinstance(record, Response)
    assert record.survey is not None
    named = {record.channel, record.survey.id, record.answers[0].question, *record.dimensions.values()}
    assert named == {COMPOSED}
    assert record.id == DECOMPOSED
    at = "2026-11-20T08:00:00Z"
    facts = [
        {"fact": "assigned", "at": at, "team": DECOMPOSED, "agent": DECOMPOSED},
        {"fact": "priority", "at": at, "priority": DECOMPOSED},
        {"fact": "opened", "at": at, "agent": DECOMPOSED},
        {"fact": "message", "at": at, "by": "agent", "agent": DECOMPOSED, "id": DECOMPOSED},
    ]
    made = read_record(ticket(*facts), NOW)
    assert isinstance(made, Ticket)
    names = ("team", "agent", "priority")
    assert {getattr(fact, name) for fact in made.facts for name in names if hasattr(fact, name)} - {UNSET} == {COMPOSED}


def test_two_unicode_forms_of_a_question_are_one_question() -> None:
    answers = (nps(1) | {"question": DECOMPOSED}, nps(2) | {"question": COMPOSED})
    assert refused(response(*answers)) == {"answers": "a question is answered twice"}


def test_a_withdrawn_answer_needs_no_scale() -> None:
    read_record(
        response({"question": "q", "kind": "csat", "value": None}, {"question": "c", "kind": "comment", "value": None}), NOW
    )
    assert list(refused(response({"question": "q", "kind": "csat", "scale": [1, 5]}))) == ["answers.0.value"]
    assert list(refused(response({"question": "q", "kind": "comment"}))) == ["answers.0"]


def test_unknown_fields_are_refused_with_their_place() -> None:
    record = response(nps(9, colour="blue"), shade=1, dimensions={"Tem": "x"})
    assert set(refused(record)) == {"answers.0.colour", "shade", "dimensions.Tem"}
    assert set(refused(ticket({"fact": "spam", "at": "2026-11-20T08:00:00Z", "why": "x"}))) == {"facts.0.why"}


def test_a_refusal_quotes_no_value() -> None:
    secret = "my password is hunter2"
    assert "hunter2" not in str(refused(response(nps(secret), id=secret + "\n", at=secret)))


@pytest.mark.parametrize("field", ["at", "updated_at", "sent_at"])
def test_a_time_more_than_5_minutes_ahead_is_refused(field: str) -> None:
    ahead = (NOW + timedelta(minutes=5, seconds=1)).isoformat()
    assert refused(response(**{field: ahead})) == {field: "more than 5 minutes ahead of our clock"}
    read_record(response(**{field: (NOW + timedelta(minutes=5)).isoformat()}), NOW)


def test_a_fact_more_than_5_minutes_ahead_is_refused() -> None:
    assert list(refused(ticket({"fact": "spam", "at": "2026-11-20T12:05:01Z"}))) == ["facts.0.at"]


@pytest.mark.parametrize(
    "at", ["2026-11-20T10:00:00", "9999-12-31T23:59:59Z", "0001-01-01T00:00:00Z", 1700000000, None, "yesterday"]
)
def test_times_need_an_offset_and_a_year_from_1990_to_2200(at: Any) -> None:
    assert list(refused(response(at=at))) == ["at"]


@pytest.mark.parametrize("identity", ["", "a" * 201, "a\nb", "a\x00b", "a\ud800", 5, None])
def test_an_id_is_one_line_of_text(identity: Any) -> None:
    assert list(refused(response(id=identity))) == ["id"]


def test_a_question_is_answered_once() -> None:
    assert refused(response(nps(1), nps(2))) == {"answers": "a question is answered twice"}
    read_record(response(nps(1), {"question": "q1", "kind": "comment", "text": "because"}), NOW)


def test_bounds_on_lengths_hold() -> None:
    assert list(refused(response(*[nps(1) | {"question": str(i)} for i in range(201)]))) == ["answers"]
    assert list(refused(ticket(*[{"fact": "spam", "at": "2026-11-20T08:00:00Z"}] * 1001))) == ["facts"]
    assert list(refused(response(comment("x" * 65_537)))) == ["answers.0.text"]


def test_a_customer_needs_an_id_or_an_address() -> None:
    """A broken address of an app is refused. Only a survey tool's hidden field is left out instead."""
    assert refused(response(customer={})) == {"customer": "a customer needs an id or an email"}
    assert list(refused(response(customer={"email": "not an address"}))) == ["customer.email"]


@pytest.mark.parametrize("value", [None, 5, [], "x", {}, {"type": "invoice"}, {"type": 5}])
def test_a_value_that_is_not_a_record_is_refused(value: Any) -> None:
    assert refused(value)


def test_every_type_is_read() -> None:
    assert isinstance(read_record({"type": "review", "id": "v", "at": "2026-11-20T10:00:00Z", "stars": 5}, NOW), Review)
    assert isinstance(read_record(ticket(), NOW), Ticket)
    erasure = {"type": "erasure", "id": "e", "at": "2026-11-20T10:00:00Z", "customer": {"id": "c"}}
    assert read_record(erasure, NOW).type == "erasure"
    override = {"type": "override", "id": "o", "at": "2026-11-20T10:00:00Z", "subject": "con_1/response/r/1", "comment": "0" * 32}
    assert read_record(override, NOW).type == "override"
    assert list(refused(override | {"subject": "r-1"})) == ["subject"]


def test_an_assignment_needs_a_team_or_an_agent_or_null() -> None:
    assert list(refused(ticket({"fact": "assigned", "at": "2026-11-20T08:00:00Z"}))) == ["facts.0"]
    read_record(ticket({"fact": "assigned", "at": "2026-11-20T08:00:00Z", "agent": None}), NOW)


@pytest.mark.parametrize(
    ("value", "place"),
    [
        ({"type": "jane@example.com", "id": "x"}, "type"),
        (response({"question": "q", "kind": "jane@example.com", "value": 1}), "answers.0.kind"),
        (ticket({"fact": "jane@example.com", "at": "2026-11-20T10:00:00Z"}), "facts.0.fact"),
    ],
)
def test_an_unknown_kind_is_refused_with_its_place_and_not_quoted(value: Any, place: str) -> None:
    refusal = refused(value)
    assert list(refusal) == [place]
    assert "jane" not in refusal[place]
    assert refusal[place].startswith("must be one of '")


def test_the_first_wrong_places_are_listed_and_the_others_counted() -> None:
    with pytest.raises(Invalid) as refusal:
        read_record(response(nps(9)) | {f"unknown_{number}": 1 for number in range(100)}, NOW)
    assert (len(refusal.value.places), refusal.value.more) == (20, 80)


def test_a_refusal_states_each_place_with_its_reason() -> None:
    with pytest.raises(Invalid) as refusal:
        read_record(response(nps(11)), NOW)
    assert (str(refusal.value), refusal.value.more) == ("answers.0.value: outside its scale 0..10", 0)


def test_very_many_wrong_places_are_only_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    """Listing 49,000 errors takes a second, during which no other thread runs."""
    monkeypatch.setattr("services.ingest.domain.record.reason_of", lambda *_: pytest.fail("a place was listed"))
    with pytest.raises(Invalid, match="49000 places are wrong") as refusal:
        read_record(response(nps(9)) | {f"unknown_{number}": 1 for number in range(49_000)}, NOW)
    assert (str(refusal.value), refusal.value.more) == ("49000 places are wrong", 49_000)
