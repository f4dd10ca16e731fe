"""A bounded pool of threads in which comments are scored, so that the event loop stays free for heartbeats and requests."""

import asyncio
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from types import TracebackType
from typing import Self

from services.sentiment.domain.judging import Comment, Unscorable, judge
from services.sentiment.domain.scorer import Model, Scorer
from shared.events import Score

SLICE = 64
"""Comments scored in one go: so many that starting costs nothing, so few that a caller in a hurry is not kept waiting."""


class Pool:
    """Scores with `threads` threads. Slices of different callers take turns, in the order in which they were asked."""

    def __init__(self, scorer: Scorer, threads: int) -> None:
        self._scorer = scorer
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix="scoring")
        self.waiting = 0
        """Callers that have been promised an answer and don't have it yet."""

    @property
    def model(self) -> Model:
        return self._scorer.model

    async def judge(self, comments: Sequence[Comment]) -> list[Score | Unscorable]:
        """The score of each comment. Raises ScorerAway when the model can't score anything."""
        loop = asyncio.get_running_loop()
        self.waiting += 1
        try:
            found: list[Score | Unscorable] = []
            for start in range(0, len(comments), SLICE):
                part = comments[start : start + SLICE]
                found += await loop.run_in_executor(self._threads, judge, self._scorer, part)
            return found
        finally:
            self.waiting -= 1

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)
