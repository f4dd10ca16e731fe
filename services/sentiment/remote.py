"""A company's own model server as a scorer: batches over HTTP. docs/sentiment.md tells the contract.

ScorerAway  it can't be reached, is busy, refuses us, or is another model than we were told: nothing is wrong with the texts
Refused     it doesn't take this batch, or its answer makes no sense: halving finds the text that it fails on
"""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Annotated

import httpx
import msgspec
import structlog
from msgspec import Meta, Struct

from services.sentiment.domain.scorer import Model, Opinion, ScorerAway
from services.sentiment.settings import Settings
from shared.events import Label

log = structlog.get_logger()

REFUSALS = frozenset({400, 413, 422, 500})
"""What a text may be to blame for. 500 too: a server that stumbles over one says no more, and would for ever."""
STUMBLES = 3
"""So often a text alone is asked for, before a 500 is taken for its fault."""
SHORTEST_REST, LONGEST_REST = 1.0, 300.0
"""Seconds: whatever rest a server asks for, it gets so much at least, and is tried again after so much."""
ENVELOPE, OPINION = 16 * 1024, 1024
"""Bytes that an answer may have, besides those for each opinion."""


class Refused(Exception):
    """The server doesn't score this batch."""


class Asked(Struct, frozen=True):
    texts: Sequence[str]


class OpinionSaid(Struct, frozen=True):
    label: Label
    score: Annotated[float, Meta(ge=-1, le=1)]
    confidence: Annotated[float, Meta(ge=0, le=1)]
    mixed: bool = False


class ModelSaid(Struct, frozen=True):
    id: str
    version: str


class Answer(Struct, frozen=True):
    model: ModelSaid
    scores: list[OpinionSaid]


ENCODER, DECODER = msgspec.json.Encoder(), msgspec.json.Decoder(Answer)
JSON = {"Content-Type": "application/json"}


def now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class RemoteScorer:
    """Asks the server at `url`, at most `batch` texts at a time; the token and the time-out of each step are the client's.

    `deadline`: seconds until an answer has to be complete. `model` is what the server has to call itself: whatever else
    answers is not what its scores would be stored as.
    """

    client: httpx.Client
    url: str
    model: Model
    batch: int = 32
    deadline: float = 10.0
    clock: Callable[[], datetime] = now

    def score(self, texts: Sequence[str]) -> list[Opinion]:
        return [
            opinion for start in range(0, len(texts), self.batch) for opinion in self._opinions(texts[start : start + self.batch])
        ]

    def close(self) -> None:
        self.client.close()

    def _opinions(self, texts: Sequence[str]) -> list[Opinion]:
        answer = self._asked(texts)
        if answer.model != ModelSaid(*self.model):
            raise self._away("another model answers")
        if len(answer.scores) != len(texts):
            raise Refused(f"{len(answer.scores)} scores for {len(texts)} texts")
        return [Opinion(said.label, round(said.score, 4), round(said.confidence, 4), said.mixed) for said in answer.scores]

    def _asked(self, texts: Sequence[str]) -> Answer:
        status, body = self._posted(texts)
        again = STUMBLES - 1 if len(texts) == 1 else 0
        while status == 500 and again:
            status, body = self._posted(texts)
            again -= 1
        if status in REFUSALS:
            raise Refused(f"status {status}")
        try:
            return DECODER.decode(body)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
            raise Refused(f"no answer of ours: {type(error).__name__}") from None  # its message may quote the texts

    def _posted(self, texts: Sequence[str]) -> tuple[int, bytes]:
        """Status and body of an answer that is 200 or one of REFUSALS; anything else is away."""
        began = time.monotonic()
        with self._reached(), self.client.stream("POST", self.url, content=ENCODER.encode(Asked(texts)), headers=JSON) as answer:
            if answer.status_code in REFUSALS:
                return answer.status_code, b""
            if answer.status_code != 200:
                raise self._away(f"status {answer.status_code}", resting(answer.headers.get("retry-after"), self.clock()))
            body = bytearray()
            for part in answer.iter_raw():
                body += part
                if len(body) > ENVELOPE + OPINION * len(texts):
                    raise Refused("an answer too long")
                if time.monotonic() - began > self.deadline:
                    raise self._away("an answer too slow")
            return 200, bytes(body)

    @contextmanager
    def _reached(self) -> Iterator[None]:
        try:
            yield
        except (httpx.RequestError, RuntimeError) as error:  # RuntimeError: the client was closed under a thread still at work
            raise self._away(type(error).__name__) from None  # an error of httpx carries the request, and with it the texts

    def _away(self, reason: str, retry_after: float | None = None) -> ScorerAway:
        log.warning("scorer.away", model=str(self.model), reason=reason, retry_after=retry_after)
        return ScorerAway(reason, retry_after)


def resting(header: str | None, now: datetime) -> float | None:
    """Seconds that a `Retry-After` (RFC 9110, 10.2.3: seconds or a date) asks for, within bounds; None: none that can be read."""
    given = (header or "").strip()
    if given.isascii() and given.isdigit():
        return within_reason(float(given))
    try:
        at = parsedate_to_datetime(given)
        seconds = ((at if at.tzinfo else at.replace(tzinfo=UTC)) - now).total_seconds()
    except (ValueError, OverflowError):
        return None
    return within_reason(seconds)


def within_reason(seconds: float) -> float:
    return min(max(seconds, SHORTEST_REST), LONGEST_REST)


def remote_of(settings: Settings) -> RemoteScorer:
    """The scorer that SENTIMENT_SCORER=http stands for, with a connection for each thread that scores."""
    token = settings.scorer_token.get_secret_value()
    headers = {"Accept-Encoding": "identity"} | ({"Authorization": f"Bearer {token}"} if token else {})
    limits = httpx.Limits(max_connections=settings.threads, keepalive_expiry=4.0)
    return RemoteScorer(
        httpx.Client(headers=headers, timeout=settings.scorer_timeout, limits=limits),
        url=str(settings.scorer_url),
        model=Model(settings.scorer_model or "", settings.scorer_version or ""),
        batch=settings.scorer_batch,
        deadline=settings.scorer_timeout,
    )
