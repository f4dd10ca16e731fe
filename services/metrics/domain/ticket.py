"""The current state of a ticket: the events that KPIs count, its assignments, ratings and comments.

A ticket is unsolved from its opening until a status is solved or closed. A status before the opening (clocks differ, and some
tools round the opening alone) is the initial status, unless another status has the very time of the opening.

Some tools write times without seconds. A status in the minute of the opening, as such a tool writes it, is taken as a status at
the opening: it can't be earlier.
"""

from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple

from msgspec import UNSET, UnsetType

from services.metrics.domain.comments import Comment
from services.metrics.domain.facts import STATUS_ORDER, Facts, normalised, to_minute
from shared.events import Message, Opened, Rating, Status, Ticket
from shared.text import nfc

REPEATED_WITHIN = timedelta(seconds=5)
"""A message that repeats the opening has a time at most this far from it."""

SOLVED = STATUS_ORDER["solved"]
SECOND = timedelta(seconds=1)


# --- assignments ----------------------------------------------------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class Assignments:
    """The assignments of a ticket to a team, an agent or a priority, in order of time. A name is None where there was none."""

    times: tuple[datetime, ...] = ()
    names: tuple[str | None, ...] = ()

    def at(self, instant: datetime) -> str | None:
        """The last name assigned at or before the instant, else the first one ever; None without any assignment."""
        if not self.names:
            return None
        return self.names[max(bisect_right(self.times, instant) - 1, 0)]

    def set_by(self, instant: datetime) -> str | None:
        """The last name assigned at or before the instant; None if there is none."""
        return self.at(instant) if self.times and self.times[0] <= instant else None


UNASSIGNED = Assignments()


def assignments(names_by_time: Mapping[datetime, str | None]) -> Assignments:
    """Assignments from the names at their times; a name of None ends an assignment."""
    if not names_by_time:
        return UNASSIGNED
    times = tuple(sorted(names_by_time))
    return Assignments(times, tuple(names_by_time[at] for at in times))


# --- solves and reopenings ------------------------------------------------------------------------------------------------
class Solve(NamedTuple):
    """A change from an unsolved status to solved or closed.

    `at` is when it counts. `seconds` are the whole seconds from the opening to it, negative if it is stated as earlier.
    """

    at: datetime
    seconds: int


class Transitions(NamedTuple):
    """Solves and reopenings. They alternate, and the first one is a solve."""

    solves: tuple[Solve, ...]
    reopenings: tuple[datetime, ...]

    @property
    def current(self) -> Solve | None:
        """The solve that no reopening followed."""
        return self.solves[-1] if len(self.solves) > len(self.reopenings) else None


def transitions(opened: datetime, statuses: Mapping[datetime, Sequence[Status]]) -> Transitions:
    """The solves and reopenings of a ticket. `statuses` has, for each time, the statuses in the order in which it had them."""
    solves: list[Solve] = []
    reopenings: list[datetime] = []
    solved = False
    for at, rank in since_opening(opened, statuses):
        if (rank >= SOLVED) is not solved:
            solved = not solved
            if solved:
                solves.append(Solve(max(at, opened), (at - opened) // SECOND))
            else:
                reopenings.append(at)
    return Transitions(tuple(solves), tuple(reopenings))


def since_opening(opened: datetime, statuses: Mapping[datetime, Sequence[Status]]) -> list[tuple[datetime, int]]:
    """The statuses in order, each with its rank in STATUS_ORDER. Of those before the opening the last at most."""
    ordered = sorted(_ranked(opened, statuses), key=_by_time_new_first)
    early = sum(at < opened for at, _ in ordered)
    if early and early < len(ordered) and ordered[early][0] == opened:
        return ordered[early:]
    return ordered[max(early - 1, 0) :]


def _ranked(opened: datetime, statuses: Mapping[datetime, Sequence[Status]]) -> Iterable[tuple[datetime, int]]:
    for at in sorted(statuses):
        for status in statuses[at]:
            yield (opened if at == to_minute(opened) else at), STATUS_ORDER[status]


def _by_time_new_first(status: tuple[datetime, int]) -> tuple[datetime, bool]:
    """Sort by time. Of one time `new` comes first, since no ticket returns to it; the others keep their order."""
    return status[0], status[1] != STATUS_ORDER["new"]


def dropped_since(drops: Mapping[tuple[datetime, str], bool]) -> datetime | None:
    """Since when the ticket has been merged, spam or deleted without a break; None if all of it was taken back.

    `drops` says, by time and kind, whether the ticket became it (True) or no longer was (False).
    """
    since: datetime | None = None
    current: set[str] = set()
    for (at, kind), value in sorted(drops.items(), key=lambda drop: (drop[0][0], not drop[1])):
        if value:
            current.add(kind)
            since = since or at
        else:
            current.discard(kind)
            since = since if current else None
    return since


# --- the ticket -----------------------------------------------------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class TicketView:
    """A ticket whose opening is known.

    `by_agent`: an agent opened it. `first_reply` is the first public message of a human agent after the opening. `current_solve`
    is the solve that no reopening followed. `dropped` is since when the ticket has been merged, spam or deleted. `priorities` are
    those that were set.
    """

    opened: datetime
    by_agent: bool
    first_reply: datetime | None
    solves: tuple[Solve, ...]
    reopenings: tuple[datetime, ...]
    current_solve: Solve | None
    dropped: datetime | None
    teams: Assignments
    agents: Assignments
    priorities: Assignments
    ratings: tuple[Rating, ...]
    comments: tuple[Comment, ...]

    @property
    def priority(self) -> str | None | UnsetType:
        """The latest priority, UNSET if none was ever set."""
        return self.priorities.names[-1] if self.priorities.names else UNSET


def ticket_view(statements: Iterable[tuple[datetime, Ticket]], team: str | None, agent: str | None) -> TicketView | None:
    """Fold the statements of a ticket, each with its source time, in the order of their stamps. None without a known opening.

    `team` and `agent` are the ticket's dimensions. They count as an assignment at the opening, unless a fact of that very time
    says otherwise.
    """
    facts = Facts()
    for stated_at, ticket in statements:
        facts.add(stated_at, ticket)
    if facts.opened is None:
        return None
    opened = facts.opened.at
    messages = [message for message in facts.messages.values() if not repeats_opening(facts.opened, message)]
    if team is not None:
        facts.teams.setdefault(opened, team)
    if agent is not None:
        facts.agents.setdefault(opened, agent)
    changes = transitions(opened, facts.statuses)
    return TicketView(
        opened=opened,
        by_agent=facts.opened.by == "agent",
        first_reply=_first_reply(opened, messages),
        solves=changes.solves,
        reopenings=changes.reopenings,
        current_solve=changes.current,
        dropped=dropped_since(facts.drops) if facts.drops else None,
        teams=assignments(facts.teams),
        agents=assignments(facts.agents),
        priorities=assignments(facts.priorities),
        ratings=tuple(rating for rating in facts.ratings.values() if rating.value is not None),
        comments=tuple(_comments(facts.opened, messages, facts.ratings.values())),
    )


def repeats_opening(opened: Opened, message: Message) -> bool:
    """Whether the message repeats the opening: the same author and text, within REPEATED_WITHIN.

    Some tools send the first comment of a ticket as a message too. An agent's name or text that is unknown on one side equals
    any. An agent's private note never repeats a public opening.
    """
    if abs(message.at - opened.at) > REPEATED_WITHIN or message.by != opened.by:
        return False
    if message.by == "customer":
        return _comparable(message.text) == _comparable(opened.text)
    return (
        _equal_if_known(normalised(message.agent), normalised(opened.agent))
        and _equal_if_known(message.text_digest, opened.text_digest)
        and (opened.public is UNSET or message.public is opened.public)
    )


def _equal_if_known(one: str | None, other: str | None) -> bool:
    return one is None or other is None or one == other


def _comparable(text: str | None) -> str:
    """The text in NFC with single spaces: tools change both when they repeat a text."""
    return nfc(" ".join((text or "").split()))


def _first_reply(opened: datetime, messages: Iterable[Message]) -> datetime | None:
    """When a human agent first replied. A reply at the minute of the opening, in a tool that leaves out seconds, came at once."""
    replies, minute = (message.at for message in messages if is_reply(message)), to_minute(opened)
    return min((max(at, opened) for at in replies if at > opened or at == minute), default=None)


def is_reply(message: Message) -> bool:
    """Whether the message is a reply to the customer by a human agent."""
    return message.by == "agent" and message.public and not message.auto


def _comments(opened: Opened, messages: Iterable[Message], ratings: Iterable[Rating]) -> Iterable[Comment]:
    """The customer's comments: the opening, messages, and the texts of ratings."""
    facts: tuple[Opened | Message | Rating, ...] = (opened, *messages, *ratings)
    for fact in facts:
        if fact.text and fact.text.strip() and (isinstance(fact, Rating) or fact.by == "customer"):
            yield Comment.from_text(fact.at, fact.text, fact.language)
