"""From what came over a connection to the delivery that the inbox keeps. Pure: the clock is an argument."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from hashlib import blake2b
from typing import Any

from services.ingest.domain.connection import Connection
from services.ingest.domain.delivery import Delivery
from services.ingest.domain.normalise import TooLong, normalise
from services.ingest.domain.providers import PROVIDERS, Parsed
from services.ingest.domain.pseudonym import of_email, pseudonym
from services.ingest.domain.record import Erasure, Invalid, Record, read_record

PAUSED = "the connection was paused"
LONGEST_ID = 200


def receive(connection: Connection, headers: Mapping[str, str], raw: bytes, now: datetime) -> Delivery:
    """The delivery that a verified webhook is. What can't be used is quarantined with its reason; this never raises."""
    provider = PROVIDERS[connection.provider]
    kept = {name: headers[name] for name in provider.keeps if name in headers}
    parsed = provider.parse(headers, raw, connection.mapping)
    if connection.state == "paused":
        return _unused(connection, parsed, raw, kept, now, PAUSED)
    if parsed.ignored:
        return _unused(connection, parsed, raw, kept, now, None)
    if parsed.problem:
        return _unused(connection, parsed, raw, kept, now, parsed.problem)
    try:
        return state(connection, parsed.records, parsed.id, raw, now, kept)
    except (Invalid, TooLong) as error:
        return _unused(connection, parsed, raw, kept, now, str(error))


def records_of(connection: Connection, headers: Mapping[str, str], raw: bytes) -> list[Any]:
    """The canonical records that a delivery states, as JSON values."""
    return list(PROVIDERS[connection.provider].parse(headers, raw, connection.mapping).records)


def state(
    connection: Connection,
    values: Sequence[Any],
    delivery: str | None,
    raw: bytes,
    now: datetime,
    headers: dict[str, str] | None = None,
) -> Delivery:
    """The delivery of the canonical records that `values` are. Invalid or TooLong: one of them can't be used, so none is."""
    records = [read_record(value, now) for value in values]
    return Delivery(
        tenant=connection.tenant,
        connection=connection.id,
        id=_short(delivery),
        received_at=now,
        revision=connection.revision,
        raw=raw,
        headers=headers or {},
        statements=tuple(
            [normalise(record, connection, now, at) for at, record in enumerate(records) if not isinstance(record, Erasure)]
        ),
        erases=tuple(name for record in records for name in _erased(record, connection.key)),
    )


def _erased(record: Record, key: bytes) -> list[str]:
    """Every pseudonym by which the customer to forget may go."""
    if not isinstance(record, Erasure):
        return []
    email = [of_email(key, record.customer.email)] if record.customer.email else []
    return sorted({pseudonym(key, record.customer), *email})


def _unused(
    connection: Connection, parsed: Parsed, raw: bytes, headers: dict[str, str], now: datetime, reason: str | None
) -> Delivery:
    """Kept, but stating nothing: quarantined for a reason, ignored without one. Without an id it goes by its bytes, so that a
    tool's retries aren't kept again and again."""
    return Delivery(
        tenant=connection.tenant,
        connection=connection.id,
        id=_short(parsed.id) or f"body:{blake2b(raw, digest_size=16).hexdigest()}",
        received_at=now,
        revision=connection.revision,
        raw=raw,
        headers=headers,
        verdict="quarantined" if reason else "ignored",
        reason=reason[:1000] if reason else parsed.ignored,
    )


def _short(delivery: str | None) -> str | None:
    """The id as it is, or in place of one too long for an index, its hash."""
    if delivery is None or (len(delivery) <= LONGEST_ID and "\0" not in delivery):
        return delivery or None
    return f"hash:{blake2b(delivery.encode('utf-8', 'replace'), digest_size=16).hexdigest()}"
