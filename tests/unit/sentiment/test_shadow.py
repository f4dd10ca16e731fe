"""The shadow's handler: it skips records that it can't score, parks none, waits for live comments, and stops no other worker."""

import asyncio
from collections.abc import Sequence
from contextlib import AsyncExitStack

import pytest
from pydantic import SecretStr, ValidationError

from services.sentiment.consumer import ScoringHandler
from services.sentiment.domain.scorer import Model, Opinion, Scorer, ScorerUnavailable
from services.sentiment.domain.vader import VaderScorer
from services.sentiment.instruments import SHADOW_MISSED
from services.sentiment.pool import Pool
from services.sentiment.settings import Settings
from services.sentiment.shadow import ShadowHandler, restart_after_errors, wait_for_live
from shared.events import decode_score
from shared.kafka import OutgoingRecord, Retry
from shared.topics import Topic
from tests.unit.sentiment.test_consumer import Sent, comment, record, records
from tests.unit.sentiment.test_scoring import FailsOn


class Other:
    """Another model, to which all is neutral."""

    model = Model("other", "1")

    def score(self, texts: Sequence[str]) -> list[Opinion]:
        return [Opinion("neutral", 0.0, 0.5) for _ in texts]


class Broken:
    """A sender with a fault that nobody foresaw."""

    async def send_all(self, topic: Topic, messages: Sequence[OutgoingRecord]) -> None:
        raise ZeroDivisionError


def missed() -> float:
    [metric] = SHADOW_MISSED.collect()
    return next(sample.value for sample in metric.samples if sample.name.endswith("_total"))


async def shadow(batch: Sequence[object], scorer: Scorer, sender: object) -> float:
    """Handle records; how many were missed."""
    before = missed()
    async with AsyncExitStack() as stack:
        live, beside = [await stack.enter_async_context(Pool(one, 1)) for one in (VaderScorer(), scorer)]
        await ShadowHandler(ScoringHandler(beside, sender), live)(batch)  # type: ignore[arg-type]
    return missed() - before


async def test_the_shadows_scores_have_its_model_name() -> None:
    sent = Sent()
    assert await shadow(records(comment("Great service!")), Other(), sent) == 0
    [published] = [decode_score(message.value) for message in sent.messages]
    assert (published.model, published.score.label) == ("other-1", "neutral")


async def test_unscorable_and_malformed_records_are_counted_and_the_rest_is_scored() -> None:
    sent = Sent()
    batch = [*records(comment("fine"), comment("a bad text"), comment("good")), record(b"not an event", 3)]
    assert await shadow(batch, FailsOn("bad"), sent) == 2
    assert len(sent.messages) == 2


async def test_an_unexpected_error_loses_the_scores_and_the_worker_lives() -> None:
    assert await shadow(records(comment("fine"), comment("good")), Other(), Broken()) == 2


class Unavailable:
    model = Model("away", "1")

    def score(self, texts: Sequence[str]) -> list[Opinion]:
        raise ScorerUnavailable("for lunch")


@pytest.mark.parametrize(("scorer", "sent"), [(Unavailable(), Sent()), (Other(), Sent(fails=True))], ids=["model", "broker"])
async def test_an_outage_of_the_model_or_the_broker_is_retried(scorer: Scorer, sent: Sent) -> None:
    before = missed()
    with pytest.raises(Retry):
        await shadow(records(comment("fine")), scorer, sent)
    assert missed() == before


async def test_the_shadow_waits_for_live_comments_for_a_limited_time() -> None:
    async with Pool(VaderScorer(), 1) as live:
        live.waiting = 1
        waiting = asyncio.create_task(wait_for_live(live, seconds=60))
        await asyncio.sleep(0.05)
        assert not waiting.done()
        live.waiting = 0
        await asyncio.wait_for(waiting, 5)
        live.waiting = 1
        await asyncio.wait_for(wait_for_live(live, seconds=0.05), 5)


async def test_a_consumer_that_ended_by_an_error_is_restarted() -> None:
    begun = 0

    async def run() -> None:
        nonlocal begun
        begun += 1
        raise ZeroDivisionError

    work = asyncio.create_task(restart_after_errors(run, delay=0))
    async with asyncio.timeout(5):
        while begun < 3:  # noqa: ASYNC110
            await asyncio.sleep(0)
    assert not work.done()
    work.cancel()


def test_the_shadow_must_be_another_model() -> None:
    token = SecretStr("internal-token-of-the-tests")
    with pytest.raises(ValidationError, match="SENTIMENT_SHADOW"):
        Settings(internal_token=token, scorer="linear", shadow="linear")
    assert Settings(internal_token=token, scorer="linear", shadow="vader").shadow == "vader"
