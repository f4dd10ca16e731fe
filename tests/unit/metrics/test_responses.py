"""The contributions of survey responses and reviews."""

import pytest
from msgspec.structs import replace

from shared.events import Answer, Event, Label, Override, Review, text_hash
from tests.unit.metrics.build import MODEL, at, csat, dim, kpi, nps, response, rows, rows_in, scored, statement, words


def review(seq: int, when: float = 0, **fields: object) -> Event:
    return statement(seq, Review(at=at(when), **fields), subject="c1/review/5")  # type: ignore[arg-type]


# --- answers --------------------------------------------------------------------------------------------------------------
def test_each_answer_counts_in_its_own_measure_with_its_form_in_the_name() -> None:
    ces = Answer(question="q3", kind="ces", value=6, scale=(1, 7), polarity="easy_is_high")
    thumbs = Answer(question="q5", kind="csat", value=1, scale=(0, 1))
    counted = rows(response(nps(9), csat(4), ces, thumbs, words("fine"), when=7))
    assert {(c.measure, c.bin, c.amount) for c in counted} == {
        ("nps", 9, 9),
        ("csat:1..5+4", 4, 4),
        ("ces:1..7+easy_is_high", 6, 6),
        ("csat:0..1+1", 1, 1),
        ("responses", 1, 1),
        ("comments", 1, 1),
    }
    assert {c.at for c in counted} == {at(7)}


def test_the_latest_answer_counts_and_one_that_is_left_out_stays() -> None:
    events = [response(nps(2), csat(4), seq=1), response(nps(9), seq=2)]
    assert rows_in(rows(*events), "nps") == [(0, 9, 9)]
    assert rows_in(rows(*events), "csat:1..5+4") == [(0, 4, 4)]


def test_the_time_that_the_tool_states_of_its_edit_decides_not_the_order_of_receipt() -> None:
    newer_first = [response(nps(9), seq=1, at=at(60)), response(nps(2), seq=2, at=at(30))]
    assert rows_in(rows(*newer_first), "nps") == [(0, 9, 9)]


def test_an_answer_without_a_value_is_withdrawn_and_may_be_answered_again() -> None:
    events = [response(nps(2), words("meh")), response(nps(None), words(None), seq=2)]
    assert {c.measure for c in rows(*events)} == {"responses"}
    assert rows_in(rows(*events, response(nps(7), seq=3)), "nps") == [(0, 7, 7)]


def test_an_answer_to_a_question_in_another_unicode_form_replaces_the_earlier_one() -> None:
    events = [response(nps(2, "re\u0301ponse")), response(nps(9, "r\u00e9ponse"), seq=2)]
    assert rows_in(rows(*events), "nps") == [(0, 9, 9)]


def test_an_answer_from_a_to_b_and_back_to_a_is_a() -> None:
    assert rows_in(rows(*(response(nps(value), seq=seq) for seq, value in enumerate([3, 8, 3]))), "nps") == [(0, 3, 3)]


def test_a_correction_changes_the_value_but_not_the_bucket() -> None:
    events = [response(nps(2), when=0), response(nps(9), seq=2, when=600)]
    assert rows_in(rows(*events), "nps") == [(0, 9, 9)]


def test_a_corrected_mapping_moves_a_response_and_drops_answers_that_it_lacks() -> None:
    first = response(nps(2), csat(1), when=0)
    mended = response(nps(2), when=30, revision=2)
    assert rows_in(rows(first, mended), "nps") == [(30, 2, 2)]
    assert rows_in(rows(first, mended), "csat:1..5+4") == []


def test_a_question_holds_both_a_rating_and_its_reason() -> None:
    counted = rows(response(nps(9, "q1"), words("because", "q1")))
    assert {c.measure for c in counted} == {"nps", "responses", "comments"}


def test_an_invitation_is_no_response_and_does_not_date_the_one_that_follows() -> None:
    invitation = response(sent=0, when=0)
    assert {row.measure for row in rows(invitation)} == {"invitations"}
    counted = rows(invitation, response(nps(9), seq=2, when=60, sent=0))
    assert rows_in(counted, "nps") == [(60, 9, 9)]
    assert rows_in(counted, "responses") == [(60, 0, 0)]


def test_a_response_without_answers_is_a_response_without_comment() -> None:
    assert rows_in(rows(response()), "responses") == [(0, 0, 0)]


def test_the_latest_value_of_each_dimension_counts_and_null_removes_it() -> None:
    events = [
        response(nps(9), dimensions={"team": "a", "region": "DE", "survey": "s"}),
        response(seq=2, dimensions={"team": "b", "region": None}),
    ]
    (counted,) = (c for c in rows(*events) if c.measure == "nps")
    assert [dim(counted, name) for name in ("team", "region", "survey", "agent")] == ["b", None, "s", None]


# --- forms ----------------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("scale", "measure"),
    [
        ((1, 5), "csat:1..5+4"),
        ((1, 7), "csat:1..7+6"),
        ((1, 4), "csat:1..4+3"),
        ((1, 3), "csat:1..3+3"),
        ((1, 2), "csat:1..2+2"),
        ((0, 1), "csat:0..1+1"),
        ((1, 10), "csat:1..10+8"),
        ((0, 10), "csat:0..10+7"),
    ],
)
def test_a_satisfied_answer_begins_where_the_scale_usually_has_it(scale: tuple[int, int], measure: str) -> None:
    assert {c.measure for c in rows(response(csat(1, scale)))} == {measure, "responses"}


def test_a_form_that_says_otherwise_is_a_measure_of_its_own() -> None:
    strict = Answer(question="q2", kind="csat", value=4, scale=(1, 5), positive_from=5)
    assert rows_in(rows(response(strict)), "csat:1..5+5") == [(0, 4, 4)]


# --- reviews --------------------------------------------------------------------------------------------------------------
def test_a_reviews_title_and_text_are_one_comment() -> None:
    counted = rows(review(1, stars=4, title="Good", text="but slow"), scores=scored("Good\nbut slow", 0.1, "positive"))
    assert rows_in(counted, "stars:1..5") == [(0, 4, 4)]
    assert rows_in(counted, "comments") == [(0, 1, 1)]
    assert rows_in(counted, f"sentiment:{MODEL}") == [(0, 2, 100)]


def test_a_review_keeps_what_an_edit_leaves_out_and_its_first_time() -> None:
    events = [review(1, when=5, stars=2, title="Bad", text="slow"), review(2, when=9, stars=5)]
    assert rows_in(rows(*events), "stars:1..5") == [(5, 5, 5)]
    assert rows_in(rows(*events), "comments") == [(5, 1, 1)]
    assert rows_in(rows(*events, review(3, when=9, text="")), "comments") == []


# --- sentiment ------------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("score", "bin_", "amount"),
    [(-1.0, -20, -1000), (-0.001, -1, -1), (0.0, 0, 0), (0.0496, 0, 50), (0.05, 1, 50), (0.999, 19, 999), (1.0, 20, 1000)],
)
def test_a_score_lies_in_the_bin_of_its_twentieth_with_its_thousandths(score: float, bin_: int, amount: int) -> None:
    counted = rows(response(words("so")), scores=scored("so", score, "neutral"))
    assert rows_in(counted, f"sentiment:{MODEL}") == [(0, bin_, amount)]


def test_every_twentieth_begins_a_bin() -> None:
    for twentieth in range(-20, 21):
        counted = rows(response(words("so")), scores=scored("so", twentieth / 20, "neutral"))
        assert rows_in(counted, f"sentiment:{MODEL}") == [(0, twentieth, 50 * twentieth)]


def test_each_model_version_has_measures_of_its_own() -> None:
    scores = scored("so", 0.5, "positive") | scored("so", -0.5, "negative", model="e5-4")
    counted = rows(response(words("so")), scores=scores)
    assert rows_in(counted, f"label:{MODEL}") == [(0, 1, 1)]
    assert rows_in(counted, "label:e5-4") == [(0, -1, -1)]
    assert kpi("sentiment", counted).value == 0.5


def test_a_score_counts_only_while_its_text_is_current() -> None:
    events = [response(words("awful")), response(words("fine now"), seq=2)]
    assert rows_in(rows(*events, scores=scored("awful", -0.8, "negative")), f"label:{MODEL}") == []
    assert rows_in(rows(*events, scores=scored("fine now", 0.2, "positive")), f"label:{MODEL}") == [(0, 1, 1)]


def test_a_text_without_an_opinion_is_a_comment_without_a_sentiment() -> None:
    counted = rows(response(words("n/a")), scores=scored("n/a", None, None))
    assert {c.measure for c in counted} == {"responses", "comments", f"abstained:{MODEL}"}


def test_a_text_in_a_language_that_the_model_does_not_know_counts_only_once_a_human_judged_it() -> None:
    scores = {key: replace(score, flags=("unsupported_language",)) for key, score in scored("bra", 0.1, "neutral").items()}
    assert {c.measure for c in rows(response(words("bra")), scores=scores)} == {"responses", "comments", f"abstained:{MODEL}"}
    counted = rows(response(words("bra")), statement(2, Override(comment=text_hash("bra"), label="positive")), scores=scores)
    assert rows_in(counted, f"label:{MODEL}") == [(0, 1, 1)]
    assert rows_in(counted, f"abstained:{MODEL}") == []


@pytest.mark.parametrize(("label", "worth"), [("negative", -1), ("neutral", 0), ("positive", 1)])
def test_a_humans_label_replaces_that_of_every_model(label: Label, worth: int) -> None:
    scores = scored("so", 0.5, "positive") | scored("so", 0.1, "neutral", model="e5-4")
    override = statement(2, Override(comment=text_hash("so"), label=label))
    counted = rows(response(words("so"), subject="c1/ticket/T-9"), override, scores=scores)
    for model in (MODEL, "e5-4"):
        assert rows_in(counted, f"label:{model}") == [(0, worth, worth)]
        assert rows_in(counted, f"sentiment:{model}") == [(0, 20 * worth, 1000 * worth)]


def test_an_override_changes_neither_source_nor_connection() -> None:
    override = statement(2, Override(comment=text_hash("so"), label="neutral"), source="api", connection="api")
    (counted, *_) = rows(response(words("so")), override)
    assert (dim(counted, "source"), dim(counted, "connection")) == ("standard", "c1")


def test_the_latest_override_counts_and_an_empty_one_restores_the_models_label() -> None:
    events = [
        response(words("so")),
        statement(2, Override(comment=text_hash("so"), label="negative")),
        statement(3, Override(comment=text_hash("so"), label=None)),
    ]
    assert rows_in(rows(*events, scores=scored("so", 0.5, "positive")), f"label:{MODEL}") == [(0, 1, 1)]


def test_a_humans_label_of_another_text_changes_nothing() -> None:
    events = [response(words("so")), statement(2, Override(comment=text_hash("other"), label="negative"))]
    assert rows_in(rows(*events, scores=scored("so", 0.5, "positive")), f"label:{MODEL}") == [(0, 1, 1)]
