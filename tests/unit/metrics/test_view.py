"""The texts of a subject, beside its records."""

from typing import Any

from services.metrics.domain.view import view
from shared.events import Event, Rating, Review, Spam
from tests.unit.metrics.build import at, nps, opened, reply, response, rows, rows_in, statement, ticket, words


def test_a_comment_has_its_text_its_language_and_the_hash_that_names_its_scores() -> None:
    (comment,) = view([ticket(opened(3, text="kaputt", language="de"))]).comments
    assert (comment.at, comment.text, comment.language) == (at(3), "kaputt", "de")
    assert len(comment.text_hash) == 32


def test_the_text_of_a_record_is_the_comment_of_its_time_else_the_first() -> None:
    subject = view([ticket(opened(0, text="it broke"), reply(5), Rating(at=at(30), value=5, text="quick"))])
    assert subject.text_at(at(30)) == "quick"
    assert subject.text_at(at(0)) == "it broke"
    assert subject.text_at(at(5)) == "it broke"


def test_the_text_of_a_rating_has_all_comments_of_the_response() -> None:
    subject = view([response(nps(9), words("one", "q4"), words("two", "q5"))])
    assert subject.text_at(at(0)) == "one\n\ntwo"


def test_a_subject_without_comments_has_no_text() -> None:
    assert view([]).text_at(at(0)) is None
    assert view([ticket(opened(0))]).text_at(at(0)) is None
    assert view([ticket(opened(0, text="buy now"), Spam(at=at(1)))]).comments == ()


def review(seq: int, **fields: Any) -> Event:
    return statement(seq, Review(at=at(0), **fields), subject="c1/review/v-1")


def test_a_deleted_review_counts_nowhere_and_has_no_text_until_it_is_back() -> None:
    written, deleted, back = review(1, stars=2, text="too slow"), review(2, deleted=True), review(3, stars=4)
    for statements in ([written, deleted], [deleted, written]):
        assert (rows(*statements), view(statements).comments) == ([], ())
    assert rows_in(rows(written, deleted, back), "stars:1..5") == [(0, 4, 4)]
    assert [comment.text for comment in view([written, deleted, back]).comments] == ["too slow"]
