"""A ticket as its facts make it: the events that KPIs count, who held it when, its ratings and its comments."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from msgspec import UNSET, UnsetType

from services.metrics.domain.assignments import NOBODY, Holders, holders
from services.metrics.domain.comment import Comment, comment
from services.metrics.domain.facts import Facts
from services.metrics.domain.lifecycle import Passages, Solve, dropped, passages
from shared.events import Message, Opened, Rating, Ticket


@dataclass(frozen=True, slots=True)
class TicketView:
    """A ticket whose opening is known. `first_reply`: the first public word of a human agent after it; `dropped`: since when the
    ticket is merged, spam or deleted; `priority`: the latest that was set, UNSET where none ever was."""

    opened: datetime
    first_reply: datetime | None
    solves: tuple[Solve, ...]
    reopenings: tuple[datetime, ...]
    standing: Solve | None
    dropped: datetime | None
    teams: Holders
    agents: Holders
    priority: str | None | UnsetType
    ratings: tuple[Rating, ...]
    comments: tuple[Comment, ...]


def ticket_view(tickets: Iterable[Ticket], team: str | None, agent: str | None) -> TicketView | None:
    """The ticket that these statements, in the order of their stamps, tell of; None while its opening isn't known.

    `team` and `agent`, its dimensions, are an assignment at its opening; a fact of that very time is more exact.
    """
    facts = Facts()
    for ticket in tickets:
        for fact in ticket.facts:
            facts.take(fact)
    if facts.opened is None:
        return None
    opened = facts.opened.at
    if team is not None:
        facts.teams.setdefault(opened, team)
    if agent is not None:
        facts.agents.setdefault(opened, agent)
    way: Passages = passages(opened, facts.statuses)
    return TicketView(
        opened=opened,
        first_reply=min((m.at for m in facts.messages.values() if is_reply(m) and m.at > opened), default=None),
        solves=way.solves,
        reopenings=way.reopenings,
        standing=way.standing,
        dropped=dropped(facts.drops) if facts.drops else None,
        teams=holders(facts.teams) if facts.teams else NOBODY,
        agents=holders(facts.agents) if facts.agents else NOBODY,
        priority=facts.priorities[max(facts.priorities)] if facts.priorities else UNSET,
        ratings=tuple(rating for rating in facts.ratings.values() if rating.value is not None),
        comments=tuple(_comments(facts)),
    )


def is_reply(message: Message) -> bool:
    """Whether a human agent said it, to the customer, and meant it."""
    return message.by == "agent" and message.public and not message.auto


def _comments(facts: Facts) -> Iterable[Comment]:
    """The customer's words: the opening, messages, and what stands beside ratings."""
    told: list[Opened | Message | Rating] = [facts.opened] if facts.opened else []
    told += facts.messages.values()
    told += facts.ratings.values()
    for said in told:
        if said.text and said.text.strip() and (isinstance(said, Rating) or said.by == "customer"):
            yield comment(said.at, said.text, said.language)
