"""The pool: slices of similar length, several threads, lanes in turn, results in the order of the texts."""

import asyncio
import threading
import time
from collections.abc import Sequence

import pytest

from services.sentiment.domain.batching import TEXTS
from services.sentiment.domain.scorer import Model, Opinion, ScorerUnavailable
from services.sentiment.domain.scoring import Comment
from services.sentiment.pool import Pool
from shared.events import Score, text_hash
from tests.unit.sentiment.test_scoring import FailsOn

pytestmark = pytest.mark.timing


class Slow:
    """A model that takes `rest` seconds for a batch, and records the batches and how many threads score at once."""

    model = Model("slow", "1")

    def __init__(self, rest: float = 0.01) -> None:
        self.rest = rest
        self.calls: list[Sequence[str]] = []
        self.working: set[int] = set()
        self.most = 0

    def score(self, texts: Sequence[str]) -> list[Opinion]:
        self.working.add(threading.get_ident())
        self.most = max(self.most, len(self.working))
        self.calls.append(texts)
        time.sleep(self.rest)
        self.working.discard(threading.get_ident())
        return [Opinion("positive", len(text) / 10_000, 1.0) for text in texts]


def comments(*lengths: int) -> list[Comment]:
    return [Comment("x" * length, "en") for length in lengths]


# --- the pool ---------------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("threads", [1, 3])
async def test_scores_have_the_order_of_the_comments(threads: int) -> None:
    sent = [Comment(f"{'long ' * (n % 50)} text {n}", "en") for n in range(500)]
    async with Pool(Slow(0), threads) as pool:
        results = await pool.score_comments(sent)
    assert [score.text_hash for score in results if isinstance(score, Score)] == [text_hash(comment.text) for comment in sent]


class MeetingScorer(Slow):
    """A model whose calls wait until so many threads are in it."""

    def __init__(self, threads: int) -> None:
        super().__init__(0)
        self.barrier = threading.Barrier(threads, timeout=20)

    def score(self, texts: Sequence[str]) -> list[Opinion]:
        self.barrier.wait()
        return super().score(texts)


async def test_a_single_caller_uses_all_threads() -> None:
    async with Pool(MeetingScorer(3), 3, 10) as pool:
        results = await pool.score_comments(comments(*[5] * 90))
    assert all(isinstance(result, Score) for result in results)


async def test_slices_are_at_most_the_batch_of_the_model_server() -> None:
    scorer = Slow(0)
    async with Pool(scorer, 1, 5) as pool:
        await pool.score_comments(comments(*range(1, 20)))
    assert max(map(len, scorer.calls)) == 5


@pytest.mark.parametrize("threads", [1, 2])
async def test_during_a_replay_a_caller_waits_for_at_most_one_slice(threads: int) -> None:
    scorer = Slow()
    async with Pool(scorer, threads) as pool:
        replay = asyncio.create_task(pool.score_comments(comments(*[50] * TEXTS * 40)))
        for _ in range(5):
            await asyncio.sleep(0.03)
            before = len(scorer.calls)
            await pool.score_comments(comments(7))
            place = next(n for n, texts in enumerate(scorer.calls[before:]) if texts == ["x" * 7])
            assert place <= threads
        assert not replay.done()
        await replay


@pytest.mark.parametrize("threads", [1, 2])
async def test_events_and_calls_take_turns_however_many_callers_there_are(threads: int) -> None:
    """While both lanes have work, a lane of one caller gets at least every third slice."""
    scorer = Slow(0.002)
    async with Pool(scorer, threads) as pool:
        calls = [asyncio.create_task(pool.score_comments(comments(*[6] * TEXTS * 40), lane="calls")) for _ in range(6)]
        await asyncio.sleep(0.02)
        begin = len(scorer.calls)
        await pool.score_comments(comments(*[5] * TEXTS * 20))
        lanes = [len(texts[0]) for texts in scorer.calls[begin:]]
        places = [place for place, length in enumerate(lanes) if length == 5]
        assert len(places) == 20
        assert places[-1] <= 3 * 20 + 2 * threads
        assert not any(call.done() for call in calls)
        for call in calls:
            call.cancel()
        await asyncio.gather(*calls, return_exceptions=True)


async def test_events_do_not_delay_calls() -> None:
    scorer = Slow(0.002)
    async with Pool(scorer, 1) as pool:
        events = [asyncio.create_task(pool.score_comments(comments(*[4] * TEXTS * 40))) for _ in range(4)]
        await asyncio.sleep(0.02)
        begin = len(scorer.calls)
        await pool.score_comments(comments(7), lane="calls")
        assert ["x" * 7] in scorer.calls[begin : begin + 3]
        for task in events:
            task.cancel()
        await asyncio.gather(*events, return_exceptions=True)


async def test_the_event_loop_is_not_blocked() -> None:
    async with Pool(Slow(0.3), 1) as pool:
        scoring = asyncio.create_task(pool.score_comments(comments(3)))
        began = time.perf_counter()
        for _ in range(10):
            await asyncio.sleep(0.001)
        assert time.perf_counter() - began < 0.2
        await scoring


async def test_progress_is_reported_after_each_slice() -> None:
    steps: list[int] = []
    async with Pool(Slow(0), 1) as pool:
        await pool.score_comments(comments(*[9] * TEXTS * 3), lambda: steps.append(1))
    assert len(steps) == 3


async def test_a_model_that_becomes_unavailable_fails_all_waiting_callers() -> None:
    scorer = FailsOn("y", error=ScorerUnavailable)
    async with Pool(scorer, 2) as pool:
        with pytest.raises(ScorerUnavailable):
            await pool.score_comments([*comments(*[3] * TEXTS * 2), Comment("yyyyy", "en"), *comments(*[7] * TEXTS * 10)])
        assert pool.waiting == 0
        calls_before = len(scorer.calls)
        await asyncio.sleep(0.05)
        assert len(scorer.calls) <= calls_before + 1 < 10  # the other thread may have taken a slice just before


async def test_the_slices_of_a_cancelled_caller_are_not_scored() -> None:
    scorer = Slow()
    async with Pool(scorer, 1) as pool:
        leaving = asyncio.create_task(pool.score_comments(comments(*[3] * TEXTS * 20)))
        await asyncio.sleep(0.03)
        leaving.cancel()
        await asyncio.gather(leaving, return_exceptions=True)
        assert pool.waiting == 0
        await pool.score_comments(comments(9))
    assert len(scorer.calls) < 10


async def test_opinions_ignore_rules() -> None:
    async with Pool(Slow(0), 1) as pool:
        opinions = await pool.opinions(["n/a", "0/10 aaa"])
    assert [opinion.score for opinion in opinions if isinstance(opinion, Opinion)] == [0.0003, 0.0008]
