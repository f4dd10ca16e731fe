"""A bounded pool of threads in which comments are scored, so that the event loop stays free for heartbeats and requests.

Comments of events, comments of calls to `/v1/score` and the words of themes have a lane each. The lanes take turns slice by
slice: while two have work, each gets at least a third of the slices, however many callers the other has.
"""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
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

Asked = TypeVar("Asked")
Found = TypeVar("Found")

Lane = Literal["events", "calls", "themes"]
PATIENCE = 86_400.0
"""Seconds that a slice waits for a thread: without limit in practice. The limit of a call is its own deadline."""
MOST_WAITING = 100_000
"""Slices of one lane that may wait: without limit in practice. Each caller has no more than the threads are."""


def unwatched() -> None:
    """For callers that need no progress."""


class Pool:
    """Scores with `threads` threads, in slices of texts of like length.

    The lanes take turns, and within a lane the callers: each has at most as many slices in line or in work as there are
    threads, and adds the next when one is done. A slice goes to a thread only when one is free, so what a cancelled caller still
    has in line is never scored.
    """

    def __init__(self, scorer: Scorer, threads: int, texts: int = TEXTS, finder: Finder | None = None) -> None:
        """`texts`: how many may be in one slice; `finder` finds the themes, for a model that tells what texts mean."""
        self._scorer = scorer
        self._finder = finder
        self._texts = texts
        self._size = threads
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix="scoring")
        self._turns = FairQueue(at_once=threads, per_tenant=threads, waiting=MOST_WAITING)
        """Its tenants are the lanes."""
        self.waiting = 0
        """Callers in either lane that do not have their scores yet."""
        self._preparing: dict[tuple[ThemeDefinition, ...], asyncio.Task[None]] = {}

    @property
    def finds_themes(self) -> bool:
        return self._finder is not None

    @property
    def model(self) -> Model:
        return self._scorer.model

    async def score_comments(
        self, comments: Sequence[Comment], step: Callable[[], None] = unwatched, *, lane: Lane = "events"
    ) -> list[Score | Unscorable]:
        """The score of each comment; `step` is called whenever some are done. Raises ScorerAway when the model can't score."""
        work = partial(score_comments, finder=self._finder)
        return await self._sliced(work, comments, [len(comment.text) for comment in comments], step, lane)

    async def opinions(self, texts: Sequence[str]) -> list[Opinion | Unscorable]:
        """The model's opinion of each text, without rules, in the lane of calls. Raises ScorerAway when the model can't score."""
        return await self._sliced(opinions_of, texts, [len(text) for text in texts], unwatched, "calls")

    async def prepare(self, taxonomy: Taxonomy) -> None:
        """Compute where the themes of a taxonomy are, in slices like comments, unless that is known. Raises ScorerAway.

        Callers that wait for the same themes share the work. It goes on when one of them leaves.
        """
        finder, themes = self._finder, taxonomy.themes
        if finder is None or not (words := finder.texts_to_prepare(taxonomy)):
            return
        if themes not in self._preparing:
            self._preparing[themes] = asyncio.create_task(self._prepare(finder, taxonomy, words))
            self._preparing[themes].add_done_callback(lambda task: self._prepared(themes, task))
        await asyncio.shield(self._preparing[themes])

    async def _prepare(self, finder: Finder, taxonomy: Taxonomy, words: Sequence[str]) -> None:
        def work(_: Scorer, texts: Sequence[str]) -> list[Meanings]:
            return finder.meanings(texts)

        finder.prepare(taxonomy, await self._sliced(work, words, [len(text) for text in words], unwatched, "themes"))

    def _prepared(self, themes: tuple[ThemeDefinition, ...], task: asyncio.Task[None]) -> None:
        del self._preparing[themes]
        if not task.cancelled():
            task.exception()  # whoever still waits gets it; asyncio is not to report it as forgotten

    async def _sliced(
        self,
        work: Callable[[Scorer, Sequence[Asked]], list[Found]],
        asked: Sequence[Asked],
        lengths: Sequence[int],
        step: Callable[[], None],
        lane: Lane,
    ) -> list[Found]:
        """`work` done on everything in `asked`, in the same order."""
        found: dict[int, Found] = {}

        async def work_off(rest: Iterator[list[int]]) -> None:
            loop = asyncio.get_running_loop()
            for places in rest:
                async with self._turns.turn(lane, PATIENCE):
                    done = await loop.run_in_executor(self._threads, work, self._scorer, [asked[place] for place in places])
                found.update(zip(places, done, strict=True))
                step()

        rest = slices(lengths, self._texts)
        self.waiting += 1
        try:
            await together([asyncio.create_task(work_off(rest)) for _ in range(self._size)])
        finally:
            self.waiting -= 1
        return [found[place] for place in range(len(asked))]

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        for task in self._preparing.values():
            task.cancel()
        self._threads.shutdown(wait=False, cancel_futures=True)


async def together(tasks: Sequence[asyncio.Task[None]]) -> None:
    """Wait for all tasks, or raise the first error of one. No task is left running then, nor after a cancellation."""
    try:
        await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
