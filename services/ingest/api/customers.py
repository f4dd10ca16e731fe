"""`/v1/customers`: find, export and erase everything that is held about a customer.

The customer is named in the body, never in a URL, which would be in access logs.
"""

from base64 import b64encode
from collections.abc import Sequence
from typing import Annotated, Any
from uuid import uuid4

import msgspec
import structlog
from fastapi import APIRouter

from services.ingest.api.customer_schemas import (
    CustomerExport,
    CustomerQuery,
    DeliveryView,
    ExportQuery,
    FoundCustomer,
    HoldingView,
    Identity,
    LeftOutView,
    Receipt,
    StoreView,
    SubjectView,
    UnreadView,
)
from services.ingest.api.dependencies import Ingest, IngestState, Requester
from services.ingest.api.feedback import IdempotencyKey, KeyReused, find_open_connection, store
from services.ingest.domain.connection import Connection
from services.ingest.domain.customer_search import pseudonyms_in
from services.ingest.domain.delivery import Delivery
from services.ingest.domain.fields import Customer
from services.ingest.domain.idempotency import with_erasure_digest
from services.ingest.domain.left_out import EXPLANATIONS, LeftOut
from services.ingest.domain.placeholders import placeholder_pseudonyms
from services.ingest.domain.providers import PROVIDERS
from services.ingest.domain.pseudonym import former_ids, pseudonym_of_email, pseudonyms_to_erase
from services.ingest.domain.receipt import Erased, stores_of
from services.ingest.domain.receive import receive_record
from services.ingest.inbox.customers import ExportedDelivery, ExportedSubject
from services.ingest.inbox.people import Person, Target
from services.ingest.inbox.unread import UnreadDelivery
from shared.database import outage_is_503
from shared.http import TenantName
from shared.problems import NotAuthenticated, NotFound, Unavailable, responses
from shared.routes import BODY_PROBLEMS, JsonBody, TypedRoute

log = structlog.get_logger()

routes = APIRouter(route_class=TypedRoute, tags=["customers"])


@routes.post(
    "/v1/customers:find",
    operation_id="find_customer",
    summary="Find what is held about a customer",
    responses=responses(NotAuthenticated, NotFound, *BODY_PROBLEMS),
)
async def find_customer(
    ingest: IngestState, tenant: TenantName, query: Annotated[CustomerQuery, JsonBody(CustomerQuery)]
) -> FoundCustomer:
    """Follows links over all connections: a statement with an id and an e-mail address links the two, and so do aliases.
    For an unknown customer `holdings` is empty. Nothing is changed: look here before you erase.
    """
    async with outage_is_503():
        connection = await built_in(ingest, tenant)
        person, holdings = await ingest.customers.find(target_of(connection, query.customer))
    views = [HoldingView.model_validate(holding, from_attributes=True) for holding in holdings]
    return FoundCustomer(
        identities=identities_of(person, connection.key, query),
        subjects=sum(view.subjects for view in views),
        statements=sum(view.statements for view in views),
        holdings=views,
        **completeness(person.left_out),
    )


@routes.post(
    "/v1/customers:export",
    operation_id="export_customer",
    summary="Export everything that is held about a customer",
    responses=responses(NotAuthenticated, NotFound, *BODY_PROBLEMS),
)
async def export_customer(
    ingest: IngestState, tenant: TenantName, requester: Requester, query: Annotated[ExportQuery, JsonBody(ExportQuery)]
) -> CustomerExport:
    """The access bundle: the subjects that `:find` counts, with their stored events and the bodies that stated them. A body that
    also states something about other customers is left out. Deliveries that were not read yet are listed. Numbers that were
    computed from the events are not part of it.
    """
    async with outage_is_503():
        connection = await built_in(ingest, tenant)
        target = target_of(connection, query.customer)
        subjects, is_last, person = await ingest.customers.export(target, query.cursor or "", query.limit)
        unread, complete = (None, True) if query.cursor else await find_unread(ingest, connection, target)
    cursor = None if is_last else subjects[-1].subject
    log.info("customers.exported", tenant=tenant, subjects=len(subjects), requested_by=requester)
    return CustomerExport(
        exported_at=ingest.now(),
        unread=unread,
        unread_complete=complete,
        subjects=list(map(subject_view, subjects)),
        cursor=cursor,
        **completeness(person.left_out),
    )


@routes.post(
    "/v1/customers:erase",
    operation_id="erase_customer",
    summary="Erase a customer",
    responses=responses(NotAuthenticated, NotFound, *BODY_PROBLEMS, KeyReused),
)
async def erase_customer(
    ingest: IngestState,
    tenant: TenantName,
    requester: Requester,
    key: IdempotencyKey,
    query: Annotated[CustomerQuery, JsonBody(CustomerQuery)],
) -> Receipt:
    """Erases what `:find` finds, for good, and every stored body that names the customer. The receipt states for each store what
    was deleted and by when the rest is gone. With an `Idempotency-Key` a retry gets the receipt of the first request, and another
    customer under the same key is 422. Feedback that the customer gives later is stored and counted as usual.
    """
    async with outage_is_503():
        connection = await built_in(ingest, tenant)
    delivery = erasure_of(ingest, connection, query, key)
    await store(ingest, connection, delivery)
    async with outage_is_503():
        stored = await ingest.customers.receipt(connection.id, delivery.id or "")
    if stored is None:
        raise Unavailable("the erasure was carried out, but its receipt can't be read")
    log.info("customers.erased", tenant=tenant, erasure=stored[0], subjects=stored[1].subjects, requested_by=requester)
    return receipt_view(*stored)


async def built_in(ingest: Ingest, tenant: str) -> Connection:
    """The tenant's built-in connection, which has its key. Raises NotFound if the tenant does not exist."""
    connection = await find_open_connection(ingest, tenant)
    if connection is None:
        raise NotFound("the tenant does not exist")
    return connection


def target_of(connection: Connection, customer: Customer) -> Target:
    """The customer as pseudonyms of the connection's tenant."""
    key = connection.key
    names = frozenset(pseudonyms_to_erase(key, customer))
    return Target(connection.tenant, names, former_ids(key, customer), placeholder_pseudonyms(key, PROVIDERS))


def completeness(left_out: Sequence[LeftOut]) -> dict[str, Any]:
    """The fields `complete` and `left_out` of a response."""
    views = [
        LeftOutView(pseudonym=part.pseudonym, kind=part.kind, reason=part.reason, detail=EXPLANATIONS[part.reason])
        for part in left_out
    ]
    return {"complete": not left_out, "left_out": views}


async def find_unread(ingest: Ingest, connection: Connection, target: Target) -> tuple[list[UnreadView], bool]:
    """The unread deliveries whose body names the customer, and whether all were searched."""
    names, deliveries, complete = await ingest.customers.unread(target)

    def search() -> list[UnreadDelivery]:
        return [
            delivery
            for delivery in deliveries
            if not names.isdisjoint(pseudonyms_in(delivery.stored.raw, connection.key, delivery.provider))
        ]

    size = sum(len(delivery.stored.raw) for delivery in deliveries)
    return [unread_view(match) for match in await ingest.threads.read(target.tenant, size, search)], complete


def unread_view(unread: UnreadDelivery) -> UnreadView:
    """An unread delivery as JSON."""
    stored = unread.stored
    return UnreadView(
        id=str(stored.seq),
        connection=stored.connection,
        provider=unread.provider,
        delivery=stored.delivery,
        received_at=stored.received_at,
        verdict=unread.verdict,
    )


def erasure_of(ingest: Ingest, connection: Connection, query: CustomerQuery, key: str | None) -> Delivery:
    """The delivery of an erasure that is requested now. A key of this route and the same key of `/v1/feedback` are different."""
    now, name = ingest.now(), uuid4().hex
    customer = query.model_dump(exclude_none=True)
    record = {"type": "erasure", "id": name, "at": now.isoformat(), "customer": customer, "linked": True}
    delivery = receive_record(connection, record, f"customers:{key or name}", msgspec.json.encode(customer), now)
    return with_erasure_digest(delivery)


def identities_of(person: Person, key: bytes, query: CustomerQuery) -> list[Identity]:
    """The pseudonyms of a person. Those of the request under which nothing is stored are left out."""
    addresses = {*person.known_addresses, *({pseudonym_of_email(key, query.email)} if query.email else ())}
    names = sorted(person.names & person.stored, key=lambda name: (name not in person.target.requested, name))
    return [
        Identity(
            pseudonym=name,
            kind="email" if name in addresses else "id",
            requested=name in person.target.requested,
            shared=name in person.shared,
        )
        for name in names
    ]


def receipt_view(seq: int, erased: Erased) -> Receipt:
    """The receipt as JSON."""
    stores = [StoreView.model_validate(store, from_attributes=True) for store in stores_of(erased)]
    left_out = erased.left_out if erased.left_out or erased.complete else (LeftOut("too_many_links"),)
    return Receipt(
        id=str(seq),
        at=erased.at,
        subjects=erased.subjects,
        remaining=erased.remaining,
        stores=stores,
        **completeness(left_out),
    )


def subject_view(subject: ExportedSubject) -> SubjectView:
    """An exported subject as JSON."""
    deliveries = [delivery_view(delivery) for delivery in subject.deliveries]
    return SubjectView(subject=subject.subject, statements=subject.statements, deliveries=deliveries)


def delivery_view(delivery: ExportedDelivery) -> DeliveryView:
    """An exported delivery as JSON."""
    body = delivery.raw.decode(errors="replace") if delivery.raw is not None else None
    is_text = body is None or body.encode() == delivery.raw
    return DeliveryView(
        id=str(delivery.seq),
        connection=delivery.connection,
        delivery=delivery.delivery,
        received_at=delivery.received_at,
        headers=delivery.headers,
        body=body,
        body_base64=None if is_text else b64encode(delivery.raw or b"").decode(),
        names_others=delivery.names_others,
    )
