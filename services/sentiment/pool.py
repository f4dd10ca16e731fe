"""A bounded pool of threads in which comments are scored, so that the event loop stays free for heartbeats and requests."""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from types import TracebackType
from typing import Self, TypeVar

from services.sentiment.domain.judging import Comment, Unscorable, judge, opinions_of
from services.sentiment.domain.reading import Meanings
from services.sentiment.domain.scorer import Model, Opinion, Scorer
from services.sentiment.domain.slicing import TEXTS, slices
from services.sentiment.domain.themes import Finder
from shared.events import Score
from shared.taxonomy import Taxonomy

Asked = TypeVar("Asked")
Found = TypeVar("Found")


def unwatched() -> None:
    """For callers that need not know how far their texts have come."""


class Pool:
    """Scores with `threads` threads, in slices of texts of like length.

    Slices of different callers take turns: a caller has as many under way as there are threads, and asks for the next when one is
    done, behind all that others have asked for meanwhile. Whoever comes waits for one slice at most before the first of theirs.
    """

    def __init__(self, scorer: Scorer, threads: int, texts: int = TEXTS, finder: Finder | None = None) -> None:
        """`texts`: how many may be in one slice; `finder` finds the themes, for a model that tells what texts mean."""
        self._scorer = scorer
        self._finder = finder
        self._texts = texts
        self._size = threads
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix="scoring")
        self.waiting = 0
        """Callers that have been promised an answer and don't have it yet."""

    @property
    def finds_themes(self) -> bool:
        return self._finder is not None

    @property
    def model(self) -> Model:
        return self._scorer.model

    async def judge(self, comments: Sequence[Comment], step: Callable[[], None] = unwatched) -> list[Score | Unscorable]:
        """The score of each comment; `step` is called whenever some are done. Raises ScorerAway when the model can't score."""
        work = partial(judge, finder=self._finder)
        return await self._sliced(work, comments, [len(comment.text) for comment in comments], step)

    async def opinions(self, texts: Sequence[str]) -> list[Opinion | Unscorable]:
        """The model's opinion of each text, without rules. Raises ScorerAway when the model can't score."""
        return await self._sliced(opinions_of, texts, [len(text) for text in texts], unwatched)

    async def prepare(self, taxonomy: Taxonomy) -> None:
        """Compute where the themes of a taxonomy are, in slices like comments, unless that is known. Raises ScorerAway."""
        finder = self._finder
        if finder and (words := finder.words_to_prepare(taxonomy)):

            def work(_: Scorer, texts: Sequence[str]) -> list[Meanings]:
                return finder.meanings(texts)

            finder.prepare(taxonomy, await self._sliced(work, words, [len(text) for text in words], unwatched))

    async def _sliced(
        self,
        work: Callable[[Scorer, Sequence[Asked]], list[Found]],
        asked: Sequence[Asked],
        lengths: Sequence[int],
        step: Callable[[], None],
    ) -> list[Found]:
        """`work` done on all that is asked, in the order of asking."""
        found: dict[int, Found] = {}

        async def work_off(rest: Iterator[list[int]]) -> None:
            loop = asyncio.get_running_loop()
            for places in rest:
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
        self._threads.shutdown(wait=False, cancel_futures=True)


async def together(tasks: Sequence[asyncio.Task[None]]) -> None:
    """All of them, or the first fault of one; then, or when cancelled, none is left running."""
    try:
        await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
