"""Survey responses and reviews as their statements make them."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from services.metrics.domain.comment import Comment, comment
from shared.events import Answer, Response, Review, review_text
from shared.text import nfc


@dataclass(frozen=True, slots=True)
class ResponseView:
    """A response, filed at its earliest time. `ratings` and `comments` are what stands, withdrawn answers left out."""

    at: datetime
    ratings: tuple[Answer, ...]
    comments: tuple[Comment, ...]


def response_view(responses: Iterable[Response]) -> ResponseView | None:
    """The response that these statements, in the order of their stamps, tell of; None where there were only invitations.

    An invitation lies before the response, so its time is not the response's. Each question holds one rating and one comment:
    tools that ask for a score and its reason in one question name both alike.
    """
    told = [response for response in responses if response.answers or response.sent_at is None]
    if not told:
        return None
    answers: dict[tuple[str, bool], Answer] = {}
    for response in told:
        for answer in response.answers:
            answers[nfc(answer.question), answer.kind == "comment"] = answer
    at = min(response.at for response in told)
    return ResponseView(
        at,
        tuple(answer for (_, words), answer in answers.items() if not words and answer.value is not None),
        tuple(comment(at, a.text, a.language) for (_, words), a in answers.items() if words and a.text and a.text.strip()),
    )


@dataclass(frozen=True, slots=True)
class ReviewView:
    """A review, filed at its earliest time."""

    at: datetime
    stars: int | None
    comments: tuple[Comment, ...]


def review_view(reviews: Iterable[Review]) -> ReviewView | None:
    """The review that these statements, in the order of their stamps, tell of.

    Stars that are left out stay; so do title and text, which change together: they are one comment, and are scored as one.
    """
    told = list(reviews)
    if not told:
        return None
    at = min(review.at for review in told)
    stars = next((review.stars for review in reversed(told) if review.stars is not None), None)
    words = next((review for review in reversed(told) if review.title is not None or review.text is not None), None)
    text = review_text(words) if words else ""
    return ReviewView(at, stars, (comment(at, text, words.language),) if words and text.strip() else ())
