"""The current state of a ticket: the events that KPIs count, its statuses, assignments, ratings and comments."""

from bisect import bisect_right
from collections.abc import Collection, Iterable, Iterator, Mapping
from datetime import datetime, timedelta

from msgspec import UNSET, Struct, UnsetType

from services.metrics.domain.comments import Comment
from services.metrics.domain.facts import Facts, normalised, to_minute
from services.metrics.domain.statuses import Change, Period, Solve, StatusPeriod, since_opening, status_periods, transitions
from services.metrics.domain.waits import Wait, waits_of
from shared.events import Deleted, Message, Opened, Party, Rating, Status, Ticket
from shared.text import nfc

REPEATED_WITHIN = timedelta(seconds=5)
"""A message that repeats the opening has a time at most this far from it, or that of its whole minute."""


# --- assignments ----------------------------------------------------------------------------------------------------------
class Assignments(Struct, frozen=True):
    """The assignments of a ticket to a team, an agent or a priority, in order of time. A name is None where there was none."""

    times: tuple[datetime, ...] = ()
    names: tuple[str | None, ...] = ()

    def at(self, instant: datetime) -> str | None:
        """The last name assigned at or before the instant, else the first one of all; None without any assignment."""
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


# --- drops ----------------------------------------------------------------------------------------------------------------
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
class TicketView(Struct, frozen=True):
    """A ticket whose opening is known.

    `public`: the opening is a message that the customer can read. `replies` are the times of the public messages of human agents
    after the opening, in order; `waits` are those of the customer for further replies, `staff_messages` the times of all public
    messages of agents and bots, `questions` those of the customer's. `changes` are those of its status, `unsolved` the periods in
    which it is neither solved nor closed. `current_solve` is the solve that no reopening followed. `dropped` is since when the
    ticket has been merged, spam or deleted; `deletions` are the times at which it was deleted (True) or restored. `priorities`
    are those that were set.
    """

    opened: datetime
    opened_by: Party
    public: bool
    replies: tuple[datetime, ...]
    waits: tuple[Wait, ...]
    staff_messages: tuple[datetime, ...]
    questions: tuple[datetime, ...]
    changes: tuple[Change, ...]
    statuses: tuple[StatusPeriod, ...]
    unsolved: tuple[Period, ...]
    solves: tuple[Solve, ...]
    reopenings: tuple[datetime, ...]
    current_solve: Solve | None
    dropped: datetime | None
    deletions: tuple[tuple[datetime, bool], ...]
    teams: Assignments
    agents: Assignments
    priorities: Assignments
    ratings: tuple[Rating, ...]
    comments: tuple[Comment, ...]

    @property
    def by_agent(self) -> bool:
        """Whether an agent opened it."""
        return self.opened_by == "agent"

    @property
    def first_reply(self) -> datetime | None:
        """The first reply of a human agent."""
        return self.replies[0] if self.replies else None

    def periods_in(self, statuses: Collection[Status]) -> Iterator[tuple[datetime, datetime | None]]:
        """The periods in which the ticket had one of `statuses`; the last may have no end."""
        return ((period.start, period.end) for period in self.statuses if period.status in statuses)

    def time_in(self, statuses: Collection[Status]) -> timedelta:
        """How long the ticket had one of `statuses`, without a period that has no end."""
        return sum((end - start for start, end in self.periods_in(statuses) if end is not None), timedelta())

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
    changes = tuple(since_opening(opened, facts.statuses))
    passages = transitions(opened, changes)
    replies = times_after_opening(opened, (message.at for message in messages if is_reply(message)))
    questions = times_after_opening(opened, (message.at for message in messages if is_question(message)))
    return TicketView(
        opened=opened,
        opened_by=facts.opened.by,
        public=facts.opened.public is not False,
        replies=tuple(replies),
        waits=tuple(
            waits_of(questions, replies, (solve.at for solve in passages.solves), opened_by_agent=is_first_message(facts.opened))
        ),
        staff_messages=tuple(sorted(message.at for message in messages if message.by != "customer" and message.public)),
        questions=tuple(questions),
        changes=changes,
        statuses=status_periods(opened, changes),
        unsolved=passages.unsolved(opened),
        solves=passages.solves,
        reopenings=passages.reopenings,
        current_solve=passages.current,
        dropped=dropped_since(facts.drops) if facts.drops else None,
        deletions=tuple(sorted((at, value) for (at, kind), value in facts.drops.items() if kind == Deleted.__name__)),
        teams=assignments(facts.teams),
        agents=assignments(facts.agents),
        priorities=assignments(facts.priorities),
        ratings=tuple(rating for rating in facts.ratings.values() if rating.value is not None),
        comments=tuple(_comments(facts.opened, messages, facts.ratings.values())),
    )


def repeats_opening(opened: Opened, message: Message) -> bool:
    """Whether the message repeats the opening: the same author and text, within REPEATED_WITHIN or at its whole minute.

    Some tools send the first comment of a ticket as a message too. Those that leave out seconds send it at the whole minute, even
    where the seconds of the opening are known. An agent's name or text that is unknown on one side equals any. An agent's private
    note never repeats a public opening.
    """
    if message.by != opened.by:
        return False
    if abs(message.at - opened.at) > REPEATED_WITHIN and message.at != to_minute(opened.at):
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


def times_after_opening(opened: datetime, times: Iterable[datetime]) -> list[datetime]:
    """The times after the opening, in order.

    One at the whole minute of the opening comes from a tool that leaves out seconds: it counts, at the opening's time. Any other
    must be later than the opening: one of the same time, with seconds, doesn't count.
    """
    minute = to_minute(opened)
    return sorted(max(at, opened) for at in times if at > opened or at == minute)


def is_reply(message: Message) -> bool:
    """Whether the message is a reply to the customer by a human agent."""
    return message.by == "agent" and message.public and not message.auto


def is_question(message: Message) -> bool:
    """Whether the message is one that a customer wrote to the agents."""
    return message.by == "customer" and message.public and not message.auto


def is_first_message(opening: Opened) -> bool:
    """Whether the opening is a message of a human agent to the customer."""
    return opening.by == "agent" and opening.public is not False


def _comments(opened: Opened, messages: Iterable[Message], ratings: Iterable[Rating]) -> Iterable[Comment]:
    """The customer's comments: the opening, messages, and the texts of ratings."""
    facts: tuple[Opened | Message | Rating, ...] = (opened, *messages, *ratings)
    for fact in facts:
        if fact.text and fact.text.strip() and (isinstance(fact, Rating) or fact.by == "customer"):
            yield Comment.from_text(fact.at, fact.text, fact.language)
