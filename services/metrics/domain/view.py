"""The current state of a subject: the one place where its statements are folded, in the order of their stamps."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from msgspec import UNSET

from services.metrics.domain.comment import Comment
from services.metrics.domain.merge import union
from services.metrics.domain.response import ResponseView, ReviewView, response_view, review_view
from services.metrics.domain.ticket import TicketView, ticket_view
from shared.events import DIMENSIONS, Event, Override, Response, Review, Ticket, Tombstone
from shared.text import nfc

Dims = tuple[str | None, ...]
"""Values in the order of `shared.events.DIMENSIONS`."""

TEAM, AGENT, PRIORITY = (DIMENSIONS.index(name) for name in ("team", "agent", "priority"))


@dataclass(frozen=True, slots=True)
class SubjectView:
    """A subject as it stands; of an erased one, or one of which nothing countable is known yet, nothing."""

    erased: bool = False
    customer: str | None = None
    dims: Dims = (None,) * len(DIMENSIONS)
    response: ResponseView | None = None
    review: ReviewView | None = None
    ticket: TicketView | None = None
    overrides: Mapping[str, Override] = field(default_factory=dict)

    @property
    def comments(self) -> tuple[Comment, ...]:
        """What the customer said in it, each comment at its own time; nothing where the subject counts in no KPI."""
        if self.ticket is not None:
            return self.ticket.comments if self.ticket.dropped is None else ()
        if self.response is not None:
            return self.response.comments
        return self.review.comments if self.review is not None else ()

    def dims_at(self, at: datetime) -> Dims:
        """The dimensions of an event at that time: a ticket's team and agent as they were, all others the latest."""
        if self.ticket is None:
            return self.dims
        dims = list(self.dims)
        dims[TEAM], dims[AGENT] = self.ticket.teams.at(at), self.ticket.agents.at(at)
        return tuple(dims)

    def text_at(self, at: datetime) -> str | None:
        """The words to show beside what is filed at `at`: the comments of that time, else the first that was made."""
        said = [comment.text for comment in self.comments if comment.at == at]
        if said:
            return "\n\n".join(said)
        return min(self.comments, key=lambda comment: (comment.at, comment.text_hash)).text if self.comments else None


def view(statements: Iterable[Event]) -> SubjectView:
    """Fold the statements of one subject, given in any order and any number of times."""
    events = sorted(union(statements).values(), key=_stamp)
    if not events:
        return SubjectView()
    if type(events[0].body) is Tombstone:
        return SubjectView(erased=True)
    bodies = [event.body for event in events]
    latest = _latest(events)
    ticket = None
    if any(type(body) is Ticket for body in bodies):
        tickets = [(event.at, event.body) for event in events if isinstance(event.body, Ticket)]
        ticket = ticket_view(tickets, latest.get("team"), latest.get("agent"))
        if ticket is not None and ticket.priority is not UNSET:
            latest["priority"] = ticket.priority
    return SubjectView(
        customer=next((event.customer for event in reversed(events) if event.customer is not None), None),
        dims=tuple(map(latest.get, DIMENSIONS)),
        response=response_view([body for body in bodies if type(body) is Response]),
        review=review_view([body for body in bodies if type(body) is Review]),
        ticket=ticket,
        overrides={body.comment: body for body in bodies if type(body) is Override},
    )


def _stamp(event: Event) -> tuple[datetime, int, int, str]:
    return event.at, event.seq, event.position, event.statement


def _latest(events: list[Event]) -> dict[str, str | None]:
    """The last stated value of each dimension, in NFC. An override says nothing of where its subject came from.

    Statements stored by earlier versions may hold other forms than NFC.
    """
    latest: dict[str, str | None] = {}
    for event in events:
        if type(event.body) is not Override:
            latest.update(event.dimensions, source=event.source, connection=event.connection)
    return {name: value if value is None else nfc(value) for name, value in latest.items()}
