"""The consumer's handler, with a fake sender and fake models."""

import time
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from services.sentiment.consumer import ScoringHandler
from services.sentiment.domain.scorer import Opinion, Scorer, ScorerUnavailable
from services.sentiment.domain.vader import VaderScorer
from services.sentiment.pool import Pool
from shared.events import (
    Answer,
    Event,
    Opened,
    Rating,
    Response,
    Review,
    Ticket,
    Tombstone,
    decode_score,
    encode,
    text_hash,
)  # fmt: skip
from shared.events import (
    Message as TicketMessage,
)
from shared.kafka import IncomingRecord, OutgoingRecord, Poison, Retry, Undelivered, received_header
from shared.topics import COMMENTS_LATER, SCORES, Topic
from tests.unit.sentiment.test_scoring import FailsOn

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)


class Sent:
    """A sender that records its messages."""

    def __init__(self, fails: bool = False) -> None:
        self.messages: list[OutgoingRecord] = []
        self.fails = fails

    async def send_all(self, topic: Topic, messages: Sequence[OutgoingRecord]) -> None:
        assert topic is SCORES
        if self.fails:
            raise Undelivered("the broker is away")
        self.messages += messages

    @property
    def texts(self) -> list[str]:
        return [decode_score(message.value).score.text_hash for message in self.messages]


def event(body: Any, subject: str = "api/response/r-1", tenant: str = "acme") -> Event:
    return Event(
        tenant=tenant,
        subject=subject,
        statement="s-1",
        seq=1,
        at=NOON,
        received_at=NOON,
        connection="api",
        source="api",
        body=body,
    )


def comment(text: str, language: str | None = None) -> Response:
    return Response(at=NOON, answers=(Answer(question="q1", kind="comment", text=text, language=language),))


def record(value: bytes, offset: int = 0, tenant: str = "acme") -> IncomingRecord:
    headers = (("received_at", b"an older one"), ("traceparent", b"00-trace"))
    return IncomingRecord("feedback.events", 0, offset, f"{tenant}/s".encode(), value, headers, 0)


def records(*bodies: Any) -> list[IncomingRecord]:
    return [record(encode(event(body, f"api/response/r-{n}")), n) for n, body in enumerate(bodies)]


async def score(batch: Sequence[IncomingRecord], scorer: Scorer | None = None, sent: Sent | None = None) -> Sent:
    sent = sent or Sent()
    async with Pool(scorer or VaderScorer(), threads=2) as pool:
        await ScoringHandler(pool, sent)(batch)
    return sent


async def test_a_score_carries_the_receipt_time_in_the_headers_of_its_event() -> None:
    """It may be earlier than the event's own: older events may still be waiting in ingest."""
    earlier = received_header(NOON - timedelta(hours=1))
    published = replace(record(encode(event(comment("Great service!"), "api/response/r-0"))), headers=(earlier,))
    (message,) = (await score([published])).messages
    assert message.headers == (earlier,)


async def test_a_score_has_the_key_and_the_receipt_time_of_its_event() -> None:
    (message,) = (await score(records(comment("Great service!", "en")))).messages
    published = decode_score(message.value)
    score_sent = published.score
    assert message.key == b"acme/api/response/r-0"
    assert message.headers == (received_header(NOON), ("traceparent", b"00-trace"))
    assert (published.tenant, published.subject) == ("acme", "api/response/r-0")
    assert (published.model, published.received_at) == ("vader-3.3.2", NOON)
    assert (score_sent.label, score_sent.language, score_sent.text_hash) == ("positive", "en", text_hash("Great service!"))


async def test_every_comment_of_an_event_is_scored_once_and_agents_texts_are_not() -> None:
    ticket = Ticket(
        facts=(
            Opened(at=NOON, text="It is broken"),
            TicketMessage(at=NOON, by="customer", text="Still broken", id="1"),
            TicketMessage(at=NOON, by="customer", text="It is broken", id="2"),
            TicketMessage(at=NOON, by="agent", text="So sorry", id="3"),
            Rating(at=NOON, value=1, scale=(1, 5), text="Awful"),
        )
    )
    sent = await score(records(ticket, Review(at=NOON, stars=5, title="Wow", text="Love it"), Tombstone()))
    expected = ["It is broken", "Still broken", "Awful", "Wow\nLove it"]
    assert sent.texts == [text_hash(text) for text in expected]


async def test_events_without_comments_send_nothing() -> None:
    sent = await score(records(Response(at=NOON, answers=(Answer(question="q", kind="nps", value=9),)), comment("   ")))
    assert sent.messages == []


async def test_a_non_answer_has_a_score_too() -> None:
    (message,) = (await score(records(comment("n/a")))).messages
    assert decode_score(message.value).score.label is None


async def test_an_event_whose_comments_come_later_is_not_scored() -> None:
    [now, then] = records(comment("Great"), comment("Later"))
    then = replace(then, headers=(*then.headers, COMMENTS_LATER))
    assert (await score([now, then])).texts == [text_hash("Great")]


async def test_a_quiet_tenants_score_is_sent_before_a_flood_is_scored() -> None:
    """In one batch: 20 comments of 2,000 characters before one short one of another tenant."""
    flood = [encode(event(comment(f"{n} " + "bad " * 500), f"api/response/f-{n}", "flood")) for n in range(20)]
    values = [*flood, encode(event(comment("Great"), tenant="quiet"))]
    sent = Sent()
    scorer = Watched(sent)
    await score([record(value, offset) for offset, value in enumerate(values)], scorer, sent)
    assert sent.texts[0] == text_hash("Great")
    assert scorer.seen_before_first_send < 20
    assert len(sent.texts) == 21


class Watched(FailsOn):
    """A model that counts how many texts it had scored before the first score was sent."""

    def __init__(self, sent: Sent) -> None:
        super().__init__()
        self._sent = sent
        self.seen_before_first_send = 0

    def score(self, texts: Sequence[str]) -> list[Opinion]:
        if not self._sent.messages:
            self.seen_before_first_send += len(texts)
        return super().score(texts)


@pytest.mark.parametrize("value", [b"", b"{", b"[]", b'{"tenant": 1}', b"\xff\xfe", b"[" * 100_000])
async def test_a_record_that_is_no_event_is_poison_before_any_send(value: bytes) -> None:
    good, sent = records(comment("Great"))[0], Sent()
    bad = record(value, 1)
    with pytest.raises(Poison) as caught:
        await score([good, bad], sent=sent)
    assert list(caught.value.reasons) == [bad]
    assert sent.messages == []


async def test_a_comment_on_which_the_model_fails_is_poison_and_the_rest_is_scored_at_the_next_call() -> None:
    batch, scorer, sent = records(comment("fine"), comment("poison"), comment("fine too")), FailsOn("poison"), Sent()
    with pytest.raises(Poison) as caught:
        await score(batch, scorer, sent)
    assert list(caught.value.reasons) == [batch[1]]
    assert "poison" not in caught.value.reasons[batch[1]]
    assert sent.messages == []
    assert len((await score([batch[0], batch[2]], scorer, sent)).messages) == 2


@pytest.mark.parametrize(("asks_for", "gets"), [(None, 5.0), (17.0, 17.0)])
async def test_an_unavailable_model_is_retried_after_its_stated_delay(asks_for: float | None, gets: float) -> None:
    class Busy(FailsOn):
        def score(self, texts: Sequence[str]) -> list[Opinion]:
            raise ScorerUnavailable("busy", asks_for)

    with pytest.raises(Retry) as caught:
        await score(records(comment("fine")), Busy())
    assert caught.value.delay == gets


async def test_progress_is_noted_during_a_batch() -> None:
    async with Pool(FailsOn(), threads=1) as pool:
        scoring = ScoringHandler(pool, Sent(fails=True))
        began = time.monotonic()
        with pytest.raises(Retry):
            await scoring(records(comment("fine")))
    assert began <= scoring.progressed_at <= time.monotonic()


async def test_unacknowledged_scores_raise_retry() -> None:
    with pytest.raises(Retry):
        await score(records(comment("fine")), sent=Sent(fails=True))


async def test_equal_events_give_equal_messages() -> None:
    batch = records(*(comment(f"text number {n} is so good, but also bad") for n in range(200)))
    assert (await score(batch)).messages == (await score(batch)).messages
