"""The lag of a consumer in seconds: the age of the oldest record that it has yet to handle."""

from shared.instruments import CONSUMER, registry_of
from shared.kafka import IncomingRecord
from shared.kafka.lag import Lag
from shared.kafka.records import Place

NOW = 1_000_000.0
PLACE = Place("events", 0)
REGISTRY = registry_of(CONSUMER)


def records(*ages: int) -> list[IncomingRecord]:
    return [IncomingRecord(*PLACE, offset, b"", b"", (), int((NOW - age) * 1000)) for offset, age in enumerate(ages)]


def exported(group: str) -> tuple[float | None, float | None]:
    """The lag in seconds and in records, as `/metrics` exports it."""
    labels = {"group": group, "topic": "events", "partition": "0"}
    names = ("earshot_kafka_lag_seconds", "earshot_kafka_lag_records")
    seconds, count = (REGISTRY.get_sample_value(name, labels) for name in names)
    return seconds, count


def test_it_is_the_age_of_the_oldest_record_until_the_batch_is_durable() -> None:
    lag = Lag("a", clock=lambda: NOW)
    batch = records(30, 20)
    lag.read(batch)
    assert exported("a") == (30, None)
    lag.handled(batch)
    lag.observe({PLACE: (2, 5)})
    assert exported("a") == (20, 3), "the next record is younger than the last one that was handled"
    lag.observe({PLACE: (5, 5)})
    assert exported("a") == (0, 0)


def test_a_batch_that_is_handled_again_is_as_old_as_before() -> None:
    now = NOW
    lag = Lag("b", clock=lambda: now)
    batch = records(30)
    lag.read(batch)
    now += 60
    lag.observe({PLACE: (0, 1)})
    assert exported("b") == (90, 1)
    lag.read(batch)
    assert exported("b") == (90, 1)


def test_a_partition_that_belongs_to_another_consumer_is_not_exported() -> None:
    lag = Lag("c", clock=lambda: NOW)
    lag.read(records(30))
    lag.observe({PLACE: (0, 1)})
    lag.reset()
    assert exported("c") == (None, None)
