"""A ticket's facts as they stand after every statement of it was folded in.

Facts have times of their own and accumulate; the order of the statements decides only between two versions of one thing: a
message or a rating of one id, an assignment of one time.
"""

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
)
from shared.text import nfc

Drop = Merged | Spam | Deleted


@dataclass(slots=True)
class Facts:
    """What is known of a ticket. Statements are taken in the order of their stamps, the facts of each as they are told."""

    opened: Opened | None = None
    messages: dict[object, Message] = field(default_factory=dict)
    statuses: set[tuple[datetime, Status]] = field(default_factory=set)
    teams: dict[datetime, str | None] = field(default_factory=dict)
    agents: dict[datetime, str | None] = field(default_factory=dict)
    priorities: dict[datetime, str | None] = field(default_factory=dict)
    ratings: dict[object, Rating] = field(default_factory=dict)
    drops: dict[tuple[datetime, str], bool] = field(default_factory=dict)

    def take(self, fact: Fact) -> None:
        """Take one fact in: it replaces its own earlier version, and else stands beside the others."""
        match fact:
            case StatusSet():
                self.statuses.add((fact.at, fact.status))
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
                self.ratings[fact.id or fact.at] = fact
            case Merged() | Spam() | Deleted():
                self.drops[fact.at, type(fact).__name__] = fact.value


def name_of(name: str | None) -> str | None:
    """A name as groups are formed by it: in NFC, also where an earlier version stored another form."""
    return None if name is None else nfc(name)


def restated(before: Opened | None, now: Opened) -> Opened:
    """The opening told again: many a tool repeats it with each change, without its text, which then stays."""
    if before is None or now.text is not None or now.by != before.by:
        return now
    return replace(now, text=before.text, language=before.language)
