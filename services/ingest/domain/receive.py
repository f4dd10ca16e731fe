"""From what came over a connection to the delivery that the inbox keeps. Pure: the clock is an argument."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from hashlib import blake2b
from typing import Any

from services.ingest.domain.connection import Connection
from services.ingest.domain.customer_search import subjects_of
from services.ingest.domain.delivery import Delivery, StoredDelivery, Verdict
from services.ingest.domain.normalise import TooLong, normalise
from services.ingest.domain.providers import PROVIDERS, Parsed
from services.ingest.domain.pseudonym import pseudonyms_to_erase
from services.ingest.domain.record import Erasure, Invalid, read_record
from services.ingest.domain.redaction import Redactor

PAUSED = "the connection is paused"
LONGEST_ID = 200
LONGEST_REASON = 1000
KIND = re.compile(r"[a-z0-9_.:-]{1,100}|an event without a type", re.IGNORECASE | re.ASCII)
UNKNOWN_KIND = "an event of a kind that is no plain name"


@dataclass(frozen=True, slots=True)
class Arrival:
    """What came, over which connection, and when."""

    connection: Connection
    id: str | None
    raw: bytes
    received_at: datetime
    headers: dict[str, str]


def receive(connection: Connection, headers: Mapping[str, str], raw: bytes, now: datetime) -> Delivery:
    """The delivery that a verified webhook is. What can't be used is quarantined with its reason; this never raises."""
    provider = PROVIDERS[connection.provider]
    kept = {name: headers[name] for name in provider.keeps if name in headers}
    parsed = provider.parse(headers, raw, connection.mapping)
    return _judged(Arrival(connection, parsed.id, raw, now, kept), parsed, now)


def receive_again(connection: Connection, stored: StoredDelivery, now: datetime) -> Delivery:
    """Read a quarantined or held delivery under the connection's present mapping. It keeps the time of its first receipt."""
    parsed = PROVIDERS[connection.provider].parse(stored.headers, stored.raw, connection.mapping)
    arrival = Arrival(connection, stored.delivery, stored.raw, stored.received_at, stored.headers)
    return _judged(arrival, parsed, now)


def parse_records(connection: Connection, headers: Mapping[str, str], raw: bytes) -> list[Any]:
    """The canonical records that a delivery states, as JSON values."""
    return list(PROVIDERS[connection.provider].parse(headers, raw, connection.mapping).records)


def receive_record(connection: Connection, value: Any, delivery: str | None, raw: bytes, now: datetime) -> Delivery:
    """The delivery of one canonical record, posted by one's own app. Invalid or TooLong: it can't be used."""
    return _stated(Arrival(connection, delivery, raw, now, {}), [value], now)


def _judged(arrival: Arrival, parsed: Parsed, now: datetime) -> Delivery:
    if arrival.connection.state == "paused":
        return _held(arrival, parsed)
    if parsed.ignored:
        return _ignored(arrival, parsed.ignored, parsed)
    if parsed.problem:
        return _unused(arrival, "quarantined", parsed.problem, parsed)
    try:
        return _stated(arrival, parsed.records, now)
    except (Invalid, TooLong) as error:
        return _unused(arrival, "quarantined", str(error), parsed)


def _stated(arrival: Arrival, values: Sequence[Any], now: datetime) -> Delivery:
    """All of the records, or none where one can't be used."""
    records = [read_record(value, now) for value in values]
    connection, key = arrival.connection, arrival.connection.key
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
                normalise(record, connection, arrival.received_at, at)
                for at, record in enumerate(records)
                if not isinstance(record, Erasure)
            ]
        ),
        erases=tuple(
            name
            for record in records
            if isinstance(record, Erasure)
            for name in sorted(pseudonyms_to_erase(key, record.customer))
        ),
    )


def _ignored(arrival: Arrival, kind: str, parsed: Parsed) -> Delivery:
    """A kind of event that we don't use: neither its body nor a text that its sender chose freely is kept."""
    reason = kind if KIND.fullmatch(kind) else UNKNOWN_KIND
    return replace(_unused(arrival, "ignored", reason, parsed), raw=b"", headers={})


def _unused(arrival: Arrival, verdict: Verdict, reason: str, parsed: Parsed) -> Delivery:
    """Kept without statements. One that has no id gets the hash of its body as its id, so a tool's retries are duplicates."""
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
    """Kept unread. One without an id stays without, so equal bodies are all kept: A, B, A may be three changes of one subject."""
    return replace(_unused(arrival, "held", PAUSED, parsed), id=_short(arrival.id))


def _short(delivery: str | None) -> str | None:
    """The id as it is, or in place of one too long for an index, its hash."""
    if delivery is None or (len(delivery) <= LONGEST_ID and "\0" not in delivery):
        return delivery or None
    return f"hash:{blake2b(delivery.encode('utf-8', 'replace'), digest_size=16).hexdigest()}"
