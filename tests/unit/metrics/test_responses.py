"""What survey responses and reviews contribute."""

import pytest
from msgspec.structs import replace

from shared.events import Answer, Event, Label, Override, Review, text_hash
from tests.unit.metrics.build import MODEL, at, csat, dim, found, kpi, nps, response, rows, said, scored, words


def review(seq: int, when: float = 0, **fields: object) -> Event:
    return said(seq, Review(at=at(when), **fields), subject="c1/review/5")  # type: ignore[arg-type]


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


def test_a_later_statement_of_an_answer_wins_and_one_that_leaves_it_out_leaves_it() -> None:
    told = [response(nps(2), csat(4), seq=1), response(nps(9), seq=2)]
    assert found(rows(*told), "nps") == [(0, 9, 9)]
    assert found(rows(*told), "csat:1..5+4") == [(0, 4, 4)]


def test_the_time_that_the_tool_states_of_its_edit_decides_not_the_order_of_receipt() -> None:
    newer_first = [response(nps(9), seq=1, at=at(60)), response(nps(2), seq=2, at=at(30))]
    assert found(rows(*newer_first), "nps") == [(0, 9, 9)]


def test_an_answer_without_value_is_withdrawn_and_may_be_given_again() -> None:
    told = [response(nps(2), words("meh")), response(nps(None), words(None), seq=2)]
    assert {c.measure for c in rows(*told)} == {"responses"}
    assert found(rows(*told, response(nps(7), seq=3)), "nps") == [(0, 7, 7)]


def test_an_answer_to_a_question_in_another_unicode_form_replaces_the_earlier_one() -> None:
    told = [response(nps(2, "re\u0301ponse")), response(nps(9, "r\u00e9ponse"), seq=2)]
    assert found(rows(*told), "nps") == [(0, 9, 9)]


def test_an_answer_from_a_to_b_and_back_to_a_is_a() -> None:
    assert found(rows(*(response(nps(value), seq=seq) for seq, value in enumerate([3, 8, 3]))), "nps") == [(0, 3, 3)]


def test_a_correction_changes_the_value_but_not_the_bucket() -> None:
    told = [response(nps(2), when=0), response(nps(9), seq=2, when=600)]
    assert found(rows(*told), "nps") == [(0, 9, 9)]


def test_a_mended_mapping_moves_a_response_and_drops_what_it_no_longer_finds() -> None:
    first = response(nps(2), csat(1), when=0)
    mended = response(nps(2), when=30, revision=2)
    assert found(rows(first, mended), "nps") == [(30, 2, 2)]
    assert found(rows(first, mended), "csat:1..5+4") == []


def test_a_question_holds_both_a_rating_and_its_reason() -> None:
    counted = rows(response(nps(9, "q1"), words("because", "q1")))
    assert {c.measure for c in counted} == {"nps", "responses", "comments"}


def test_an_invitation_is_no_response_and_does_not_date_the_one_that_follows() -> None:
    invitation = response(sent=0, when=0)
    assert rows(invitation) == []
    counted = rows(invitation, response(nps(9), seq=2, when=60, sent=0))
    assert found(counted, "nps") == [(60, 9, 9)]
    assert found(counted, "responses") == [(60, 0, 0)]


def test_a_response_without_answers_is_a_response_without_comment() -> None:
    assert found(rows(response()), "responses") == [(0, 0, 0)]


def test_dimensions_take_the_last_statement_of_each_and_can_be_taken_back() -> None:
    told = [
        response(nps(9), dimensions={"team": "a", "region": "DE", "survey": "s"}),
        response(seq=2, dimensions={"team": "b", "region": None}),
    ]
    (counted,) = (c for c in rows(*told) if c.measure == "nps")
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
    assert found(rows(response(strict)), "csat:1..5+5") == [(0, 4, 4)]


# --- reviews --------------------------------------------------------------------------------------------------------------
def test_a_reviews_title_and_text_are_one_comment() -> None:
    counted = rows(review(1, stars=4, title="Good", text="but slow"), scores=scored("Good\nbut slow", 0.1, "positive"))
    assert found(counted, "stars:1..5") == [(0, 4, 4)]
    assert found(counted, "comments") == [(0, 1, 1)]
    assert found(counted, f"sentiment:{MODEL}") == [(0, 2, 100)]


def test_a_review_keeps_what_an_edit_leaves_out_and_its_first_time() -> None:
    told = [review(1, when=5, stars=2, title="Bad", text="slow"), review(2, when=9, stars=5)]
    assert found(rows(*told), "stars:1..5") == [(5, 5, 5)]
    assert found(rows(*told), "comments") == [(5, 1, 1)]
    assert found(rows(*told, review(3, when=9, text="")), "comments") == []


# --- sentiment ------------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("score", "bin_", "amount"),
    [(-1.0, -20, -1000), (-0.001, -1, -1), (0.0, 0, 0), (0.0496, 0, 50), (0.05, 1, 50), (0.999, 19, 999), (1.0, 20, 1000)],
)
def test_a_score_lies_in_the_bin_of_its_twentieth_with_its_thousandths(score: float, bin_: int, amount: int) -> None:
    counted = rows(response(words("so")), scores=scored("so", score, "neutral"))
    assert found(counted, f"sentiment:{MODEL}") == [(0, bin_, amount)]


def test_every_twentieth_begins_a_bin() -> None:
    for twentieth in range(-20, 21):
        counted = rows(response(words("so")), scores=scored("so", twentieth / 20, "neutral"))
        assert found(counted, f"sentiment:{MODEL}") == [(0, twentieth, 50 * twentieth)]


def test_each_model_version_has_measures_of_its_own() -> None:
    scores = scored("so", 0.5, "positive") | scored("so", -0.5, "negative", model="e5-3")
    counted = rows(response(words("so")), scores=scores)
    assert found(counted, f"label:{MODEL}") == [(0, 1, 1)]
    assert found(counted, "label:e5-3") == [(0, -1, -1)]
    assert kpi("sentiment", counted).value == 0.5


def test_a_score_counts_only_while_its_text_stands() -> None:
    told = [response(words("awful")), response(words("fine now"), seq=2)]
    assert found(rows(*told, scores=scored("awful", -0.8, "negative")), f"label:{MODEL}") == []
    assert found(rows(*told, scores=scored("fine now", 0.2, "positive")), f"label:{MODEL}") == [(0, 1, 1)]


def test_a_text_that_says_nothing_is_a_comment_without_a_sentiment() -> None:
    counted = rows(response(words("n/a")), scores=scored("n/a", None, None))
    assert {c.measure for c in counted} == {"responses", "comments", f"abstained:{MODEL}"}


def test_a_text_in_a_language_that_the_model_does_not_know_counts_only_once_a_human_judged_it() -> None:
    scores = {key: replace(score, flags=("unsupported_language",)) for key, score in scored("bra", 0.1, "neutral").items()}
    assert {c.measure for c in rows(response(words("bra")), scores=scores)} == {"responses", "comments", f"abstained:{MODEL}"}
    judged = rows(response(words("bra")), said(2, Override(comment=text_hash("bra"), label="positive")), scores=scores)
    assert found(judged, f"label:{MODEL}") == [(0, 1, 1)]
    assert found(judged, f"abstained:{MODEL}") == []


@pytest.mark.parametrize(("label", "worth"), [("negative", -1), ("neutral", 0), ("positive", 1)])
def test_a_humans_label_beats_every_model(label: Label, worth: int) -> None:
    scores = scored("so", 0.5, "positive") | scored("so", 0.1, "neutral", model="e5-3")
    judgement = said(2, Override(comment=text_hash("so"), label=label))
    counted = rows(response(words("so"), subject="c1/ticket/T-9"), judgement, scores=scores)
    for model in (MODEL, "e5-3"):
        assert found(counted, f"label:{model}") == [(0, worth, worth)]
        assert found(counted, f"sentiment:{model}") == [(0, 20 * worth, 1000 * worth)]


def test_a_humans_judgement_leaves_the_subject_where_it_came_from() -> None:
    judgement = said(2, Override(comment=text_hash("so"), label="neutral"), source="api", connection="api")
    (counted, *_) = rows(response(words("so")), judgement)
    assert (dim(counted, "source"), dim(counted, "connection")) == ("standard", "c1")


def test_a_humans_last_word_stands_and_an_empty_one_gives_the_word_back_to_the_model() -> None:
    told = [
        response(words("so")),
        said(2, Override(comment=text_hash("so"), label="negative")),
        said(3, Override(comment=text_hash("so"), label=None)),
    ]
    assert found(rows(*told, scores=scored("so", 0.5, "positive")), f"label:{MODEL}") == [(0, 1, 1)]


def test_a_humans_label_of_another_text_changes_nothing() -> None:
    told = [response(words("so")), said(2, Override(comment=text_hash("other"), label="negative"))]
    assert found(rows(*told, scores=scored("so", 0.5, "positive")), f"label:{MODEL}") == [(0, 1, 1)]
