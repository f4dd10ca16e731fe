"""The facts of a ticket, each with the time at which it was true."""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from services.ingest.domain.answers import Satisfaction
from services.ingest.domain.fields import GroupName, Language, Model, Name, Text, Time
from shared.events import Party, Status


class Opened(Model):
    """The opening. `public`: whether the customer sees it; left out: as stated before, else yes."""

    fact: Literal["opened"]
    at: Time
    by: Party = "customer"
    agent: GroupName | None = None
    public: bool = True
    text: Text | None = None
    language: Language | None = None


class Message(Model):
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
    fact: Literal["status"]
    at: Time
    status: Status


class Assigned(Model):
    """A team, an agent or both; null: nobody; left out: as before."""

    fact: Literal["assigned"]
    at: Time
    team: GroupName | None = None
    agent: GroupName | None = None

    @model_validator(mode="after")
    def _of_somebody(self) -> "Assigned":
        if not self.model_fields_set & {"team", "agent"}:
            raise ValueError("an assignment names a team or an agent")
        return self


class PrioritySet(Model):
    fact: Literal["priority"]
    at: Time
    priority: GroupName | None


class Rating(Satisfaction):
    fact: Literal["rating"]
    at: Time
    kind: Literal["csat"] = "csat"
    id: Name | None = None
    text: Text | None = None
    language: Language | None = None


class Merged(Model):
    fact: Literal["merged"]
    at: Time
    into: Name | None = None
    value: bool = True


class Spam(Model):
    fact: Literal["spam"]
    at: Time
    value: bool = True


class Deleted(Model):
    fact: Literal["deleted"]
    at: Time
    value: bool = True


Fact = Annotated[
    Opened | Message | StatusSet | Assigned | PrioritySet | Rating | Merged | Spam | Deleted, Field(discriminator="fact")
]
