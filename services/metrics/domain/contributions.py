"""What a subject contributes to each measure: rows of integers, a pure function of its view and its scores.

A measure names all that makes bins comparable; the part before the colon is its family. Rows that only count have bin 1 and
amount 1.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from math import floor

from services.metrics.domain.backlog import steps
from services.metrics.domain.comment import Comment
from services.metrics.domain.forms import ces_measure, csat_measure
from services.metrics.domain.lifecycle import SECOND
from services.metrics.domain.spans import bin_of
from services.metrics.domain.ticket import TicketView
from services.metrics.domain.view import Dims, SubjectView
from shared.events import UNSUPPORTED_LANGUAGE, Answer, Label, Override, Rating, Score

LABELS: dict[Label, int] = {"negative": -1, "neutral": 0, "positive": 1}


@dataclass(frozen=True, slots=True, order=False)
class Contribution:
    """One row: `amount` in `bin` of `measure`, filed at `at` under the values `dims` of `shared.events.DIMENSIONS`."""

    measure: str
    at: datetime
    bin: int
    amount: int
    dims: Dims
    customer: str | None


Row = tuple[str, datetime, int, int]
"""A contribution but for its dimensions and customer: measure, at, bin, amount."""


def contributions(view: SubjectView, scores: Mapping[tuple[str, str], Score]) -> list[Contribution]:
    """The rows of a subject. `scores` are by model and hash of the text; each comment counts for every model that scored it."""
    if view.ticket is not None:
        return _of_ticket(view, view.ticket, scores)
    rows: list[Row] = []
    if view.response is not None:
        at = view.response.at
        rows += [
            (measure_of(answer), at, answer.value, answer.value) for answer in view.response.ratings if answer.value is not None
        ]
        commented = int(bool(view.response.comments))
        rows.append(("responses", at, commented, commented))
    elif view.review is not None and view.review.stars is not None:
        rows.append(("stars:1..5", view.review.at, view.review.stars, view.review.stars))
    rows += comment_rows(view.comments, view.overrides, scores)
    return [Contribution(*row, view.dims, view.customer) for row in rows]


def _of_ticket(view: SubjectView, ticket: TicketView, scores: Mapping[tuple[str, str], Score]) -> list[Contribution]:
    dims_at = lru_cache(maxsize=None)(view.dims_at)
    if ticket.dropped is not None:
        return [Contribution("dropped", ticket.dropped, 1, 1, dims_at(ticket.dropped), view.customer)]
    rows = [*ticket_rows(ticket), *comment_rows(ticket.comments, view.overrides, scores)]
    return [
        *(Contribution(*row, dims_at(row[1]), view.customer) for row in rows),
        *(Contribution("backlog", at, way, way, dims, view.customer) for at, way, dims in steps(ticket, dims_at)),
    ]


def ticket_rows(ticket: TicketView) -> Iterator[Row]:
    """What a ticket contributes that is filed under who held it at the time."""
    yield "opened", ticket.opened, 1, 1
    for solve in ticket.solves:
        yield "solved", solve.at, 1, 1
    for at in ticket.reopenings:
        yield "reopened", at, 1, 1
    for rating in ticket.ratings:
        if rating.value is not None:
            yield measure_of(rating), rating.at, rating.value, rating.value
    if ticket.first_reply is not None:
        after = (ticket.first_reply - ticket.opened) // SECOND
        yield from span_row("first_reply:replied", ticket.first_reply, after)
        yield from span_row("first_reply:created", ticket.opened, after)
    if ticket.solves:
        first = ticket.solves[0]
        again = int(bool(ticket.reopenings))
        yield "first_solve", first.at, again, again
        yield from span_row("first_resolution", first.at, first.after)
    if ticket.standing is not None:
        yield "standing_solve", ticket.standing.at, 1, 1
        yield from span_row("full_resolution", ticket.standing.at, ticket.standing.after)


def span_row(measure: str, at: datetime, seconds: int) -> Iterator[Row]:
    """A span's row; a negative one, of clocks that differ, contributes nothing."""
    if seconds >= 0:
        yield measure, at, bin_of(seconds), seconds


def measure_of(rating: Answer | Rating) -> str:
    """The measure that a rating belongs to, its form included."""
    if rating.kind == "nps":
        return "nps"
    if rating.kind == "csat":
        return csat_measure(rating.scale, rating.positive_from)
    return ces_measure(rating.scale, rating.polarity)


def comment_rows(
    comments: Iterable[Comment], overrides: Mapping[str, Override], scores: Mapping[tuple[str, str], Score]
) -> Iterator[Row]:
    """One row for each comment, and two for each model that judged it: its score, in thousandths, and its label.

    Where a human set the label, it stands in place of each model's, with the score −1, 0 or 1. A model that scored a text without
    a sentiment that counts, as one that says nothing ("n/a"), has one row instead: that it abstained.
    """
    for comment in comments:
        yield "comments", comment.at, 1, 1
        override = overrides.get(comment.text_hash)
        for (model, text_hash), score in scores.items():
            if text_hash == comment.text_hash:
                label, value = judged(score, override)
                if label is not None and value is not None:
                    yield f"label:{model}", comment.at, LABELS[label], LABELS[label]
                    yield f"sentiment:{model}", comment.at, floor(20 * value), round(1000 * value)
                else:
                    yield f"abstained:{model}", comment.at, 1, 1


def judged(score: Score, override: Override | None) -> tuple[Label | None, float | None]:
    """The label and score that count: a human's beat a model's; a model's in a language it doesn't know count for nothing."""
    if override is not None and override.label is not None:
        return override.label, float(LABELS[override.label])
    if UNSUPPORTED_LANGUAGE in score.flags:
        return None, None
    return score.label, score.score
