"""Score comments in a bounded pool of threads, so that the event loop stays free for heartbeats and requests.

Comments of events, comments of calls to `/v1/score` and the texts of themes have a lane each. The lanes take turns slice by
slice: each lane with work gets at least a third of the slices, however many callers the others have.
"""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from functools import partial
from types import TracebackType
from typing import Literal, Self, TypeVar

from services.sentiment.domain.batching import TEXTS, slices
from services.sentiment.domain.reading import Meanings
from services.sentiment.domain.scorer import Model, Opinion, Scorer
from services.sentiment.domain.scoring import Comment, Unscorable, opinions_of, score_comments
from services.sentiment.domain.themes import Finder
from shared.events import Score
from shared.fair_queue import FairQueue
from shared.taxonomy import Taxonomy, ThemeDefinition

Item = TypeVar("Item")
Result = TypeVar("Result")

Lane = Literal["events", "calls", "themes"]
MAX_WAIT = 86_400.0
"""Seconds that a slice waits for a thread: practically unlimited. A call has a deadline of its own."""
MAX_WAITING = 100_000
"""Slices of one lane that may wait: practically unlimited. A caller has at most one for each thread."""


def no_progress() -> None:
    """For callers that need no notice of progress."""


class Pool:
    """Scores with `threads` threads, in slices of texts of similar length.

    The lanes take turns, and within a lane the callers. A caller has at most one waiting or running slice for each thread, and
    adds the next when one is done. A slice starts only when a thread is free, so the waiting slices of a cancelled caller are
    never scored.
    """

    def __init__(self, scorer: Scorer, threads: int, texts: int = TEXTS, finder: Finder | None = None) -> None:
        """`texts`: most texts of a slice. `finder` finds themes, with a model that has embeddings."""
        self._scorer = scorer
        self._finder = finder
        self._texts = texts
        self._size = threads
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix="scoring")
        self._queue = FairQueue(at_once=threads, per_tenant=threads, waiting=MAX_WAITING)
        """Its tenants are the lanes."""
        self.waiting = 0
        """Callers in all lanes without a result yet."""
        self._preparing: dict[tuple[ThemeDefinition, ...], asyncio.Task[None]] = {}

    @property
    def finds_themes(self) -> bool:
        """Whether scores have themes."""
        return self._finder is not None

    @property
    def model(self) -> Model:
        """The name and version of the model that scores."""
        return self._scorer.model

    async def score_comments(
        self, comments: Sequence[Comment], on_progress: Callable[[], None] = no_progress, *, lane: Lane = "events"
    ) -> list[Score | Unscorable]:
        """The score of each comment; calls `on_progress` after each slice. Raises ScorerUnavailable if the model can't score."""
        work = partial(score_comments, finder=self._finder)
        return await self._in_slices(work, comments, [len(comment.text) for comment in comments], on_progress, lane)

    async def opinions(self, texts: Sequence[str]) -> list[Opinion | Unscorable]:
        """The model's opinion of each text, without rules, in the lane of calls. Raises ScorerUnavailable if it can't score."""
        return await self._in_slices(opinions_of, texts, [len(text) for text in texts], no_progress, "calls")

    async def prepare(self, taxonomy: Taxonomy) -> None:
        """Compute the points of a taxonomy's themes, in slices, unless they are cached.

        Callers that need the same themes share the work, which continues if one of them is cancelled. Raises ScorerUnavailable.
        """
        finder, themes = self._finder, taxonomy.themes
        if finder is None or not (texts := finder.texts_to_prepare(taxonomy)):
            return
        if themes not in self._preparing:
            self._preparing[themes] = asyncio.create_task(self._prepare(finder, taxonomy, texts))
            self._preparing[themes].add_done_callback(lambda task: self._forget_preparation(themes, task))
        await asyncio.shield(self._preparing[themes])

    async def _prepare(self, finder: Finder, taxonomy: Taxonomy, texts: Sequence[str]) -> None:
        def work(_: Scorer, slice_texts: Sequence[str]) -> list[Meanings]:
            return finder.meanings(slice_texts)

        finder.prepare(taxonomy, await self._in_slices(work, texts, [len(text) for text in texts], no_progress, "themes"))

    def _forget_preparation(self, themes: tuple[ThemeDefinition, ...], task: asyncio.Task[None]) -> None:
        del self._preparing[themes]
        if not task.cancelled():
            task.exception()  # callers that wait raise it; without them asyncio would report it as never retrieved

    async def _in_slices(
        self,
        work: Callable[[Scorer, Sequence[Item]], list[Result]],
        items: Sequence[Item],
        lengths: Sequence[int],
        on_progress: Callable[[], None],
        lane: Lane,
    ) -> list[Result]:
        """The results of `work` for all items, in their order."""
        results: dict[int, Result] = {}

        async def run_slices(remaining: Iterator[list[int]]) -> None:
            loop = asyncio.get_running_loop()
            for indices in remaining:
                async with self._queue.turn(lane, MAX_WAIT):
                    call = partial(copy_context().run, work, self._scorer, [items[index] for index in indices])
                    done = await loop.run_in_executor(self._threads, call)
                results.update(zip(indices, done, strict=True))
                on_progress()

        remaining = slices(lengths, self._texts)
        self.waiting += 1
        try:
            await gather_or_cancel([asyncio.create_task(run_slices(remaining)) for _ in range(self._size)])
        finally:
            self.waiting -= 1
        return [results[index] for index in range(len(items))]

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        for task in self._preparing.values():
            task.cancel()
        self._threads.shutdown(wait=False, cancel_futures=True)


async def gather_or_cancel(tasks: Sequence[asyncio.Task[None]]) -> None:
    """Wait for all tasks. Cancels the others before it raises the first error or its own cancellation."""
    try:
        await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
