"""Helpers of the tests of metrics: a database with its writer, statements with defaults, the service over HTTP."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from unittest.mock import patch

import asyncpg
import httpx
from fastapi import FastAPI
from pydantic import SecretStr

from services.metrics.announcer import Sender
from services.metrics.app import create_app
from services.metrics.consumer import kind
from services.metrics.sealer import Sealer
from services.metrics.settings import Settings
from services.metrics.store import counting_cuboids
from services.metrics.store.progress import Change, Partition, Reached
from services.metrics.store.stored_rows import STORED, plain, stored_plain
from services.metrics.store.tenants import put_tenant
from services.metrics.store.writer import DecodedBatch, Writer
from shared.database import open_pool
from shared.events import Answer, Body, Event, Response, Score, ScoreEvent, ThemeScore, Tombstone, text_hash
from shared.kafka import OutgoingRecord
from shared.topics import EVENTS, SCORES, Topic
from tests.conftest import NewDatabase
from tests.table_reset import all_tables, empty_tables, restart_sequences
from tests.unit.metrics.build import MODEL, rows

TOKEN = "a-token-for-tests-only"
ALL = STORED.replace("c.subject_id = ANY($1)", "true")


@dataclass
class MetricsDatabase:
    """A database of metrics with its writer."""

    url: str
    pool: asyncpg.Pool
    writer: Writer

    async def apply(self, *records: Event | ScoreEvent) -> None:
        """Write one batch."""
        await self.writer.apply(batch(*records))

    async def contributions(self) -> Counter[tuple[Any, ...]]:
        """All stored contributions, with names instead of numbers, each after the numbers of its subject and tenant."""
        return Counter(stored_plain(tuple(row)[3:]) for row in await self.pool.fetch(ALL))

    async def subjects(self) -> list[tuple[str, bool]]:
        return [tuple(row) for row in await self.pool.fetch("SELECT subject, erased FROM subjects ORDER BY subject")]

    async def tenant(self, slug: str = "acme", zone: str = "Europe/Berlin") -> None:
        await put_tenant(self.pool, slug, slug.title(), zone, MODEL, datetime.now(UTC))

    async def seal(self, now: datetime | None = None, fewest: int = 1, most_bins: float = 1000.0) -> int:
        """Seal all spans that can be sealed. Returns how many.

        Those with at least `fewest` contributions hold every cuboid that has up to `most_bins` bins for each contribution.
        """
        sealer = Sealer(self.pool, timedelta(0), 1.0, clock=lambda: now or datetime.now(UTC))
        await self.pool.execute("UPDATE sealing SET due = '-infinity'")  # `now` may be later than at the last call
        seals = 0
        with patch.object(counting_cuboids, "FEWEST", fewest), patch.object(counting_cuboids, "MOST_BINS", most_bins):
            while sealed := await sealer.round():
                seals += sealed
        return seals


def batch(*records: Event | ScoreEvent, reached: Mapping[Partition, Reached] | None = None) -> DecodedBatch:
    """One batch, as if every record came from partition 0 of its topic."""
    events = [record for record in records if isinstance(record, Event)]
    scores = [record for record in records if isinstance(record, ScoreEvent)]
    changes = {Change(one.tenant, EVENTS.name, 0, kind(one)) for one in events}
    changes |= {Change(one.tenant, SCORES.name, 0, kind(one)) for one in scores}
    return DecodedBatch(events, scores, reached or {}, changes)


@asynccontextmanager
async def open_metrics_db(url: str) -> AsyncIterator[MetricsDatabase]:
    async with open_pool(url, 14) as pool:
        yield MetricsDatabase(url, pool, Writer(pool))


@asynccontextmanager
async def open_empty_metrics_db(database: NewDatabase, empty_databases: list[str]) -> AsyncIterator[MetricsDatabase]:
    """One of the empty databases, or a new one. At the end it is emptied, and added to them."""
    url = empty_databases.pop() if empty_databases else await database("metrics")
    async with open_metrics_db(url) as metrics_db:
        yield metrics_db
        await empty(metrics_db.pool)
    empty_databases.append(url)


async def empty(pool: asyncpg.Pool) -> None:
    """Delete all rows, and restart all numbers. Raises an error if a connection of the test still holds a lock."""
    async with pool.acquire() as connection:
        await empty_tables(connection, await all_tables(connection))
        await restart_sequences(connection)


class SilentProducer:
    """A producer that sends nothing."""

    async def send_all(self, topic: Topic, messages: list[OutgoingRecord]) -> None:
        pass


def headers_of(tenant: str) -> dict[str, str]:
    """The headers of a request that another service makes for `tenant`."""
    return {"Authorization": f"Bearer {TOKEN}", "X-Earshot-Tenant": tenant}


@asynccontextmanager
async def running_app(
    url: str, now: datetime | None = None, sender: Sender | None = None, model: str = MODEL, **options: Any
) -> AsyncIterator[FastAPI]:
    """The started app, without consumer and sealer. The parameters are those of `serving`."""
    settings = Settings(
        database_url=SecretStr(url), internal_token=SecretStr(TOKEN), consume=False, seal=False, sentiment_model=model, **options
    )
    app = create_app(settings, clock=lambda: now or datetime.now(UTC), sender=sender or SilentProducer())
    async with app.router.lifespan_context(app):
        yield app


@asynccontextmanager
async def serving(
    url: str, now: datetime | None = None, tenant: str = "acme", sender: Sender | None = None, model: str = MODEL, **options: Any
) -> AsyncIterator[httpx.AsyncClient]:
    """A client of the service, without consumer and sealer, that calls for `tenant`.

    `now` is its clock, `sender` receives its announcements, `model` is its default model; `options` are further settings.
    """
    async with running_app(url, now, sender, model, **options) as app:
        transport = httpx.ASGITransport(app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://metrics", headers=headers_of(tenant)) as http:
            yield http


def expected(events: Iterable[Event], scores: Iterable[ScoreEvent] = ()) -> Counter[tuple[Any, ...]]:
    """The contributions of these statements, derived by the domain alone."""
    by_comment = {(score.model, score.score.text_hash): score.score for score in scores}
    return Counter(plain(row) for row in rows(*events, scores=by_comment))


def survey_response(number: int, *answers: Answer, at: datetime, revision: int = 1, **fields: Any) -> Event:
    """A statement of survey response `number`; one with a higher `revision` replaces the earlier ones."""
    values = {"at": at, "seq": number, "revision": revision, **fields}
    return statement(f"c1/response/{number}", Response(at=at, answers=answers), **values)


def statement(subject: str, body: Body, *, at: datetime, seq: int = 1, **fields: Any) -> Event:
    defaults: dict[str, Any] = {"tenant": "acme", "statement": f"d{seq}", "connection": "c1", "source": "standard"}
    return Event(subject=subject, body=body, at=at, received_at=at, seq=seq, **{**defaults, **fields})


def erasure(subject: str, at: datetime) -> Event:
    return statement(subject, Tombstone(), at=at, seq=999, statement="erasure")


def score_of(subject: str, text: str, value: float, model: str = MODEL, **fields: Any) -> ScoreEvent:
    label: Any = "positive" if value > 0 else "negative" if value < 0 else "neutral"
    defaults = {"confidence": 0.9, "themes": (), "taxonomy": 0, "urgency": ()}
    of_score = {name: fields.pop(name, default) for name, default in defaults.items()}
    score = Score(label=label, score=value, text_hash=text_hash(text), **of_score)
    return ScoreEvent(
        **{"tenant": "acme", "subject": subject, "model": model, "received_at": datetime.now(UTC), "score": score, **fields}
    )


def lists_of(number: int) -> dict[str, Any]:
    """Themes and urgency of a score that differ from number to number: none, one or two of each."""
    themes, urgency = (ThemeScore("delivery", 0.0), ThemeScore("price", 0.0)), ("safety", "outage")
    return {"themes": themes[: number % 3], "urgency": urgency[: number // 2 % 3]}


async def waiting_for_locks(pool: asyncpg.Pool, count: int) -> None:
    """Return when `count` statements in this database wait for a lock."""
    for _ in range(1000):
        waiting = await pool.fetchval(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
        )
        if waiting == count:
            return
        await asyncio.sleep(0.01)
    raise AssertionError(f"{waiting} statements wait for a lock, not {count}")
