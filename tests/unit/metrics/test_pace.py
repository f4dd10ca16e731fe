"""The pace of background work beside queries: it waits for them, and rests between its pieces, but not for ever."""

import asyncio

from services.metrics.pace import Pace
from shared.fair_queue import FairQueue

AGES = 60.0
WHILE = 0.05


async def work(pace: Pace, begun: list[str], name: str = "piece", seconds: float = 0.0) -> None:
    async with pace.piece():
        begun.append(name)
        await asyncio.sleep(seconds)


async def test_a_piece_begins_only_after_the_query_in_flight() -> None:
    queue, begun = FairQueue(2, 2, 2), list[str]()
    async with queue.turn("acme", 1):
        piece = asyncio.create_task(work(Pace(queue, patience=AGES), begun))
        await asyncio.sleep(WHILE)
        assert begun == []
    await piece
    assert begun == ["piece"]


async def test_a_query_that_never_ends_does_not_keep_a_piece_from_beginning() -> None:
    queue, begun = FairQueue(2, 2, 2), list[str]()
    async with queue.turn("acme", 1):
        await work(Pace(queue, patience=WHILE), begun)
    assert begun == ["piece"]


async def test_the_work_rests_after_a_piece_while_queries_are_expected() -> None:
    queue, begun = FairQueue(2, 2, 2), list[str]()
    pace = Pace(queue, rest=AGES / WHILE)
    async with queue.turn("acme", 1):
        pass
    await work(pace, begun, "first", seconds=WHILE)
    second = asyncio.create_task(work(pace, begun, "second"))
    await asyncio.sleep(WHILE)
    assert begun == ["first"]
    second.cancel()


async def test_without_queries_the_work_does_not_rest() -> None:
    begun = list[str]()
    for pace in (Pace(FairQueue(2, 2, 2), rest=AGES / WHILE), Pace(rest=AGES / WHILE)):
        await work(pace, begun, seconds=WHILE)
        await asyncio.wait_for(work(pace, begun), AGES / 2)
    assert len(begun) == 4


async def test_pieces_are_short_while_queries_are_expected() -> None:
    queue = FairQueue(2, 2, 2)
    pace = Pace(queue, short=1, long=2)
    assert pace.seconds == 2
    async with queue.turn("acme", 1):
        assert pace.seconds == 1
    assert pace.seconds == 1
    assert Pace(short=1, long=2).seconds == 2
