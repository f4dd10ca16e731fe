"""The canonical record as pydantic models: they describe it in the OpenAPI document and explain what is wrong with a record.

`record.py` has the same records as structs, which the rest of ingest uses.
"""

from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field, StringConstraints, field_validator

from services.ingest.domain.answers import Answer
from services.ingest.domain.facts import Fact
from services.ingest.domain.fields import Customer, Dimensions, GroupName, Language, Model, Name, Score, Survey, Text, Time
from shared.events import Label

RESPONSE_EXAMPLE: dict[str, Any] = {
    "type": "response",
    "id": "r-1042",
    "at": "2025-11-20T09:14:03+01:00",
    "survey": {"id": "post-support", "name": "After support"},
    "channel": "email",
    "customer": {"id": "c-77"},
    "answers": [
        {"question": "q1", "kind": "nps", "value": 9},
        {"question": "q4", "kind": "comment", "text": "Quick and kind.", "language": "en"},
    ],
    "dimensions": {"team": "billing", "region": "DE"},
}


class Feedback(Model):
    """The fields that responses, reviews and tickets share. `updated_at` is the time of the edit, by default of the receipt."""

    id: Name = Field(description="Identifies the subject within its connection", examples=["r-1042"])
    at: Time = Field(description="When it was answered, written or opened", examples=["2026-11-20T09:14:03+01:00"])
    updated_at: Time | None = Field(None, description="Time of this edit; default: the time of receipt")
    channel: GroupName | None = Field(None, description="Where it came from", examples=["email", "app_store"])
    customer: Customer | None = Field(None, description="Who gave the feedback; stored under a pseudonym")
    dimensions: Dimensions = Field(Dimensions(), description="Names by which results are grouped and filtered")


class Response(Feedback):
    """A survey response. With `sent_at` and no answers it is an invitation that is not answered yet."""

    model_config = ConfigDict(json_schema_extra={"examples": [RESPONSE_EXAMPLE]})
    type: Literal["response"]
    sent_at: Time | None = Field(None, description="When the invitation was sent")
    survey: Survey | None = None
    answers: list[Answer] = Field(default_factory=list, max_length=200, description="One per question and kind")

    @field_validator("answers")
    @classmethod
    def _check_each_question_once(cls, answers: list[Answer]) -> list[Answer]:
        if len({(a.question, a.kind) for a in answers}) < len(answers):
            raise ValueError("a question is answered twice")
        return answers


class Review(Feedback):
    """A review in a store or on a portal, of 1 to 5 stars or none."""

    type: Literal["review"]
    stars: Annotated[Score, Field(ge=1, le=5)] | None = None
    title: Text | None = None
    text: Text | None = None
    language: Language | None = Field(None, description="Language of the text, such as `en` or `pt-BR`")
    product: GroupName | None = Field(None, description="The reviewed product; a dimension")
    deleted: bool = Field(False, description="Whether the review was deleted; a later record without it brings the review back")


class Ticket(Feedback):
    """A ticket or a part of its history. `dimensions.team` and `.agent` are its assignment at the opening."""

    type: Literal["ticket"]
    facts: list[Fact] = Field(default_factory=list, max_length=1000, description="They accumulate over records, in any order")


class Erasure(Model):
    """A request to erase a customer."""

    type: Literal["erasure"]
    id: Name
    at: Time
    customer: Customer
    linked: bool = Field(
        False,
        description="Also erase everything that the customer's links reach, as `customers:erase` does: see `customers:find`",
    )


SUBJECT, COMMENT = r"^[^/\x00-\x1f]+/(response|review|ticket)/[^\x00-\x1f\x7f]+$", r"^[0-9a-f]{32}$"
Subject = Annotated[str, StringConstraints(max_length=300, pattern=SUBJECT)]
"""`<connection>/<type>/<id>`."""
Comment = Annotated[str, StringConstraints(pattern=COMMENT)]
"""The hash of a comment's text."""


class Override(Model):
    """A human's label of one comment, which is identified by the hash of its text."""

    type: Literal["override"]
    id: Name
    at: Time
    subject: Subject = Field(description="`<connection>/<type>/<id>`")
    comment: Comment = Field(description="The hash of the comment's text (`text_hash`)")
    label: Label | None = Field(None, description="The sentiment; null with no themes removes the override")
    themes: list[GroupName] = Field(default_factory=list, max_length=50, description="Ids of the comment's themes")


Record = Annotated[Response | Review | Ticket | Erasure | Override, Field(discriminator="type")]
