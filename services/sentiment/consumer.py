"""From `feedback.events` to `feedback.scores`: one score for each distinct comment of an event, sent before offsets move.

Events marked COMMENTS_LATER are skipped: ingest publishes them again, without the mark, when their comments are to be scored.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

import msgspec

from services.sentiment.domain.batching import parts
from services.sentiment.domain.scorer import Model, ScorerAway
from services.sentiment.domain.scoring import Comment, Unscorable
from services.sentiment.pool import Pool
from services.sentiment.taxonomy_cache import PreparedTaxonomies, Taxonomies
from shared import instruments
from shared.events import Event, Score, ScoreEvent, comments, decode_event, encode
from shared.kafka import Message, Poison, Record, Retry, received_at, received_header
from shared.taxonomy import Taxonomy
from shared.topics import COMMENTS_LATER, SCORES, Topic, subject_key

REST = 5.0
"""Seconds that events wait while the model can't score and doesn't say when it can."""


class Sender(Protocol):
    """The part of a producer that is needed here."""

    async def send_all(self, topic: Topic, messages: Sequence[Message]) -> object: ...


@dataclass(slots=True)
class Scoring:
    """The handler of `feedback.events`. Everything in it may be done twice: the same text gets the same score.

    The comments of a batch are scored in parts, and each part's scores are sent as soon as they are known.
    """

    pool: Pool
    sender: Sender
    taxonomies: Taxonomies | None = None
    """What themes to look for, by tenant; needed with a pool that finds themes."""
    moved_at: float = 0.0
    """When some comments were last scored, in time.monotonic(): a slow model is not a hung one."""
    _ready: PreparedTaxonomies | None = field(default=None, init=False)

    def __post_init__(self) -> None:
        self._ready = PreparedTaxonomies(self.taxonomies, self.pool.prepare) if self.taxonomies else None

    async def __call__(self, records: Sequence[Record]) -> None:
        events = decode([record for record in records if COMMENTS_LATER not in record.headers])
        wanted = [(record, event, comment) for record, event in events for comment in distinct(event)]
        poison: dict[Record, str] = {}
        for part in parts([(event.tenant, len(comment.text)) for _, event, comment in wanted]):
            poison |= await self._score([wanted[place] for place in part])
        if poison:
            raise Poison(poison)

    async def _score(self, wanted: Sequence[tuple[Record, Event, Comment]]) -> dict[Record, str]:
        """Score comments and send their scores. Where some can't be scored, send none: return their records with the reason."""
        try:
            taxonomies = await self._taxonomies({event.tenant for _, event, _ in wanted})
            comments = [comment._replace(taxonomy=taxonomies.get(event.tenant)) for _, event, comment in wanted]
            scores = await self.pool.score_comments(comments, self._step)
        except ScorerAway as away:
            raise Retry(REST if away.retry_after is None else away.retry_after, f"the model can't score: {away}") from away
        found = [(record, event, score) for (record, event, _), score in zip(wanted, scores, strict=True)]
        if poison := {record: score.reason for record, _, score in found if isinstance(score, Unscorable)}:
            return poison
        scored = [(record, event, score) for record, event, score in found if isinstance(score, Score)]
        await self.sender.send_all(SCORES, [message(self.pool.model, *one) for one in scored])
        for _, _, score in scored:
            instruments.SCORED.labels(str(self.pool.model), score.label or "none").inc()
        return {}

    async def _taxonomies(self, tenants: set[str]) -> dict[str, Taxonomy]:
        if self._ready is None or not self.pool.finds_themes:
            return {}
        return {tenant: await self._ready.of(tenant) for tenant in tenants}

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


def distinct(event: Event) -> list[Comment]:
    """The comments of an event, each text once, with the first language stated for it."""
    found: dict[str, str | None] = {}
    for text, language in comments(event.body):
        found[text] = found.get(text) or language
    return [Comment(text, language) for text, language in found.items()]


def message(model: Model, record: Record, event: Event, score: Score) -> Message:
    """The record of a score, under the key of its subject, with the headers of its event: receipt time and trace."""
    said = ScoreEvent(tenant=event.tenant, subject=event.subject, model=str(model), received_at=event.received_at, score=score)
    received = received_header(received_at(record.headers) or event.received_at)
    carried = tuple(header for header in record.headers if header[0] != received[0])
    return Message(subject_key(event.tenant, event.subject), encode(said), (received, *carried))
