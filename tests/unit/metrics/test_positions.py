"""The position of each partition after a batch."""

from datetime import UTC, datetime, timedelta

from services.metrics.consumer import decode
from services.metrics.store.progress import Reached
from shared.events import Event, encode
from shared.kafka import IncomingRecord, received_header
from shared.topics import EVENTS, subject_key
from tests.service.metrics.database import survey_response
from tests.unit.metrics.build import nps

NOON = datetime(2026, 11, 2, 12, tzinfo=UTC)


def hours(count: float) -> datetime:
    return NOON + timedelta(hours=count)


def record(event: Event, offset: int, partition: int, oldest: datetime | None) -> IncomingRecord:
    """The record of an event, published while the oldest delivery in the outbox was received at `oldest`."""
    headers = (received_header(oldest),) if oldest else ()
    return IncomingRecord(EVENTS.name, partition, offset, subject_key(event.tenant, event.subject), encode(event), headers, 0)


def test_a_replay_from_the_position_begins_at_the_earliest_receipt_that_a_record_states() -> None:
    one, other = survey_response(1, nps(9), at=hours(1)), survey_response(2, nps(9), at=hours(2))
    batch = [
        record(one, 4, 0, hours(0)),
        record(other, 5, 0, hours(-3)),
        record(other, 6, 0, None),
        record(one, 9, 1, hours(1)),
        record(one, 2, 2, None),
    ]
    assert decode(batch).batch.reached == {
        (EVENTS.name, 0): Reached(7, max(one.received_at, other.received_at), hours(-3), other.seq),
        (EVENTS.name, 1): Reached(10, one.received_at, hours(1), one.seq),
        (EVENTS.name, 2): Reached(3, one.received_at, None, one.seq),
    }
