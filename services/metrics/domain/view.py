"""Fold a subject's statements into its current state. A view is what contributions and records are computed from."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from msgspec import UNSET, Struct

from services.metrics.domain.comments import Comment
from services.metrics.domain.facts import normalised
from services.metrics.domain.merge import union
from services.metrics.domain.ticket import UNASSIGNED, Assignments, TicketView, assignments, ticket_view
from shared.events import DIMENSIONS, Answer, Event, Override, Response, Review, Ticket, Tombstone, review_text
from shared.text import nfc

Dims = tuple[str | None, ...]
"""Values in the order of `shared.events.DIMENSIONS`."""

COMMON = frozenset(DIMENSIONS)
TEAM, AGENT, PRIORITY = (DIMENSIONS.index(name) for name in ("team", "agent", "priority"))


class ResponseView(Struct, frozen=True):
    """A survey response, at its earliest time. Withdrawn ratings and comments are left out."""

    at: datetime
    ratings: tuple[Answer, ...]
    comments: tuple[Comment, ...]


class InvitationView(Struct, frozen=True):
    """An invitation to respond, at the earliest time at which it was sent, with the dimensions that were known then.

    They are those that the first invitation states; a reminder, which was sent later, changes none. If none was stated without
    answers, they are those of the first statement.
    """

    at: datetime
    dims: Dims
    own_dims: Mapping[str, str | None]


class ReviewView(Struct, frozen=True):
    """A review, at its earliest time."""

    at: datetime
    stars: int | None
    comments: tuple[Comment, ...]


class SubjectView(Struct, frozen=True):
    """The current state of a subject. An erased subject, and one without any countable statement, has no parts."""

    erased: bool = False
    customer: str | None = None
    dims: Dims = (None,) * len(DIMENSIONS)
    own_dims: Mapping[str, str | None] = {}
    """Values of dimensions that are not in DIMENSIONS: those of the tenant's own."""
    invitation: InvitationView | None = None
    response: ResponseView | None = None
    review: ReviewView | None = None
    ticket: TicketView | None = None
    channels: Assignments = UNASSIGNED
    """Of a ticket whose channel changed: its channels, each from the time at which it was stated."""
    segments: Assignments = UNASSIGNED
    """The same of the customer's segments."""
    overrides: Mapping[str, Override] = {}

    @property
    def comments(self) -> tuple[Comment, ...]:
        """The customer's comments, each at its own time. A dropped ticket has none, since it counts in no KPI."""
        if self.ticket is not None:
            return self.ticket.comments if self.ticket.dropped is None else ()
        if self.response is not None:
            return self.response.comments
        return self.review.comments if self.review is not None else ()

    def dims_at(self, at: datetime) -> Dims:
        """The dimensions of an event at that time: a ticket's team and agent as of then, all others the latest."""
        if self.ticket is None:
            return self.dims
        dims = list(self.dims)
        dims[TEAM], dims[AGENT] = self.ticket.teams.at(at), self.ticket.agents.at(at)
        return tuple(dims)

    def text_at(self, at: datetime) -> str | None:
        """The text to show beside a record at that time: the comments of that time, else the first comment of the subject."""
        texts = [comment.text for comment in self.comments if comment.at == at]
        if texts:
            return "\n\n".join(texts)
        return min(self.comments, key=lambda comment: (comment.at, comment.text_hash)).text if self.comments else None


def view(statements: Iterable[Event]) -> SubjectView:
    """Fold the statements of one subject. Their order and repeats make no difference."""
    events = in_order(statements)
    if not events:
        return SubjectView()
    if type(events[0].body) is Tombstone:
        return SubjectView(erased=True)
    bodies = [event.body for event in events]
    latest = _latest_dimensions(events)
    ticket, channels, segments = None, UNASSIGNED, UNASSIGNED
    if tickets := [(event.at, body) for event in events if isinstance(body := event.body, Ticket)]:
        ticket = ticket_view(tickets, latest.get("team"), latest.get("agent"))
        if ticket is not None and ticket.priority is not UNSET:
            latest["priority"] = ticket.priority
        channels, segments = changed_values(events, "channel"), changed_values(events, "segment")
    return SubjectView(
        customer=next((event.customer for event in reversed(events) if event.customer is not None), None),
        dims=tuple(map(latest.get, DIMENSIONS)),
        own_dims=own_dimensions(latest),
        invitation=invitation_view(events),
        response=response_view([body for body in bodies if type(body) is Response]),
        review=review_view([body for body in bodies if type(body) is Review]),
        ticket=ticket,
        channels=channels,
        segments=segments,
        overrides={body.comment: body for body in bodies if type(body) is Override},
    )


def changed_values(events: Sequence[Event], dimension: str) -> Assignments:
    """The values of a dimension by the time at which they were stated; UNASSIGNED unless it has several. Of one time the latest
    counts."""
    if len({event.dimensions[dimension] for event in events if dimension in event.dimensions}) < 2:
        return UNASSIGNED
    return assignments({event.at: normalised(event.dimensions[dimension]) for event in events if dimension in event.dimensions})


def invitation_view(events: Sequence[Event]) -> InvitationView | None:
    """Fold the statements of an invitation, in the order of their stamps. None if the tool doesn't state when it was sent."""
    sent = [
        (body.sent_at, bool(body.answers), event)
        for event in events
        if isinstance(body := event.body, Response) and body.sent_at is not None
    ]
    if not sent:
        return None
    unanswered = [(at, event) for at, is_answered, event in sent if not is_answered]
    first = min((at for at, _ in unanswered), default=None)
    known = _latest_dimensions([event for at, event in unanswered if at == first] or [sent[0][2]])
    return InvitationView(min(at for at, _, _ in sent), tuple(map(known.get, DIMENSIONS)), own_dimensions(known))


def response_view(statements: Iterable[Response]) -> ResponseView | None:
    """Fold the statements of a response, in the order of their stamps. None if there are only invitations.

    An invitation is earlier than the response, so its time is not used. Each question has at most one rating and one comment:
    some tools use one question for a score and its reason.
    """
    responses = [response for response in statements if response.answers or response.sent_at is None]
    if not responses:
        return None
    answers: dict[tuple[str, bool], Answer] = {}
    for response in responses:
        for answer in response.answers:
            answers[nfc(answer.question), answer.kind == "comment"] = answer
    at = min(response.at for response in responses)
    return ResponseView(
        at,
        ratings=tuple(a for (_, is_comment), a in answers.items() if not is_comment and a.value is not None),
        comments=tuple(
            Comment.from_text(at, a.text, a.language)
            for (_, is_comment), a in answers.items()
            if is_comment and a.text and a.text.strip()
        ),
    )


def review_view(statements: Iterable[Review]) -> ReviewView | None:
    """Fold the statements of a review, in the order of their stamps.

    Stars that are left out keep their value. Title and text change together: they are one comment with one score. None if there
    is no review, or the latest statement says that it was deleted.
    """
    reviews = list(statements)
    if not reviews or reviews[-1].deleted:
        return None
    at = min(review.at for review in reviews)
    stars = next((review.stars for review in reversed(reviews) if review.stars is not None), None)
    latest = next((review for review in reversed(reviews) if review.title is not None or review.text is not None), None)
    text = review_text(latest) if latest else ""
    return ReviewView(at, stars, (Comment.from_text(at, text, latest.language),) if latest and text.strip() else ())


def in_order(statements: Iterable[Event]) -> list[Event]:
    """The statements that count, in the order of their stamps."""
    counting = list(union(statements).values())
    return sorted(counting, key=_stamp) if len(counting) > 1 else counting


def own_dimensions(values: Mapping[str, str | None]) -> dict[str, str | None]:
    """Those of `values` whose dimension is the tenant's own."""
    return {name: value for name, value in values.items() if name not in COMMON}


def _stamp(event: Event) -> tuple[datetime, int, int, str]:
    return event.at, event.seq, event.position, event.statement


def _latest_dimensions(events: Iterable[Event]) -> dict[str, str | None]:
    """The last stated value of each dimension, in NFC: earlier versions stored other forms. Overrides state no dimensions."""
    latest: dict[str, str | None] = {}
    for event in events:
        if type(event.body) is not Override:
            latest.update(event.dimensions, source=event.source, connection=event.connection)
    return {name: value if value is None else nfc(value) for name, value in latest.items()}
