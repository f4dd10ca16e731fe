"""The pure parts of the consume loop: runs of poison, what to commit, where to start, when patience is over."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.kafka import Message, Poison, Record, Retry, TooMuchPoison, received_at, received_header
from shared.kafka.batch import apply
from shared.kafka.parking import DLQ_LIMIT, Run, parked
from shared.kafka.progress import Commit, Progress
from shared.kafka.records import Headers, Place, by_place
from shared.kafka.recovery import MARGIN, Start, since, start
from shared.kafka.watchdog import Patience

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)


def record(offset: int = 0, tenant: str = "acme", partition: int = 0, headers: Headers = ()) -> Record:
    return Record("events", partition, offset, f"{tenant}/s".encode(), b"secret words", headers, 0)


def at(minutes: int) -> Headers:
    return (received_header(NOON + timedelta(minutes=minutes)),)


# --- records ----------------------------------------------------------------------------------------------------------------
def test_a_records_tenant_is_its_key_up_to_the_first_slash() -> None:
    assert record(tenant="acme").tenant == "acme"
    assert Record("t", 0, 0, b"acme", b"", (), 0).tenant == "acme"
    assert Record("t", 0, 0, None, b"", (), 0).tenant == ""


def test_the_receipt_time_survives_its_header() -> None:
    assert received_at((received_header(NOON),)) == NOON


@pytest.mark.parametrize("value", [b"", b"yesterday", b"2026-11-20T12:00:00", b"\xff\xfe"])
def test_a_receipt_time_that_cannot_be_read_is_none(value: bytes) -> None:
    assert received_at((("received_at", value),)) is None


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 99))))
def test_by_place_keeps_every_record_and_the_order_of_each_partition(places: list[tuple[int, int]]) -> None:
    records = [record(offset, partition=partition) for partition, offset in places]
    grouped = by_place(records)
    assert sum(map(len, grouped.values())) == len(records)
    for place, own in grouped.items():
        assert own == [r for r in records if r.partition == place.partition]


# --- parking ----------------------------------------------------------------------------------------------------------------
def bad(records: Sequence[Record]) -> dict[Record, str]:
    return dict.fromkeys(records, "gibberish")


def test_a_run_from_one_tenant_never_stops_the_consumer() -> None:
    records = [record(n) for n in range(1000)]
    assert Run().after(records, bad(records)) == Run(1000, frozenset({"acme"}))


def test_a_run_from_two_tenants_stops_it_past_the_limit() -> None:
    at_the_limit = [record(n, "acme" if n % 2 else "umbrella") for n in range(DLQ_LIMIT)]
    run = Run().after(at_the_limit, bad(at_the_limit))
    with pytest.raises(TooMuchPoison):
        run.after([one := record(DLQ_LIMIT)], bad([one]))


def test_a_sound_record_ends_the_run() -> None:
    records = [record(n, "acme" if n % 2 else "umbrella") for n in range(60)]
    poison = bad([r for r in records if r.offset % 20 != 19])
    assert Run().after(records, poison).length == 0


def test_a_parked_record_keeps_all_that_it_was_and_says_where_it_came_from() -> None:
    message = parked(record(7, partition=3, headers=(("traceparent", b"00"),)), "gibberish")
    origin = (("origin_topic", b"events"), ("origin_partition", b"3"), ("origin_offset", b"7"))
    assert message == Message(b"acme/s", b"secret words", (("traceparent", b"00"), ("reason", b"gibberish"), *origin))


# --- a batch ----------------------------------------------------------------------------------------------------------------
async def test_the_rest_of_a_batch_is_done_though_poison_shows_itself_bit_by_bit() -> None:
    calls: list[list[int]] = []

    async def handler(records: Sequence[Record]) -> None:
        calls.append([r.offset for r in records])
        if worst := [r for r in records if r.offset in (1, 3)][:1]:
            raise Poison({worst[0]: f"bad {worst[0].offset}"})

    poison = await apply(handler, [record(n) for n in range(5)])
    assert [(r.offset, reason) for r, reason in poison.items()] == [(1, "bad 1"), (3, "bad 3")]
    assert calls == [[0, 1, 2, 3, 4], [0, 2, 3, 4], [0, 2, 4]]


async def test_a_batch_of_nothing_but_poison_is_not_handled_again() -> None:
    calls = 0

    async def handler(records: Sequence[Record]) -> None:
        nonlocal calls
        calls += 1
        raise Poison(bad(records))

    records = [record(n) for n in range(3)]
    assert await apply(handler, records) == bad(records)
    assert calls == 1


async def test_a_retry_goes_through() -> None:
    async def handler(records: Sequence[Record]) -> None:
        raise Retry(1.0, "not now")

    with pytest.raises(Retry):
        await apply(handler, [record()])


# --- what to commit ---------------------------------------------------------------------------------------------------------
def test_each_partition_commits_its_last_offset_plus_one_and_its_least_receipt_time() -> None:
    progress = Progress()
    progress.done([record(4, headers=at(5)), record(9, partition=1, headers=at(7)), record(5, headers=at(3)), record(6)])
    assert progress.due == {
        Place("events", 0): Commit(7, (NOON + timedelta(minutes=3)).isoformat()),
        Place("events", 1): Commit(10, (NOON + timedelta(minutes=7)).isoformat()),
    }


def test_a_commit_that_arrives_late_takes_nothing_newer_away() -> None:
    progress = Progress()
    progress.done([record(1), record(1, partition=1)])
    sent = dict(progress.due)
    progress.done([record(2)])
    progress.committed(sent)
    assert progress.due == {Place("events", 0): Commit(3, "")}


# --- where to start ---------------------------------------------------------------------------------------------------------
STOOD = Commit(50, NOON.isoformat())


@pytest.mark.parametrize(
    ("position", "committed", "log", "expected"),
    [
        pytest.param(50, STOOD, (40, 60), None, id="a position within the log is left alone"),
        pytest.param(60, STOOD, (40, 60), None, id="at the end is within the log"),
        pytest.param(None, None, (0, 60), Start(Commit(0, ""), 0, lost=False), id="a new group"),
        pytest.param(None, None, (40, 60), Start(Commit(40, ""), 0, lost=True), id="a new group that is late"),
        pytest.param(None, STOOD, (40, 60), Start(STOOD, 50, lost=False), id="a commit within the log"),
        pytest.param(None, STOOD, (51, 60), Start(STOOD._replace(offset=51), 50, lost=True), id="a commit before the log"),
        pytest.param(50, STOOD, (0, 20), Start(STOOD._replace(offset=0), 50, lost=True), id="a log that lost its end"),
        pytest.param(30, STOOD, (40, 60), Start(STOOD, 50, lost=False), id="a position before the log, not the commit"),
    ],
)
def test_where_a_partition_starts(
    position: int | None, committed: Commit | None, log: tuple[int, int], expected: Start | None
) -> None:
    assert start(position, committed, *log) == expected


def test_a_replay_begins_before_the_least_that_was_reached() -> None:
    lost = [Start(Commit(0, (NOON + timedelta(hours=n)).isoformat()), 1, lost=True) for n in (2, 1)]
    assert since(lost) == NOON + timedelta(hours=1) - MARGIN


def test_a_replay_is_of_everything_when_one_partition_does_not_know() -> None:
    assert since([Start(Commit(0, NOON.isoformat()), 1, lost=True), Start(Commit(0, ""), 0, lost=True)]) is None


# --- patience ---------------------------------------------------------------------------------------------------------------
def looks(*story: tuple[float, float, int | None]) -> list[bool]:
    """The verdicts of one watchdog with a patience of 60 s on (now, progressed at, behind), one look after the other."""
    patience = Patience(60)
    return [patience.over(*look) for look in story]


def test_patience_is_over_after_a_minute_behind_without_a_move() -> None:
    assert looks((15, 0, 5), (30, 0, 5), (74, 0, 5), (75, 0, 9)) == [False, False, False, True]


def test_a_move_starts_the_minute_anew() -> None:
    assert looks((15, 0, 5), (70, 65, 5), (129, 65, 5), (130, 65, 5)) == [False, False, False, True]


@pytest.mark.parametrize("excuse", [0, None], ids=["nothing to read", "the broker does not answer"])
def test_with_an_excuse_no_time_counts(excuse: int | None) -> None:
    assert looks((15, 0, 5), (60, 0, excuse), (90, 0, 5), (149, 0, 5), (150, 0, 5)) == [False, False, False, False, True]
