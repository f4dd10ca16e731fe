"""A ticket's current facts, folded from its statements.

Facts have times of their own and accumulate. The order of the statements decides between two versions of one thing (a message or
a rating of one id, an assignment of one time), and it orders the statuses of one time.
"""

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import datetime

from msgspec import UNSET
from msgspec.structs import replace

from services.metrics.domain.lifecycle import LIFE, minute_of
from shared.events import (
    Assigned,
    Deleted,
    Fact,
    Merged,
    Message,
    Opened,
    PrioritySet,
    Rating,
    Spam,
    Status,
    StatusSet,
    Ticket,
)
from shared.text import nfc

Drop = Merged | Spam | Deleted


@dataclass(slots=True)
class Facts:
    """A ticket's current facts. Add its statements in the order of their stamps.

    `statuses` holds, for each time, the statuses of that time in the order in which the ticket had them.
    """

    opened: Opened | None = None
    messages: dict[object, Message] = field(default_factory=dict)
    statuses: defaultdict[datetime, list[Status]] = field(default_factory=lambda: defaultdict(list))
    teams: dict[datetime, str | None] = field(default_factory=dict)
    agents: dict[datetime, str | None] = field(default_factory=dict)
    priorities: dict[datetime, str | None] = field(default_factory=dict)
    ratings: dict[object, Rating] = field(default_factory=dict)
    drops: dict[tuple[datetime, str], bool] = field(default_factory=dict)

    def add(self, stated_at: datetime, ticket: Ticket) -> None:
        """Add the facts of one statement, made at `stated_at` (its source time)."""
        statuses: defaultdict[datetime, set[Status]] = defaultdict(set)
        for fact in ticket.facts:
            if isinstance(fact, StatusSet):
                statuses[fact.at].add(fact.status)
            else:
                self._add(fact, stated_at)
        for at, several in statuses.items():
            self._add_statuses(at, sorted(several, key=LIFE.__getitem__), stated_at)

    def _add_statuses(self, at: datetime, stated: list[Status], stated_at: datetime) -> None:
        """Add the statuses that one statement has of one time, in the order of a ticket's life, after those known before.

        A status that is known of that time counts once, however many statements repeat it. One exception: a statement made at
        that very time with this one status says what the ticket is then, so if another status came between, it is back in it.
        Tools whose times have minutes only state solved, open and solved again like this.
        """
        known = self.statuses[at]
        fresh = [status for status in stated if status not in known]
        if not fresh and at == stated_at and len(stated) == 1 and known[-1] != stated[0]:
            fresh = stated
        known += fresh

    def _add(self, fact: Fact, stated_at: datetime) -> None:
        """Add one fact: it replaces its own earlier version, and otherwise joins the others."""
        match fact:
            case Message():
                self.messages[fact.id or (fact.at, fact.by, name_of(fact.agent))] = fact
            case Opened():
                self.opened = restated(self.opened, fact)
            case Assigned():
                if fact.team is not UNSET:
                    self.teams[fact.at] = name_of(fact.team)
                if fact.agent is not UNSET:
                    self.agents[fact.at] = name_of(fact.agent)
            case PrioritySet():
                self.priorities[fact.at] = name_of(fact.priority)
            case Rating():
                name = fact.id or fact.at
                if fact.at != stated_at or not same_but_for_time(fact, self.ratings.get(name)):
                    self.ratings[name] = fact
            case Merged() | Spam() | Deleted():
                self.drops[fact.at, type(fact).__name__] = fact.value


def same_but_for_time(now: Rating, before: Rating | None) -> bool:
    """Whether a rating is the earlier one. A tool that states the rating with each later change of the ticket (as of then) must
    not move it to that time."""
    return before is not None and replace(now, at=before.at) == before


def name_of(name: str | None) -> str | None:
    """A name as groups are formed by it: in NFC, also where an earlier version stored another form."""
    return None if name is None else nfc(name)


def restated(before: Opened | None, now: Opened) -> Opened:
    """The opening, stated again: many tools repeat it with each change, and leave out what they stated before.

    That stays: whether it is public, the name and text of the same kind of author, and the exact time (a time without seconds
    doesn't replace one of the same minute with seconds).
    """
    if before is None:
        return now
    if now.public is UNSET:
        now = replace(now, public=before.public)
    if now.at == minute_of(before.at):
        now = replace(now, at=before.at)
    if now.by != before.by:
        return now
    if now.text is None:
        now = replace(now, text=before.text, language=before.language)
    return replace(now, agent=now.agent or before.agent, text_digest=now.text_digest or before.text_digest)
