"""What a subject shows beside its numbers."""

from services.metrics.domain.view import view
from shared.events import Rating, Spam
from tests.unit.metrics.build import at, nps, opened, reply, response, ticket, words


def test_a_comment_is_shown_with_its_words_its_language_and_the_name_under_which_it_is_scored() -> None:
    (comment,) = view([ticket(opened(3, text="kaputt", language="de"))]).comments
    assert (comment.at, comment.text, comment.language) == (at(3), "kaputt", "de")
    assert len(comment.text_hash) == 32


def test_the_words_beside_a_number_are_those_of_its_time_else_the_first() -> None:
    seen = view([ticket(opened(0, text="it broke"), reply(5), Rating(at=at(30), value=5, text="quick"))])
    assert seen.text_at(at(30)) == "quick"
    assert seen.text_at(at(0)) == "it broke"
    assert seen.text_at(at(5)) == "it broke"


def test_a_response_shows_all_its_comments_beside_its_rating() -> None:
    seen = view([response(nps(9), words("one", "q4"), words("two", "q5"))])
    assert seen.text_at(at(0)) == "one\n\ntwo"


def test_where_nothing_was_said_nothing_is_shown() -> None:
    assert view([]).text_at(at(0)) is None
    assert view([ticket(opened(0))]).text_at(at(0)) is None
    assert view([ticket(opened(0, text="buy now"), Spam(at=at(1)))]).comments == ()
