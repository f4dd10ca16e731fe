"""The bodies of `/v1/customers`."""

from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from services.ingest.domain.fields import Customer, Email, Model, Name
from services.ingest.domain.identity import MOST_OTHERS
from services.ingest.domain.left_out import Reason
from services.ingest.inbox.erasure import MOST_AT_ONCE
from services.ingest.inbox.people import MOST_NAMES
from services.ingest.inbox.unread import MOST_BODIES

MAX_PAGE = 100


class CustomerQuery(Model):
    """A customer, by an id, an e-mail address or both."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"email": "c77@example.com"}]})
    id: Name | None = Field(
        None,
        description="An id of your own, or of a tool with the provider's name: `zendesk:351`. A tool's id without that name "
        "finds what was stored before ids of tools had names",
        examples=["c-77"],
    )
    email: Email | None = Field(None, examples=["c77@example.com"])

    @model_validator(mode="after")
    def _check_identity(self) -> "CustomerQuery":
        if self.id is None and self.email is None:
            raise ValueError("an id or an email is needed")
        return self

    @property
    def customer(self) -> Customer:
        """The customer as a record names them."""
        return Customer(id=self.id, email=self.email)


class ExportQuery(CustomerQuery):
    """A customer, and the page of the export."""

    cursor: str | None = Field(None, max_length=400, pattern=r"^[^\x00]*$", description="`cursor` of the page before")
    limit: int = Field(MAX_PAGE, ge=1, le=MAX_PAGE, description="Subjects on a page; it may have fewer, if they are large")


class Identity(BaseModel):
    """One pseudonym of the customer."""

    pseudonym: str = Field(examples=["6c1e1f4c4cf1de1d3b2d7e1a90b3f2aa"])
    kind: Literal["id", "email"]
    requested: bool = Field(description="Whether the request states it; the others were found by links")
    shared: bool = Field(
        description=f"Many people have it: more than {MOST_OTHERS} ids or addresses of one connection are stated with it, or it "
        "is a placeholder such as `guest`. It links nothing, so what others stated with it is neither found nor erased"
    )


class LeftOutView(BaseModel):
    """An id or address that was not followed."""

    pseudonym: str | None = Field(description="null if the reason is about no single name", examples=[None])
    kind: Literal["id", "email"] | None = Field(description="null if the reason is about no single name", examples=[None])
    reason: Reason = Field(
        description=f"`shared`: more than {MOST_OTHERS} ids or addresses of one connection are stated with it, as of a family's "
        "mailbox. `placeholder`: an id that stands for nobody, such as `guest`, `unknown` or `0`. `too_many_links`: links reach "
        f"more than {MOST_NAMES:,} ids and addresses. `not_recorded`: an earlier version carried the erasure out",
        examples=["too_many_links"],
    )
    detail: str = Field(
        description="The consequence, and what to do, for people",
        examples=["Links reach more ids and addresses than are followed. Name the customer once more by another of their ids"],
    )


LEFT_OUT = (
    "Names of the customer that link nothing, so that what others stated with them is neither shown nor erased. Data that "
    "states no other name of the customer may be missing"
)


class HoldingView(BaseModel):
    """The customer's data over one connection."""

    connection: str = Field(examples=["con_8c2b1f7be4a94e0c9d3c4a50a1c2e3f4"])
    provider: str = Field(examples=["zendesk"])
    name: str = Field(examples=["Support"])
    subjects: int = Field(description="Responses, reviews and tickets", examples=[3])
    statements: int = Field(description="Stored events about them", examples=[17])
    first_received: datetime
    last_received: datetime


class FoundCustomer(BaseModel):
    """The customer, and what `:export` returns and `:erase` erases."""

    identities: list[Identity] = Field(description="The customer's pseudonyms; those of the request first")
    subjects: int = Field(examples=[3])
    statements: int = Field(examples=[17])
    holdings: list[HoldingView] = Field(description="By connection")
    complete: bool = Field(description="false: names were left out, which `left_out` lists", examples=[True])
    left_out: list[LeftOutView] = Field(description=LEFT_OUT, examples=[[]])


class StoreView(BaseModel):
    """One place that holds data about customers."""

    name: str = Field(
        description="`ingest.events`: stored events. `ingest.bodies`: the bodies that stated them. `ingest.other_bodies`: all "
        "other bodies, which are searched for the customer's ids and addresses in the background. `ingest.erasures`: the list of "
        "pseudonyms to search for. `metrics`: statements, contributions, scores and values. `feedback.…`: topics of Kafka. "
        "`backups`: yours",
        examples=["ingest.events"],
    )
    rows: int | None = Field(description="Rows that were deleted at once; null: not counted", examples=[17])
    gone_by: datetime | None = Field(
        description="The time by which nothing of the customer is left in it, if all services run; for the search an estimate. "
        "null: unknown"
    )


class Receipt(BaseModel):
    """The result of an erasure, and by when the rest is gone."""

    id: str = Field(description="The id of the erasure", examples=["10482"])
    at: datetime = Field(description="When it was carried out")
    subjects: int = Field(description="Responses, reviews and tickets that were erased at once", examples=[3])
    remaining: int | None = Field(
        description=f"Further stored events, beyond {MOST_AT_ONCE:,}, which are erased in the background by the times in "
        f"`stores`; null: too many to count",
        examples=[0],
    )
    stores: list[StoreView]
    complete: bool = Field(description="false: names were left out, which `left_out` lists", examples=[True])
    left_out: list[LeftOutView] = Field(description=LEFT_OUT, examples=[[]])


class DeliveryView(BaseModel):
    """A delivery that stated something about the customer."""

    id: str = Field(examples=["10482"])
    connection: str = Field(examples=["con_8c2b1f7be4a94e0c9d3c4a50a1c2e3f4"])
    delivery: str | None = Field(description="The tool's id of the delivery", examples=["msg_2bT7"])
    received_at: datetime
    headers: dict[str, str] = Field(description="The headers that are stored because reading needs them")
    body: str | None = Field(description="As received; null if it is deleted, or if it states something about other customers")
    body_base64: str | None = Field(description="The same bytes in base64, if they are not UTF-8; else null")
    names_others: bool = Field(description="Whether it also states something about other customers", examples=[False])


class SubjectView(BaseModel):
    """A response, a review or a ticket of the customer."""

    subject: str = Field(examples=["con_8c2b1f7be4a94e0c9d3c4a50a1c2e3f4/response/r-1042"])
    statements: list[dict[str, Any]] = Field(description="Its stored events, as published (see docs/asyncapi.json)")
    deliveries: list[DeliveryView]


class UnreadView(BaseModel):
    """A delivery that names the customer and was not read yet, so that it states nothing so far."""

    id: str = Field(description="Its id; if it is quarantined, `GET /v1/quarantine/{id}` returns the body", examples=["10482"])
    connection: str = Field(examples=["con_8c2b1f7be4a94e0c9d3c4a50a1c2e3f4"])
    provider: str = Field(examples=["zendesk"])
    delivery: str | None = Field(description="The tool's id of the delivery", examples=["msg_2bT7"])
    received_at: datetime
    verdict: str = Field(description="`quarantined`, `held` or `pending`", examples=["quarantined"])


class CustomerExport(BaseModel):
    """Everything that is held about the customer, in pages."""

    exported_at: datetime
    unread: list[UnreadView] | None = Field(
        description="Deliveries that name the customer and were not read yet, on the first page; null on later ones"
    )
    unread_complete: bool = Field(
        description=f"Whether all unread deliveries were searched; false if there are more than {MOST_BODIES:,}, or large ones: "
        f"then only the newest were searched",
        examples=[True],
    )
    subjects: list[SubjectView] = Field(description="In the order of their names")
    complete: bool = Field(description="false: names were left out, which `left_out` lists", examples=[True])
    left_out: list[LeftOutView] = Field(description=LEFT_OUT, examples=[[]])
    cursor: str | None = Field(description="For the next page; null on the last one", examples=[None])
