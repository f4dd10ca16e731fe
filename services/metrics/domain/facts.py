"""The current facts of a ticket, folded from its statements.

Every fact has a time of its own, and facts accumulate. The order of the statements decides between two versions of one fact (a
message or rating with one id, an assignment at one time) and orders the statuses of one time.
"""

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import datetime

from msgspec import UNSET
from msgspec.structs import replace

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

STATUS_ORDER: dict[Status, int] = {"new": 0, "open": 1, "pending": 2, "on_hold": 3, "solved": 4, "closed": 5}
"""The statuses in the order of a ticket's life. It orders the statuses that one statement has for one time."""


@dataclass(slots=True)
class Facts:
    """The current facts of a ticket. Add its statements in the order of their stamps.

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
                self._add_fact(fact, stated_at)
        for at, of_one_time in statuses.items():
            self._add_statuses(at, sorted(of_one_time, key=STATUS_ORDER.__getitem__), stated_at)

    def _add_statuses(self, at: datetime, statuses: list[Status], stated_at: datetime) -> None:
        """Add the statuses that one statement has for one time, after those already known for that time.

        A status already known for that time is not added again, however many statements repeat it. One exception: a statement
        made at that very time with this status alone is the ticket's status at that time, so if another status came between, the
        ticket is back in it. Tools whose times have no seconds send solved, open and solved within one minute like this.
        """
        known = self.statuses[at]
        new = [status for status in statuses if status not in known]
        if not new and at == stated_at and len(statuses) == 1 and known[-1] != statuses[0]:
            new = statuses
        known += new

    def _add_fact(self, fact: Fact, stated_at: datetime) -> None:
        """Add one fact. It replaces an earlier version of itself."""
        match fact:
            case Message():
                self.messages[fact.id or (fact.at, fact.by, normalised(fact.agent))] = fact
            case Opened():
                self.opened = merged_opening(self.opened, fact)
            case Assigned():
                if fact.team is not UNSET:
                    self.teams[fact.at] = normalised(fact.team)
                if fact.agent is not UNSET:
                    self.agents[fact.at] = normalised(fact.agent)
            case PrioritySet():
                self.priorities[fact.at] = normalised(fact.priority)
            case Rating():
                key = fact.id or fact.at
                if fact.at != stated_at or not equal_except_time(fact, self.ratings.get(key)):
                    self.ratings[key] = fact
            case Merged() | Spam() | Deleted():
                self.drops[fact.at, type(fact).__name__] = fact.value


def equal_except_time(rating: Rating, previous: Rating | None) -> bool:
    """Whether two ratings differ in their time at most.

    Some tools repeat a rating with every later change of the ticket, at the time of that change. The rating keeps its first time.
    """
    return previous is not None and replace(rating, at=previous.at) == previous


def normalised(name: str | None) -> str | None:
    """The name in NFC, the form in which names are compared and grouped. Earlier versions stored other forms."""
    return None if name is None else nfc(name)


def merged_opening(previous: Opened | None, latest: Opened) -> Opened:
    """The latest opening, completed from the previous one.

    Many tools repeat the opening with each change and leave out fields. A field that is left out keeps its previous value:
    `public`; the name and the text of the same kind of author; the seconds of its time, if the latest time is the same minute
    without seconds.
    """
    if previous is None:
        return latest
    if latest.public is UNSET:
        latest = replace(latest, public=previous.public)
    if latest.at == to_minute(previous.at):
        latest = replace(latest, at=previous.at)
    if latest.by != previous.by:
        return latest
    if latest.text is None:
        latest = replace(latest, text=previous.text, language=previous.language)
    return replace(latest, agent=latest.agent or previous.agent, text_digest=latest.text_digest or previous.text_digest)


def to_minute(at: datetime) -> datetime:
    """The time without seconds, as some tools write it."""
    return at.replace(second=0, microsecond=0)
