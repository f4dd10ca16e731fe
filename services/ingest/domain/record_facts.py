"""The facts of a ticket as structs, each with the time from which it was true. `facts.py` describes them."""

from typing import ClassVar, Literal

from msgspec import UNSET, UnsetType

from services.ingest.domain.record_parts import (
    Name,
    Refused,
    Satisfaction,
    Text,
    Time,
    Timed,
    check_group,
    check_language,
    check_line,
    check_text,
    to_utc,
)
from shared.events import Party, Status


class Opened(Timed, tag_field="fact", tag="opened", frozen=True, kw_only=True):
    """The opening. `public` is UNSET if the record does not state it."""

    fact: ClassVar[Literal["opened"]] = "opened"
    by: Party = "customer"
    agent: Name | None = None
    public: bool | UnsetType = UNSET
    text: Text | None = None
    language: str | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        check_group(self.agent)
        check_text(self.text)
        check_language(self.language)


class Message(Timed, tag_field="fact", tag="message", frozen=True, kw_only=True):
    fact: ClassVar[Literal["message"]] = "message"
    by: Party
    agent: Name | None = None
    public: bool = True
    auto: bool = False
    id: Name | None = None
    text: Text | None = None
    language: str | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        check_group(self.agent)
        check_line(self.id)
        check_text(self.text)
        check_language(self.language)


class StatusSet(Timed, tag_field="fact", tag="status", frozen=True, kw_only=True):
    fact: ClassVar[Literal["status"]] = "status"
    status: Status


class Assigned(Timed, tag_field="fact", tag="assigned", frozen=True, kw_only=True):
    """The assignment. UNSET: unchanged; None: nobody."""

    fact: ClassVar[Literal["assigned"]] = "assigned"
    team: Name | UnsetType | None = UNSET
    agent: Name | UnsetType | None = UNSET

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.team is UNSET and self.agent is UNSET:
            raise Refused
        check_group(self.team or None)
        check_group(self.agent or None)


class PrioritySet(Timed, tag_field="fact", tag="priority", frozen=True, kw_only=True):
    fact: ClassVar[Literal["priority"]] = "priority"
    priority: Name | None

    def __post_init__(self) -> None:
        super().__post_init__()
        check_group(self.priority)


class Rating(Satisfaction, tag_field="fact", tag="rating", frozen=True, kw_only=True):
    fact: ClassVar[Literal["rating"]] = "rating"
    at: Time
    kind: Literal["csat"] = "csat"
    id: Name | None = None
    text: Text | None = None
    language: str | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        to_utc(self, "at")
        check_line(self.id)
        check_text(self.text)
        check_language(self.language)


class Merged(Timed, tag_field="fact", tag="merged", frozen=True, kw_only=True):
    fact: ClassVar[Literal["merged"]] = "merged"
    into: Name | None = None
    value: bool = True

    def __post_init__(self) -> None:
        super().__post_init__()
        check_line(self.into)


class Spam(Timed, tag_field="fact", tag="spam", frozen=True, kw_only=True):
    fact: ClassVar[Literal["spam"]] = "spam"
    value: bool = True


class Deleted(Timed, tag_field="fact", tag="deleted", frozen=True, kw_only=True):
    fact: ClassVar[Literal["deleted"]] = "deleted"
    value: bool = True


Fact = Opened | Message | StatusSet | Assigned | PrioritySet | Rating | Merged | Spam | Deleted
