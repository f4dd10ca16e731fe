"""The contributions of a subject to each measure: rows of integers, a pure function of its view and its scores.

The name of a measure states everything that makes its bins comparable; the part before the colon is its family. Rows that only
count have bin 1 and amount 1.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from math import floor
from typing import NamedTuple

from services.metrics.domain.business_hours import BusinessHours
from services.metrics.domain.comments import LABELS, Comment, effective_label, effective_themes
from services.metrics.domain.durations import bin_of
from services.metrics.domain.forms import ces_measure, csat_measure
from services.metrics.domain.measures import MULTI_VALUED
from services.metrics.domain.sla import first_reply
from services.metrics.domain.terms import FIRST_TERMS, Terms
from services.metrics.domain.ticket import SECOND, TicketView
from services.metrics.domain.view import PRIORITY, Dims, SubjectView
from shared.events import DIMENSIONS, Answer, Override, Rating, Score
from shared.text import nfc

CONTRIBUTIONS_VERSION = 2
"""Raise it when equal views and scores yield other contributions than before: stored subjects are then rebuilt.

1: before themes and urgency. 2: `themes` and `urgency` of comments, and the family `urgent`. Raise it too when the library that
knows public holidays gets another version (`HOLIDAYS_VERSION`).
"""

Names = tuple[str, ...]
"""The values of a multi-valued dimension: sorted, each once."""


class Contribution(NamedTuple):
    """One row: `amount` in `bin` of `measure` at `at`.

    `dims` are the values of `shared.events.DIMENSIONS`. A row of a scored comment also has the comment's `themes` and `urgency`:
    it counts once under each of them, and once in a total.
    """

    measure: str
    at: datetime
    bin: int
    amount: int
    dims: Dims
    customer: str | None
    themes: Names = ()
    urgency: Names = ()
    own: tuple[str | None, ...] = ()
    """The values of the tenant's own dimensions, in the order of its terms; empty if it has none of them."""

    def values(self, dimension: str) -> Sequence[str | None]:
        """The groups of a dimension that the row is in; None is the group without a value."""
        if dimension in MULTI_VALUED:
            return getattr(self, MULTI_VALUED[dimension]) or (None,)
        return (self.dims[DIMENSIONS.index(dimension)],)


Row = tuple[str, datetime, int, int]
"""Measure, time, bin and amount of a contribution."""

CommentRow = tuple[Row, Names, Names]
"""A row with the themes and the urgency of its comment."""


def contributions(view: SubjectView, scores: Mapping[tuple[str, str], Score], terms: Terms = FIRST_TERMS) -> list[Contribution]:
    """The contributions of a subject. `scores` are by model and text hash; a comment counts for every model that scored it.

    `terms` are the tenant's: each row has the values of the dimensions of its own, with calendars there are durations in business
    hours, and with SLA policies there are targets.
    """
    rows = _of_ticket(view, view.ticket, scores, terms) if view.ticket is not None else _of_feedback(view, scores)
    own = tuple(map(view.own_dims.get, terms.dimensions))
    return [row._replace(own=own) for row in rows] if any(value is not None for value in own) else rows


def _of_feedback(view: SubjectView, scores: Mapping[tuple[str, str], Score]) -> list[Contribution]:
    """The contributions of a response or a review."""
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
    return [
        *(Contribution(*row, view.dims, view.customer) for row in rows),
        *(
            Contribution(*row, view.dims, view.customer, themes, urgency)
            for row, themes, urgency in comment_rows(view.comments, view.overrides, scores)
        ),
    ]


def _of_ticket(
    view: SubjectView, ticket: TicketView, scores: Mapping[tuple[str, str], Score], terms: Terms
) -> list[Contribution]:
    dims_at = lru_cache(maxsize=None)(view.dims_at)
    if ticket.dropped is not None:
        return [Contribution("dropped", ticket.dropped, 1, 1, dims_at(ticket.dropped), view.customer)]
    return [
        *(
            Contribution(*row, dims_at(row[1]), view.customer)
            for row in (*ticket_rows(ticket), *business_rows(ticket, terms.hours))
        ),
        *(
            Contribution(*row, dims_at(row[1]), view.customer, themes, urgency)
            for row, themes, urgency in comment_rows(ticket.comments, view.overrides, scores)
        ),
        *(Contribution("backlog", at, change, change, dims, view.customer) for at, change, dims in backlog_rows(ticket, dims_at)),
        *(Contribution(*row, dims, view.customer) for row, dims in sla_rows(view, ticket, terms, dims_at)),
    ]


# --- ratings --------------------------------------------------------------------------------------------------------------
def measure_of(rating: Answer | Rating) -> str:
    """The measure of a rating, with its form."""
    if rating.kind == "nps":
        return "nps"
    if rating.kind == "csat":
        return csat_measure(rating.scale, rating.positive_from)
    return ces_measure(rating.scale, rating.polarity)


# --- tickets --------------------------------------------------------------------------------------------------------------
def ticket_rows(ticket: TicketView) -> Iterator[Row]:
    """The rows of a ticket that have the dimensions of their time; comments and the backlog are left out."""
    yield "opened", ticket.opened, 1, 1
    for solve in ticket.solves:
        yield "solved", solve.at, 1, 1
    for at in ticket.reopenings:
        yield "reopened", at, 1, 1
    for rating in ticket.ratings:
        if rating.value is not None:
            yield measure_of(rating), rating.at, rating.value, rating.value
    if ticket.first_reply is not None:
        seconds = (ticket.first_reply - ticket.opened) // SECOND
        yield from duration_row("first_reply:replied", ticket.first_reply, seconds)
        yield from duration_row("first_reply:created", ticket.opened, seconds)
    if ticket.solves:
        first = ticket.solves[0]
        reopened = int(bool(ticket.reopenings))
        yield "first_solve", first.at, reopened, reopened
        yield from duration_row("first_resolution", first.at, first.seconds)
    if ticket.current_solve is not None:
        yield "standing_solve", ticket.current_solve.at, 1, 1
        yield from duration_row("full_resolution", ticket.current_solve.at, ticket.current_solve.seconds)


def business_rows(ticket: TicketView, hours: BusinessHours) -> Iterator[Row]:
    """The rows of a ticket's durations in business hours; none without calendars."""
    if not hours:
        return
    if ticket.first_reply is not None:
        seconds = hours.seconds(ticket.opened, ticket.first_reply, ticket.teams)
        yield from duration_row("first_reply_business:replied", ticket.first_reply, seconds)
        yield from duration_row("first_reply_business:created", ticket.opened, seconds)
    if ticket.solves and (first := ticket.solves[0]).seconds >= 0:
        seconds = hours.seconds(ticket.opened, first.at, ticket.teams)
        yield from duration_row("first_resolution_business", first.at, seconds)
    if (solve := ticket.current_solve) is not None and solve.seconds >= 0:
        seconds = hours.seconds(ticket.opened, solve.at, ticket.teams)
        yield from duration_row("full_resolution_business", solve.at, seconds)


def duration_row(measure: str, at: datetime, seconds: int | None) -> Iterator[Row]:
    """The row of a duration. An unknown one has none, nor has a negative one, a result of clocks that differ."""
    if seconds is not None and seconds >= 0:
        yield measure, at, bin_of(seconds), seconds


Period = tuple[datetime, datetime | None]
"""Half-open; None: it has not ended."""


def open_periods(ticket: TicketView) -> Iterator[Period]:
    """The periods in which a ticket is neither solved nor closed."""
    ends = (*(solve.at for solve in ticket.solves), None)
    yield from zip((ticket.opened, *ticket.reopenings), ends, strict=False)  # the last start may have no end


def backlog_rows(ticket: TicketView, dims_at: Callable[[datetime], Dims]) -> Iterator[tuple[datetime, int, Dims]]:
    """±1 rows whose sum before t is the number of open tickets at t."""
    return level_rows(open_periods(ticket), ticket, dims_at)


def level_rows(
    periods: Iterable[Period], ticket: TicketView, dims_at: Callable[[datetime], Dims]
) -> Iterator[tuple[datetime, int, Dims]]:
    """+1 at the start of each period and −1 at its end. Where the ticket is reassigned meanwhile, −1 under the old dimensions and
    +1 under the new ones."""
    reassigned = sorted({*ticket.teams.times, *ticket.agents.times})
    for start, end in periods:
        dims = dims_at(start)
        yield start, 1, dims
        for at in reassigned:
            if start < at and (end is None or at < end) and (new := dims_at(at)) != dims:
                yield at, -1, dims
                yield at, 1, new
                dims = new
        if end is not None:
            yield end, -1, dims


# --- SLA ------------------------------------------------------------------------------------------------------------------
def sla_rows(
    view: SubjectView, ticket: TicketView, terms: Terms, dims_at: Callable[[datetime], Dims]
) -> Iterator[tuple[Row, Dims]]:
    """The rows of a ticket's target for its first reply, with the priority at which the policy applied; none without a target."""
    target = first_reply(terms.policies, terms.hours, view, ticket)
    if target is None:
        return

    def sla_dims_at(at: datetime) -> Dims:
        dims = dims_at(at)
        return (*dims[:PRIORITY], target.applied.priority, *dims[PRIORITY + 1 :])

    yield ("sla_first_reply", target.at, int(target.met), int(target.met)), sla_dims_at(target.at)
    if target.met:
        return
    overdue = list(parts_between(open_periods(ticket), target.at, target.replied))
    for at, change, dims in level_rows(overdue, ticket, sla_dims_at):
        yield ("sla_overdue", at, change, change), dims
    if overdue and overdue[-1][1] is None:
        number, latest = target.applied.key.number, max((target.at, *ticket.teams.times, *ticket.agents.times))
        yield ("sla_due", target.at, number, number), sla_dims_at(latest)


def parts_between(periods: Iterable[Period], since: datetime, until: datetime | None) -> Iterator[Period]:
    """The parts of `periods` that lie in [since, until)."""
    for start, end in periods:
        first, last = max(start, since), min((at for at in (end, until) if at is not None), default=None)
        if last is None or first < last:
            yield first, last


# --- comments -------------------------------------------------------------------------------------------------------------
def comment_rows(
    comments: Iterable[Comment], overrides: Mapping[str, Override], scores: Mapping[tuple[str, str], Score]
) -> Iterator[CommentRow]:
    """One row for each comment, and rows for each model that scored it.

    Of a model: its label and its score in thousandths; or `abstained`, if the comment has no label, as "n/a" or one in an
    unsupported language has none. So each scored comment has either one `label` or one `abstained` row. `urgent` if there is a
    reason for urgency. A human's label and themes replace those of every model.
    """
    for comment in comments:
        yield ("comments", comment.at, 1, 1), (), ()
        override = overrides.get(comment.text_hash)
        for (model, text_hash), score in scores.items():
            if text_hash == comment.text_hash:
                themes, urgency = theme_names(score, override), tuple(sorted(score.urgency))
                for row in score_rows(comment, model, score, override):
                    yield row, themes, urgency


def score_rows(comment: Comment, model: str, score: Score, override: Override | None) -> Iterator[Row]:
    """Rows of one comment's score by `model`, after the human's `override`."""
    label, value = effective_label(score, override)
    if label is not None and value is not None:
        yield f"label:{model}", comment.at, LABELS[label], LABELS[label]
        yield f"sentiment:{model}", comment.at, floor(20 * value), round(1000 * value)
    else:
        yield f"abstained:{model}", comment.at, 1, 1
    if score.urgency:
        yield f"urgent:{model}", comment.at, 1, 1


def theme_names(score: Score, override: Override | None) -> Names:
    """The effective themes, in NFC, the form in which filters compare them."""
    themes = effective_themes(score, override)
    return tuple(sorted({nfc(theme.theme) for theme in themes})) if themes else ()
