"""The facts of a ticket, each with the time from which it was true."""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from services.ingest.domain.answers import Satisfaction
from services.ingest.domain.fields import GroupName, Language, Model, Name, Text, Time
from shared.events import Party, Status


class Opened(Model):
    """The opening. `public` says whether the customer sees it. Left out, an earlier statement counts, else true."""

    fact: Literal["opened"]
    at: Time
    by: Party = "customer"
    agent: GroupName | None = None
    public: bool = True
    text: Text | None = None
    language: Language | None = None


class Message(Model):
    """A message of a customer, an agent or a bot. Private ones are notes. `auto` marks automatic replies."""

    fact: Literal["message"]
    at: Time
    by: Party
    agent: GroupName | None = None
    public: bool = True
    auto: bool = False
    id: Name | None = None
    text: Text | None = None
    language: Language | None = None


class StatusSet(Model):
    """The status of the ticket."""

    fact: Literal["status"]
    at: Time
    status: Status


class Assigned(Model):
    """The assigned team, agent or both. Null removes one; one that is left out stays as it is."""

    fact: Literal["assigned"]
    at: Time
    team: GroupName | None = None
    agent: GroupName | None = None

    @model_validator(mode="after")
    def _check_assignee(self) -> "Assigned":
        if not self.model_fields_set & {"team", "agent"}:
            raise ValueError("an assignment needs a team or an agent")
        return self


class PrioritySet(Model):
    """The priority of the ticket; null: none."""

    fact: Literal["priority"]
    at: Time
    priority: GroupName | None


class Rating(Satisfaction):
    """A CSAT rating of the ticket. Posted again under its `id` it replaces itself."""

    fact: Literal["rating"]
    at: Time
    kind: Literal["csat"] = "csat"
    id: Name | None = None
    text: Text | None = None
    language: Language | None = None


class Merged(Model):
    """The ticket was merged `into` another. `"value": false` takes it back."""

    fact: Literal["merged"]
    at: Time
    into: Name | None = None
    value: bool = True


class Spam(Model):
    """The ticket is spam. `"value": false` takes it back."""

    fact: Literal["spam"]
    at: Time
    value: bool = True


class Deleted(Model):
    """The ticket was deleted. `"value": false` takes it back."""

    fact: Literal["deleted"]
    at: Time
    value: bool = True


Fact = Annotated[
    Opened | Message | StatusSet | Assigned | PrioritySet | Rating | Merged | Spam | Deleted, Field(discriminator="fact")
]
