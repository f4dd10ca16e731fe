"""Turn a verified request into the delivery that the inbox stores. Pure: the clock is an argument."""

import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from hashlib import blake2b
from typing import Any

from msgspec import Struct, structs

from services.ingest.domain.connection import Connection
from services.ingest.domain.customer_search import subjects_of
from services.ingest.domain.delivery import Delivery, StoredDelivery, Verdict
from services.ingest.domain.normalise import TooLong, normalise
from services.ingest.domain.placeholders import placeholder_pseudonyms
from services.ingest.domain.providers import PROVIDERS, Parsed, Request
from services.ingest.domain.providers.tool_api import CONTENT_HEADER, FETCHED, Documents, encode_content
from services.ingest.domain.providers.tool_history import ListedDelivery
from services.ingest.domain.pseudonym import former_ids, pseudonyms_to_erase
from services.ingest.domain.reason_codes import ReasonCode, code_of_malformed
from services.ingest.domain.record import Erasure, Invalid, read_record
from services.ingest.domain.redaction import Redactor
from services.ingest.domain.value_names import survey_names, usable_names
from shared import strict_json

PAUSED = "the connection is paused"
PENDING = "its content is being fetched from the tool's API"
LONGEST_ID = 200
LONGEST_REASON = 1000
KIND = re.compile(r"[a-z0-9_.:-]{1,100}", re.IGNORECASE | re.ASCII)
UNREADABLE = "the stored body can't be decrypted: its key is lost"
UNKNOWN_KIND = "an event of a kind that is no plain name"


class Arrival(Struct, frozen=True):
    """A body as received: over which connection, when, and with which headers stored beside it."""

    connection: Connection
    id: str | None
    raw: bytes
    received_at: datetime
    headers: dict[str, str]


def receive(connection: Connection, request: Request, now: datetime) -> Delivery:
    """The delivery of a verified webhook that is not a batch. An unusable one is quarantined with its reason. Never raises.

    The payload is parsed from the stored part of the request, so that it reads the same when it is parsed again later.
    """
    provider = PROVIDERS[connection.provider]
    headers = request.headers.only(provider.stored_headers)
    parsed = _parse(connection, headers, request.body, now)
    return _to_delivery(Arrival(connection, parsed.id, request.body, now, headers), parsed, now)


def receive_all(connection: Connection, request: Request, now: datetime) -> list[Delivery]:
    """The deliveries of a verified webhook: one, or one for each event of a batch. Never raises."""
    return [receive(connection, part, now) for part in PROVIDERS[connection.provider].requests(request)]


def receive_again(connection: Connection, stored: StoredDelivery, now: datetime) -> Delivery:
    """Read a quarantined or held delivery under the connection's current settings. It keeps the time of its first receipt.

    One whose body can't be decrypted goes to quarantine, or stays there.
    """
    if stored.is_unreadable:
        arrival = Arrival(connection, stored.delivery, b"", stored.received_at, {})
        return _quarantined(arrival, UNREADABLE, "internal_fault", Parsed(stored.delivery))
    parsed = _parse(connection, stored.headers, stored.raw, stored.received_at)
    arrival = Arrival(connection, stored.delivery, stored.raw, stored.received_at, stored.headers)
    return _to_delivery(arrival, parsed, now)


def receive_listed(connection: Connection, listed: ListedDelivery, now: datetime) -> Delivery:
    """Read a record of the tool's list API. It keeps no id: it is a duplicate if it equals the latest one of its subject."""
    headers = dict(listed.headers)
    parsed = _parse(connection, headers, listed.body, now)
    return _to_delivery(Arrival(connection, None, listed.body, now, headers), parsed, now)


def receive_fetched(connection: Connection, stored: StoredDelivery, documents: Documents, now: datetime) -> Delivery:
    """Read a pending delivery with its fetched documents, which become its content. It keeps the time of its receipt.

    The content is read as it is stored, so that it reads the same later, without another call.
    """
    api = PROVIDERS[connection.provider].api
    content = encode_content(stored.raw, api.condense(documents) if api else documents)
    headers = {**stored.headers, CONTENT_HEADER: FETCHED}
    arrival = Arrival(replace(connection, state="active"), stored.delivery, content, stored.received_at, headers)
    return _to_delivery(arrival, _parse(connection, headers, content, stored.received_at), now)


def unfetched(connection: Connection, stored: StoredDelivery, reason: str, code: ReasonCode | None) -> Delivery:
    """A pending delivery whose content the tool does not give: quarantined with `code`. If that is None, it is ignored, and its
    body is not kept."""
    arrival = Arrival(connection, stored.delivery, stored.raw, stored.received_at, stored.headers)
    parsed = Parsed(stored.delivery)
    if code:
        return _quarantined(arrival, reason, code, parsed)
    return structs.replace(_without_statements(arrival, "ignored", reason, parsed), raw=b"", headers={})


def reread(connection: Connection, stored: StoredDelivery, now: datetime) -> Delivery:
    """Read an accepted delivery under the connection's current settings, whether the connection is paused or not.

    Its body is a payload of the tool, or the canonical record that was posted to `/v1/feedback` under this connection. If it is
    neither under these settings, the verdict of the result is not `accepted`.
    """
    active = replace(connection, state="active")
    if connection.provider in PROVIDERS:
        delivery = receive_again(active, stored, now)
        if delivery.verdict == "accepted":
            return delivery
    arrival = Arrival(active, stored.delivery, stored.raw, stored.received_at, stored.headers)
    try:
        return _accepted(arrival, Parsed(stored.delivery, [strict_json.parse(stored.raw)]), now)
    except (strict_json.Malformed, Invalid, TooLong) as error:
        return _quarantined(arrival, str(error), _code_of(error), Parsed(stored.delivery))


def parse_records(connection: Connection, delivery: Delivery) -> list[Any]:
    """The canonical records of a delivery that was received, as JSON values."""
    return list(_parse(connection, delivery.headers, delivery.raw, delivery.received_at).records)


def receive_record(connection: Connection, value: Any, delivery: str | None, raw: bytes, now: datetime) -> Delivery:
    """The delivery of one canonical record from the tenant's own app. Raises Invalid or TooLong if it can't be used."""
    return _accepted(Arrival(connection, delivery, raw, now, {}), Parsed(delivery, [value]), now)


def _parse(connection: Connection, headers: Mapping[str, str], raw: bytes, received_at: datetime) -> Parsed:
    return PROVIDERS[connection.provider].parse_stored(headers, raw, connection.mapping, received_at)


def _to_delivery(arrival: Arrival, parsed: Parsed, now: datetime) -> Delivery:
    if arrival.connection.state == "paused":
        return _held(arrival, parsed)
    if parsed.ignored:
        return _ignored(arrival, parsed.ignored, parsed)
    if parsed.fetch:
        pending = _without_statements(arrival, "pending", PENDING, parsed)
        return structs.replace(pending, fetch=_short(parsed.fetch))
    if parsed.problem:
        return _quarantined(arrival, parsed.problem, parsed.problem_code, parsed)
    try:
        return _accepted(arrival, parsed, now)
    except (Invalid, TooLong) as error:
        return _quarantined(arrival, str(error), _code_of(error), parsed)


def _accepted(arrival: Arrival, parsed: Parsed, now: datetime) -> Delivery:
    """The statements of all records. Raises Invalid or TooLong if one of them can't be used."""
    records = [read_record(value, now) for value in parsed.records]
    connection, key = arrival.connection, arrival.connection.key
    erasures = [record for record in records if isinstance(record, Erasure)]
    return Delivery(
        tenant=connection.tenant,
        connection=connection.id,
        id=_short(arrival.id),
        received_at=arrival.received_at,
        revision=connection.revision,
        raw=arrival.raw,
        headers=arrival.headers,
        statements=tuple(
            [
                normalise(record, connection, arrival.received_at, position)
                for position, record in enumerate(records)
                if not isinstance(record, Erasure)
            ]
        ),
        erases=tuple(name for record in erasures for name in sorted(pseudonyms_to_erase(key, record.customer))),
        former_ids=tuple(former for record in erasures for former in former_ids(key, record.customer)),
        erases_linked=any(record.linked for record in erasures),
        placeholders=placeholder_pseudonyms(key, PROVIDERS) if erasures else frozenset(),
        use=parsed.use,
        names=usable_names((*parsed.names, *survey_names(records))),
    )


def _ignored(arrival: Arrival, kind: str, parsed: Parsed) -> Delivery:
    """A kind of event that we do not use. Its body is not stored, nor any text that the sender may choose freely."""
    reason = kind if KIND.fullmatch(kind) else UNKNOWN_KIND
    return structs.replace(_without_statements(arrival, "ignored", reason, parsed), raw=b"", headers={})


def _quarantined(arrival: Arrival, reason: str, code: ReasonCode, parsed: Parsed) -> Delivery:
    return structs.replace(_without_statements(arrival, "quarantined", reason, parsed), reason_code=code)


def _code_of(error: strict_json.Malformed | Invalid | TooLong) -> ReasonCode:
    match error:
        case Invalid():
            return error.code
        case TooLong():
            return "too_large"
        case _:
            return code_of_malformed(error)


def _without_statements(arrival: Arrival, verdict: Verdict, reason: str, parsed: Parsed) -> Delivery:
    """A delivery without statements. If it has no id, the hash of its body becomes its id, so retries are duplicates."""
    return Delivery(
        tenant=arrival.connection.tenant,
        connection=arrival.connection.id,
        id=_short(arrival.id) or f"body:{blake2b(arrival.raw, digest_size=16).hexdigest()}",
        received_at=arrival.received_at,
        revision=arrival.connection.revision,
        raw=arrival.raw,
        headers=arrival.headers,
        verdict=verdict,
        reason=Redactor()(reason[:LONGEST_REASON]),
        subjects=tuple(sorted(subjects_of(arrival.connection, parsed))),
    )


def _held(arrival: Arrival, parsed: Parsed) -> Delivery:
    """Stored unread. It gets no id if the tool sends none: A, B, A may be three changes of one subject, so all are stored."""
    return structs.replace(_without_statements(arrival, "held", PAUSED, parsed), id=_short(arrival.id))


def _short(delivery: str | None) -> str | None:
    """The id, or its hash if it is too long for an index."""
    if delivery is None or (len(delivery) <= LONGEST_ID and "\0" not in delivery):
        return delivery or None
    return f"hash:{blake2b(delivery.encode('utf-8', 'replace'), digest_size=16).hexdigest()}"
