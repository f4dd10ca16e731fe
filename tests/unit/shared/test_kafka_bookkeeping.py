"""The pure parts of the consume loop: runs of poison, commits, starts of partitions, detection of stalls."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.kafka import IncomingRecord, OutgoingRecord, Poison, Retry, TooMuchPoison, received_at, received_header
from shared.kafka.offsets import REPLAY_MARGIN, Commit, Progress, Start, replay_since, start_of
from shared.kafka.poison import DLQ_LIMIT, PoisonRun, apply, dlq_message
from shared.kafka.records import Headers, Place, by_place
from shared.kafka.watchdog import StallTimer

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)


def record(offset: int = 0, tenant: str = "acme", partition: int = 0, headers: Headers = ()) -> IncomingRecord:
    return IncomingRecord("events", partition, offset, f"{tenant}/s".encode(), b"secret words", headers, 0)


def at(minutes: int) -> Headers:
    return (received_header(NOON + timedelta(minutes=minutes)),)


# --- records ----------------------------------------------------------------------------------------------------------------
def test_a_records_tenant_is_its_key_up_to_the_first_slash() -> None:
    assert record(tenant="acme").tenant == "acme"
    assert IncomingRecord("t", 0, 0, b"acme", b"", (), 0).tenant == "acme"
    assert IncomingRecord("t", 0, 0, None, b"", (), 0).tenant == ""


def test_a_receipt_time_is_written_to_a_header_and_read_from_it() -> None:
    assert received_at((received_header(NOON),)) == NOON


@pytest.mark.parametrize("value", [b"", b"yesterday", b"2026-11-20T12:00:00", b"\xff\xfe"])
def test_a_malformed_receipt_time_is_none(value: bytes) -> None:
    assert received_at((("received_at", value),)) is None


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 99))))
def test_by_place_keeps_every_record_and_the_order_of_each_partition(places: list[tuple[int, int]]) -> None:
    records = [record(offset, partition=partition) for partition, offset in places]
    grouped = by_place(records)
    assert sum(map(len, grouped.values())) == len(records)
    for place, own in grouped.items():
        assert own == [r for r in records if r.partition == place.partition]


# --- parking ----------------------------------------------------------------------------------------------------------------
def bad(records: Sequence[IncomingRecord]) -> dict[IncomingRecord, str]:
    return dict.fromkeys(records, "gibberish")


def test_a_run_from_one_tenant_never_stops_the_consumer() -> None:
    records = [record(n) for n in range(1000)]
    assert PoisonRun().after(records, bad(records)) == PoisonRun(1000, frozenset({"acme"}))


def test_a_run_from_two_tenants_stops_it_past_the_limit() -> None:
    at_the_limit = [record(n, "acme" if n % 2 else "umbrella") for n in range(DLQ_LIMIT)]
    run = PoisonRun().after(at_the_limit, bad(at_the_limit))
    with pytest.raises(TooMuchPoison):
        run.after([one := record(DLQ_LIMIT)], bad([one]))


def test_a_sound_record_ends_the_run() -> None:
    records = [record(n, "acme" if n % 2 else "umbrella") for n in range(60)]
    poison = bad([r for r in records if r.offset % 20 != 19])
    assert PoisonRun().after(records, poison).length == 0


def test_a_parked_record_keeps_its_content_and_names_its_origin() -> None:
    message = dlq_message(record(7, partition=3, headers=(("traceparent", b"00"),)), "gibberish")
    origin = (("origin_topic", b"events"), ("origin_partition", b"3"), ("origin_offset", b"7"))
    assert message == OutgoingRecord(b"acme/s", b"secret words", (("traceparent", b"00"), ("reason", b"gibberish"), *origin))


# --- a batch ----------------------------------------------------------------------------------------------------------------
async def test_the_rest_of_a_batch_is_handled_when_the_handler_names_poison_one_by_one() -> None:
    calls: list[list[int]] = []

    async def handler(records: Sequence[IncomingRecord]) -> None:
        calls.append([r.offset for r in records])
        if worst := [r for r in records if r.offset in (1, 3)][:1]:
            raise Poison({worst[0]: f"bad {worst[0].offset}"})

    poison = await apply(handler, [record(n) for n in range(5)])
    assert [(r.offset, reason) for r, reason in poison.items()] == [(1, "bad 1"), (3, "bad 3")]
    assert calls == [[0, 1, 2, 3, 4], [0, 2, 3, 4], [0, 2, 4]]


async def test_a_batch_of_poison_alone_is_handled_once() -> None:
    calls = 0

    async def handler(records: Sequence[IncomingRecord]) -> None:
        nonlocal calls
        calls += 1
        raise Poison(bad(records))

    records = [record(n) for n in range(3)]
    assert await apply(handler, records) == bad(records)
    assert calls == 1


async def test_a_retry_of_the_handler_is_raised() -> None:
    async def handler(records: Sequence[IncomingRecord]) -> None:
        raise Retry(1.0, "not now")

    with pytest.raises(Retry):
        await apply(handler, [record()])


# --- commits ----------------------------------------------------------------------------------------------------------------
def test_each_partition_commits_its_last_offset_plus_one_and_its_earliest_receipt_time() -> None:
    progress = Progress()
    progress.done([record(4, headers=at(5)), record(9, partition=1, headers=at(7)), record(5, headers=at(3)), record(6)])
    assert progress.due == {
        Place("events", 0): Commit(7, (NOON + timedelta(minutes=3)).isoformat()),
        Place("events", 1): Commit(10, (NOON + timedelta(minutes=7)).isoformat()),
    }


def test_a_late_acknowledgement_keeps_a_newer_commit_due() -> None:
    progress = Progress()
    progress.done([record(1), record(1, partition=1)])
    sent = dict(progress.due)
    progress.done([record(2)])
    progress.committed(sent)
    assert progress.due == {Place("events", 0): Commit(3, "")}


# --- starts -----------------------------------------------------------------------------------------------------------------
COMMIT = Commit(50, NOON.isoformat())


@pytest.mark.parametrize(
    ("position", "committed", "log", "expected"),
    [
        pytest.param(50, COMMIT, (40, 60), None, id="a valid position is kept"),
        pytest.param(60, COMMIT, (40, 60), None, id="a position at the end is valid"),
        pytest.param(None, None, (0, 60), Start(Commit(0, "")), id="a new group"),
        pytest.param(None, None, (40, 60), Start(Commit(40, ""), lost=True), id="a new group that is late"),
        pytest.param(None, COMMIT, (40, 60), Start(COMMIT), id="a commit within the log"),
        pytest.param(None, COMMIT, (51, 60), Start(COMMIT._replace(offset=51), lost=True), id="a commit before the log"),
        pytest.param(50, COMMIT, (0, 20), Start(COMMIT._replace(offset=0), lost=True), id="a log that lost its end"),
        pytest.param(30, COMMIT, (40, 60), Start(COMMIT), id="a position before the log, not the commit"),
    ],
)
def test_the_start_of_a_partition(
    position: int | None, committed: Commit | None, log: tuple[int, int], expected: Start | None
) -> None:
    assert start_of(position, committed, *log) == expected


OLD = COMMIT._replace(offset=10)
STORED = Commit(50, (NOON - timedelta(hours=1)).isoformat())
LOG_LOST = Start(STORED._replace(offset=0), lost=True, log_lost=True)


@pytest.mark.parametrize(
    ("position", "committed", "log", "expected"),
    [
        pytest.param(None, None, (0, 0), LOG_LOST, id="an empty log"),
        pytest.param(None, None, (0, 60), LOG_LOST, id="a new log that is longer than the former"),
        pytest.param(None, COMMIT, (0, 20), LOG_LOST, id="a log that lost its end"),
        pytest.param(
            10, OLD, (0, 20), replace(LOG_LOST, commit=STORED._replace(offset=10)), id="a log and commits that lost their end"
        ),
        pytest.param(None, COMMIT, (40, 60), Start(COMMIT), id="a commit within the log"),
        pytest.param(None, COMMIT, (51, 60), Start(COMMIT._replace(offset=51), lost=True), id="a commit before the log"),
        pytest.param(50, COMMIT, (40, 60), None, id="a valid position"),
    ],
)
def test_a_stored_position_shows_that_kafka_lost_a_log(
    position: int | None, committed: Commit | None, log: tuple[int, int], expected: Start | None
) -> None:
    assert start_of(position, committed, *log, STORED) == expected


def test_a_replay_after_the_loss_of_a_log_begins_early_enough_for_every_stored_position() -> None:
    lost = [Start(COMMIT, lost=True, log_lost=True)]
    assert replay_since(lost, [COMMIT, STORED]) == NOON - timedelta(hours=1) - REPLAY_MARGIN
    assert replay_since(lost, [COMMIT, Commit(0, "")]) is None
    assert replay_since([Start(COMMIT, lost=True)], [STORED]) == NOON - REPLAY_MARGIN


def test_a_replay_starts_before_the_earliest_receipt_time() -> None:
    lost = [Start(Commit(0, (NOON + timedelta(hours=n)).isoformat()), lost=True) for n in (2, 1)]
    assert replay_since(lost) == NOON + timedelta(hours=1) - REPLAY_MARGIN


def test_a_replay_repeats_everything_if_one_partition_has_no_receipt_time() -> None:
    assert replay_since([Start(Commit(0, NOON.isoformat()), lost=True), Start(Commit(0, ""), lost=True)]) is None


# --- stalls -----------------------------------------------------------------------------------------------------------------
def checks(*arguments: tuple[float, float, int | None]) -> list[bool]:
    """The results of one timer with a limit of 60 s for (now, progressed at, lag), one check after the other."""
    timer = StallTimer(60)
    return [timer.expired(*each) for each in arguments]


def test_a_minute_of_lag_without_progress_is_a_stall() -> None:
    assert checks((15, 0, 5), (30, 0, 5), (74, 0, 5), (75, 0, 9)) == [False, False, False, True]


def test_progress_restarts_the_minute() -> None:
    assert checks((15, 0, 5), (70, 65, 5), (129, 65, 5), (130, 65, 5)) == [False, False, False, True]


@pytest.mark.parametrize("lag", [0, None], ids=["no lag", "no broker"])
def test_time_without_lag_or_broker_does_not_count(lag: int | None) -> None:
    assert checks((15, 0, 5), (60, 0, lag), (90, 0, 5), (149, 0, 5), (150, 0, 5)) == [False, False, False, False, True]
