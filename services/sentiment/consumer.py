"""From `feedback.events` to `feedback.scores`: one score for each distinct comment of an event, sent before offsets move."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import msgspec

from services.sentiment.domain.judging import Comment, Unscorable
from services.sentiment.domain.scorer import Model, ScorerAway
from services.sentiment.pool import Pool
from services.sentiment.tenants_taxonomies import Taxonomies
from shared import metrics_names as metrics
from shared.events import Event, Score, ScoreEvent, comments, decode_event, encode
from shared.kafka import Message, Poison, Record, Retry, received_header
from shared.taxonomy import Taxonomy
from shared.topics import SCORES, Topic, subject_key

REST = 5.0
"""Seconds that events wait while the model can't score and doesn't say when it can."""


class Sender(Protocol):
    """The part of a producer that is needed here."""

    async def send_all(self, topic: Topic, messages: Sequence[Message]) -> None: ...


@dataclass(slots=True)
class Scoring:
    """The handler of `feedback.events`. Everything in it may be done twice: the same text gets the same score."""

    pool: Pool
    sender: Sender
    taxonomies: Taxonomies | None = None
    """What themes to look for, by tenant; needed with a pool that finds themes."""
    moved_at: float = 0.0
    """When some comments were last scored, in time.monotonic(): a slow model is not a hung one."""

    async def __call__(self, records: Sequence[Record]) -> None:
        events = decode(records)
        taxonomies = await self._taxonomies({event.tenant for _, event in events})
        wanted = [
            (record, event, comment) for record, event in events for comment in distinct(event, taxonomies.get(event.tenant))
        ]
        try:
            scores = await self.pool.judge([comment for _, _, comment in wanted], self._step)
        except ScorerAway as away:
            raise Retry(REST if away.retry_after is None else away.retry_after, f"the model can't score: {away}") from away
        poison = {record: s.reason for (record, _, _), s in zip(wanted, scores, strict=True) if isinstance(s, Unscorable)}
        if poison:
            raise Poison(poison)
        scored = [
            (record, event, score) for (record, event, _), score in zip(wanted, scores, strict=True) if isinstance(score, Score)
        ]
        await self.sender.send_all(SCORES, [message(self.pool.model, *one) for one in scored])
        for _, _, score in scored:
            metrics.SCORED.labels(str(self.pool.model), score.label or "none").inc()

    async def _taxonomies(self, tenants: set[str]) -> dict[str, Taxonomy]:
        if self.taxonomies is None or not self.pool.finds_themes:
            return {}
        return {tenant: await self.taxonomies.of(tenant) for tenant in tenants}

    def _step(self) -> None:
        self.moved_at = time.monotonic()


def decode(records: Sequence[Record]) -> list[tuple[Record, Event]]:
    """The events in `records`, or Poison naming all that can't be understood."""
    events: list[tuple[Record, Event]] = []
    poison: dict[Record, str] = {}
    for record in records:
        try:
            events.append((record, decode_event(record.value)))
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
            poison[record] = f"not an event: {type(error).__name__}"
    if poison:
        raise Poison(poison)
    return events


def distinct(event: Event, taxonomy: Taxonomy | None = None) -> list[Comment]:
    """The comments of an event, each text once, with the first language stated for it and the themes to look for."""
    found: dict[str, str | None] = {}
    for text, language in comments(event.body):
        found[text] = found.get(text) or language
    return [Comment(text, language, taxonomy) for text, language in found.items()]


def message(model: Model, record: Record, event: Event, score: Score) -> Message:
    """The score as it travels: beside its subject, with the event's receipt time and trace carried on."""
    said = ScoreEvent(tenant=event.tenant, subject=event.subject, model=str(model), received_at=event.received_at, score=score)
    received = received_header(event.received_at)
    carried = tuple(header for header in record.headers if header[0] != received[0])
    return Message(subject_key(event.tenant, event.subject), encode(said), (received, *carried))
