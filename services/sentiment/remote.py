"""A customer's own model server as a scorer: batches over HTTP, by the contract in docs/sentiment.md.

ScorerUnavailable  it is unreachable, busy, refuses us, or is another model than the settings name: the texts are sound
Refused     it refuses this batch, or its response is malformed: halving finds the text on which it fails
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

from services.sentiment.domain.scorer import Model, Opinion, ScorerUnavailable
from services.sentiment.settings import Settings
from shared.events import Label
from shared.service_client import ThreadedServiceClient

log = structlog.get_logger()

REFUSALS = frozenset({400, 413, 422, 500})
"""Statuses that a text can cause. 500 is one of them: a server that fails on a text may return it at every attempt."""
ATTEMPTS = 3
"""A 500 counts as the fault of a text after this many requests with that text alone."""
MIN_RETRY_SECONDS, MAX_RETRY_SECONDS = 1.0, 300.0
"""Bounds of a server's `Retry-After`."""
ENVELOPE, OPINION = 16 * 1024, 1024
"""Bytes of a response at most: for the whole, and for each score."""


class Refused(Exception):
    """The server does not score this batch."""


class RemoteScoreRequest(Struct, frozen=True):
    texts: Sequence[str]


class RemoteOpinion(Struct, frozen=True):
    label: Label
    score: Annotated[float, Meta(ge=-1, le=1)]
    confidence: Annotated[float, Meta(ge=0, le=1)]
    mixed: bool = False


class RemoteModel(Struct, frozen=True):
    id: str
    version: str


class RemoteScoreResponse(Struct, frozen=True):
    model: RemoteModel
    scores: list[RemoteOpinion]


ENCODER, DECODER = msgspec.json.Encoder(), msgspec.json.Decoder(RemoteScoreResponse)
JSON = {"Content-Type": "application/json"}


def now() -> datetime:
    """The current time in UTC."""
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class RemoteScorer:
    """Scores with the server at `url`, at most `batch` texts per request. The client has the token and the time-outs.

    `deadline`: seconds within which a response must be complete. `model`: the name that responses must have, under which scores
    are stored.
    """

    client: httpx.Client
    url: str
    model: Model
    batch: int = 32
    deadline: float = 10.0
    clock: Callable[[], datetime] = now

    def score(self, texts: Sequence[str]) -> list[Opinion]:
        """One opinion for each text. Raises ScorerUnavailable or Refused; the first batch that fails ends the call."""
        return [
            opinion for start in range(0, len(texts), self.batch) for opinion in self._opinions(texts[start : start + self.batch])
        ]

    def close(self) -> None:
        """Close the connections. A request in progress raises ScorerUnavailable."""
        self.client.close()

    def _opinions(self, texts: Sequence[str]) -> list[Opinion]:
        response = self._request(texts)
        if response.model != RemoteModel(self.model.id, self.model.version):
            raise self._unavailable("the server has another model")
        if len(response.scores) != len(texts):
            raise Refused(f"{len(response.scores)} scores for {len(texts)} texts")
        return [Opinion(one.label, round(one.score, 4), round(one.confidence, 4), one.mixed) for one in response.scores]

    def _request(self, texts: Sequence[str]) -> RemoteScoreResponse:
        status, body = self._post(texts)
        retries = ATTEMPTS - 1 if len(texts) == 1 else 0
        while status == 500 and retries:
            status, body = self._post(texts)
            retries -= 1
        if status in REFUSALS:
            raise Refused(f"status {status}")
        try:
            return DECODER.decode(body)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
            raise Refused(f"a malformed response: {type(error).__name__}") from None  # the error may quote the texts

    def _post(self, texts: Sequence[str]) -> tuple[int, bytes]:
        """Status and body of a response with 200 or one of REFUSALS. Raises ScorerUnavailable for any other."""
        began = time.monotonic()
        with (
            self._reaching_server(),
            self.client.stream("POST", self.url, content=ENCODER.encode(RemoteScoreRequest(texts)), headers=JSON) as response,
        ):
            if response.status_code in REFUSALS:
                return response.status_code, b""
            if response.status_code != 200:
                raise self._unavailable(
                    f"status {response.status_code}", parse_retry_after(response.headers.get("retry-after"), self.clock())
                )
            body = bytearray()
            for part in response.iter_raw():
                body += part
                if len(body) > ENVELOPE + OPINION * len(texts):
                    raise Refused("the response is too long")
                if time.monotonic() - began > self.deadline:
                    raise self._unavailable("the response is too slow")
            return 200, bytes(body)

    @contextmanager
    def _reaching_server(self) -> Iterator[None]:
        try:
            yield
        except (httpx.RequestError, RuntimeError) as error:  # RuntimeError: the client was closed while a thread used it
            raise self._unavailable(type(error).__name__) from None  # httpx's errors hold the request, and so the texts

    def _unavailable(self, reason: str, retry_after: float | None = None) -> ScorerUnavailable:
        log.warning("scorer.unavailable", model=str(self.model), reason=reason, retry_after=retry_after)
        return ScorerUnavailable(reason, retry_after)


def parse_retry_after(header: str | None, now: datetime) -> float | None:
    """Seconds of a `Retry-After` (RFC 9110, 10.2.3: seconds or a date), within bounds; None if it is missing or malformed."""
    value = (header or "").strip()
    if value.isascii() and value.isdigit():
        return bounded(float(value))
    try:
        at = parsedate_to_datetime(value)
        seconds = ((at if at.tzinfo else at.replace(tzinfo=UTC)) - now).total_seconds()
    except (ValueError, OverflowError):
        return None
    return bounded(seconds)


def bounded(seconds: float) -> float:
    """The seconds within MIN_RETRY_SECONDS and MAX_RETRY_SECONDS."""
    return min(max(seconds, MIN_RETRY_SECONDS), MAX_RETRY_SECONDS)


def remote_scorer_of(settings: Settings) -> RemoteScorer:
    """The scorer for SENTIMENT_SCORER=http, with a connection for each scoring thread."""
    token = settings.scorer_token.get_secret_value()
    headers = {"Accept-Encoding": "identity"} | ({"Authorization": f"Bearer {token}"} if token else {})
    limits = httpx.Limits(max_connections=settings.threads, keepalive_expiry=4.0)
    return RemoteScorer(
        ThreadedServiceClient(headers=headers, timeout=settings.scorer_timeout, limits=limits),
        url=str(settings.scorer_url),
        model=Model(settings.scorer_model or "", settings.scorer_version or ""),
        batch=settings.scorer_batch,
        deadline=settings.scorer_timeout,
    )
