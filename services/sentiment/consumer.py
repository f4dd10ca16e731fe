"""The handler of `feedback.events`: score each distinct comment of an event, and send the score to `feedback.scores`.

Events with the header COMMENTS_LATER are skipped: ingest publishes them again without it when their comments may be scored.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

import msgspec

from services.sentiment import instruments
from services.sentiment.domain.batching import parts
from services.sentiment.domain.scorer import Model, ScorerUnavailable
from services.sentiment.domain.scoring import Comment, Unscorable
from services.sentiment.pool import Pool
from services.sentiment.taxonomy_cache import PreparedTaxonomies, Taxonomies
from shared.events import Event, Score, ScoreEvent, comments, decode_event, encode
from shared.kafka import IncomingRecord, OutgoingRecord, Poison, Retry, received_at, received_header
from shared.taxonomy import Taxonomy
from shared.topics import COMMENTS_LATER, SCORES, Topic, subject_key

RETRY_SECONDS = 5.0
"""Delay of a retry if the model states none."""


class Sender(Protocol):
    """The part of a Producer that is needed here."""

    async def send_all(self, topic: Topic, messages: Sequence[OutgoingRecord]) -> object:
        """Send messages and wait until the broker has them all. Raises Undelivered if it does not confirm one."""
        ...


@dataclass(slots=True)
class ScoringHandler:
    """Scores the comments of a batch in parts, and sends the scores of each part at once.

    Idempotent: equal texts get equal scores.
    """

    pool: Pool
    sender: Sender
    taxonomies: Taxonomies | None = None
    """The tenants' taxonomies; required with a pool that finds themes."""
    progressed_at: float = 0.0
    """When comments were last scored, in time.monotonic(): a slow model does not count as hung."""
    _prepared: PreparedTaxonomies | None = field(default=None, init=False)

    def __post_init__(self) -> None:
        self._prepared = PreparedTaxonomies(self.taxonomies, self.pool.prepare) if self.taxonomies else None

    async def __call__(self, records: Sequence[IncomingRecord]) -> None:
        events = decode([record for record in records if COMMENTS_LATER not in record.headers])
        items = [(record, event, comment) for record, event in events for comment in distinct_comments(event)]
        poison: dict[IncomingRecord, str] = {}
        for part in parts([(event.tenant, len(comment.text)) for _, event, comment in items]):
            poison |= await self._score([items[index] for index in part])
        if poison:
            raise Poison(poison)

    async def _score(self, items: Sequence[tuple[IncomingRecord, Event, Comment]]) -> dict[IncomingRecord, str]:
        """Score comments and send their scores. If some can't be scored, send none and return their records with the reason."""
        try:
            taxonomies = await self._taxonomies({event.tenant for _, event, _ in items})
            comments = [comment._replace(taxonomy=taxonomies.get(event.tenant)) for _, event, comment in items]
            scores = await self.pool.score_comments(comments, self._note_progress)
        except ScorerUnavailable as error:
            delay = RETRY_SECONDS if error.retry_after is None else error.retry_after
            raise Retry(delay, f"the model can't score: {error}") from error
        results = [(record, event, score) for (record, event, _), score in zip(items, scores, strict=True)]
        if poison := {record: score.reason for record, _, score in results if isinstance(score, Unscorable)}:
            return poison
        scored = [(record, event, score) for record, event, score in results if isinstance(score, Score)]
        await self.sender.send_all(SCORES, [message(self.pool.model, *one) for one in scored])
        for _, _, score in scored:
            instruments.SCORED.labels(str(self.pool.model), score.label or "none").inc()
        return {}

    async def _taxonomies(self, tenants: set[str]) -> dict[str, Taxonomy]:
        if self._prepared is None or not self.pool.finds_themes:
            return {}
        return {tenant: await self._prepared.of(tenant) for tenant in tenants}

    def _note_progress(self) -> None:
        self.progressed_at = time.monotonic()


def decode(records: Sequence[IncomingRecord]) -> list[tuple[IncomingRecord, Event]]:
    """The events in `records`. Raises Poison naming all records that are no events."""
    events: list[tuple[IncomingRecord, Event]] = []
    poison: dict[IncomingRecord, str] = {}
    for record in records:
        try:
            events.append((record, decode_event(record.value)))
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
            poison[record] = f"not an event: {type(error).__name__}"
    if poison:
        raise Poison(poison)
    return events


def distinct_comments(event: Event) -> list[Comment]:
    """The comments of an event, each text once, with the first language that is stated for it."""
    languages: dict[str, str | None] = {}
    for text, language in comments(event.body):
        languages[text] = languages.get(text) or language
    return [Comment(text, language) for text, language in languages.items()]


def message(model: Model, record: IncomingRecord, event: Event, score: Score) -> OutgoingRecord:
    """The message of a score, with the key of its subject and the headers of its event: receipt time, request id and trace."""
    body = ScoreEvent(tenant=event.tenant, subject=event.subject, model=str(model), received_at=event.received_at, score=score)
    received = received_header(received_at(record.headers) or event.received_at)
    others = tuple(header for header in record.headers if header[0] != received[0])
    return OutgoingRecord(subject_key(event.tenant, event.subject), encode(body), (received, *others))
