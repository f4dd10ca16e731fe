"""A ticket's current state: the events that KPIs count, who held it when, its ratings and its comments."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from msgspec import UNSET, UnsetType

from services.metrics.domain.assignments import NOBODY, Holders, holders
from services.metrics.domain.comment import Comment, comment
from services.metrics.domain.facts import Facts, name_of
from services.metrics.domain.lifecycle import Passages, Solve, dropped, minute_of, passages
from shared.events import Message, Opened, Rating, Ticket
from shared.text import nfc

REPEATED_WITHIN = timedelta(seconds=5)
"""How far a message that is the opening, stated again, may be from the opening's time."""


@dataclass(frozen=True, slots=True)
class TicketView:
    """A ticket whose opening is known. `first_reply`: the first public message of a human agent after it; `dropped`: since when
    the ticket is merged, spam or deleted; `priority`: the latest that was set, UNSET where none ever was."""

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


def ticket_view(statements: Iterable[tuple[datetime, Ticket]], team: str | None, agent: str | None) -> TicketView | None:
    """The ticket of these statements, each with its source time, in the order of their stamps; None without a known opening.

    `team` and `agent`, its dimensions, are an assignment at its opening; a fact of that very time is more exact.
    """
    facts = Facts()
    for stated_at, ticket in statements:
        facts.add(stated_at, ticket)
    if facts.opened is None:
        return None
    opened = facts.opened.at
    messages = [message for message in facts.messages.values() if not repeats(facts.opened, message)]
    if team is not None:
        facts.teams.setdefault(opened, team)
    if agent is not None:
        facts.agents.setdefault(opened, agent)
    way: Passages = passages(opened, facts.statuses)
    return TicketView(
        opened=opened,
        first_reply=_first_reply(opened, messages),
        solves=way.solves,
        reopenings=way.reopenings,
        standing=way.standing,
        dropped=dropped(facts.drops) if facts.drops else None,
        teams=holders(facts.teams) if facts.teams else NOBODY,
        agents=holders(facts.agents) if facts.agents else NOBODY,
        priority=facts.priorities[max(facts.priorities)] if facts.priorities else UNSET,
        ratings=tuple(rating for rating in facts.ratings.values() if rating.value is not None),
        comments=tuple(_comments(facts.opened, messages, facts.ratings.values())),
    )


def repeats(opened: Opened, message: Message) -> bool:
    """Whether the message is the opening, stated again: the same author and text, within REPEATED_WITHIN.

    Some tools send a ticket's first comment as a message too. What isn't known on both sides doesn't tell two apart: an agent's
    name, an agent's text. An agent's private note is not the same as a public opening.
    """
    if abs(message.at - opened.at) > REPEATED_WITHIN or message.by != opened.by:
        return False
    if message.by == "customer":
        return _plain(message.text) == _plain(opened.text)
    return (
        _same_if_known(name_of(message.agent), name_of(opened.agent))
        and _same_if_known(message.text_digest, opened.text_digest)
        and (opened.public is UNSET or message.public is opened.public)
    )


def _same_if_known(one: str | None, other: str | None) -> bool:
    return one is None or other is None or one == other


def _plain(text: str | None) -> str:
    """A text without what tools change when they repeat it: white space and the composition of its letters."""
    return nfc(" ".join((text or "").split()))


def _first_reply(opened: datetime, messages: Iterable[Message]) -> datetime | None:
    """When a human agent first answered. Where a tool leaves out seconds, a reply of the opening's minute came at once."""
    replies, minute = (message.at for message in messages if is_reply(message)), minute_of(opened)
    return min((max(at, opened) for at in replies if at > opened or at == minute), default=None)


def is_reply(message: Message) -> bool:
    """Whether a human agent said it, to the customer, and meant it."""
    return message.by == "agent" and message.public and not message.auto


def _comments(opened: Opened, messages: Iterable[Message], ratings: Iterable[Rating]) -> Iterable[Comment]:
    """The customer's words: the opening, messages, and the texts of ratings."""
    texts: tuple[Opened | Message | Rating, ...] = (opened, *messages, *ratings)
    for said in texts:
        if said.text and said.text.strip() and (isinstance(said, Rating) or said.by == "customer"):
            yield comment(said.at, said.text, said.language)
