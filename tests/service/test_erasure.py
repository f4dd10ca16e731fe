"""An erasure through ingest and metrics: nothing of the person is left in either database, verification agrees at every step, and
nobody else loses anything."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import asyncpg
import httpx
import pytest
from msgspec.structs import replace as changed
from pydantic import AnyHttpUrl, SecretStr
from structlog.testing import capture_logs

from services.ingest.domain.pseudonym import pseudonym_of_email, pseudonym_of_id
from services.metrics.clients.ingest import Ingest
from services.metrics.domain.query import Query
from services.metrics.purger import Purger
from services.metrics.verify.verification import StackVerification
from shared.events import Tombstone, comments, decode_event, encode
from shared.ingest import ingest_client
from tests.conftest import NewDatabase
from tests.service.ingest.client import TOKEN, IngestClient, running_ingest
from tests.service.metrics.database import MetricsDatabase, score_of, serving
from tests.service.metrics.database import open_metrics_db as opened_metrics
from tests.unit.ingest.making import comment, nps, response
from tests.unit.metrics.build import MODEL

ANNA, ADDRESS, WORDS = "c-anna-77", "anna.smith@example.org", "zebra-striped umbrella"
BEN, HIS_WORDS = "c-ben-12", "polka-dotted kettle"


@dataclass
class Stack:
    """Ingest, what it published, and metrics, which applies it."""

    ingest: IngestClient
    metrics: MetricsDatabase

    @property
    def inbox(self) -> asyncpg.Pool:
        pool: asyncpg.Pool = self.ingest.app.state.reads
        return pool

    async def post(self, record: dict[str, Any], key: str | None = None) -> str:
        headers = {"idempotency-key": key} if key else {}
        answer = await self.ingest.call("POST", "/v1/feedback", json=record, headers=headers)
        assert answer.status_code == 202, answer.text
        return str(answer.json()["status"])

    async def erase(self, customer: dict[str, str], key: str | None = None) -> str:
        record = {"type": "erasure", "id": "e", "at": datetime.now(UTC).isoformat(), "customer": customer}
        return await self.post(record, key)

    async def none(self, rows: str) -> None:
        """Return when ingest has no such rows."""
        for _ in range(400):
            if not await self.inbox.fetchval(f"SELECT count(*) FROM {rows}"):
                return
            await asyncio.sleep(0.05)
        raise AssertionError(rows)

    async def searched(self) -> None:
        """Return when no erasure is left to search for."""
        await self.none("erasures")

    async def applied(self) -> None:
        """Apply all that ingest publishes to metrics, each comment with a score."""
        await self.none("unpublished")
        events = self.ingest.broker.events
        self.ingest.broker.sent.clear()
        scores = [score_of(e.subject, text, 0.5, tenant=e.tenant) for e in events for text, _ in comments(e.body)]
        await self.metrics.apply(*events, *scores)

    async def purged(self) -> None:
        """Let metrics delete what nothing uses any more, as if days had gone by."""
        for _ in range(3):
            await self.metrics.pool.execute("UPDATE purges SET due = now()")
            await Purger(self.metrics.pool, timedelta(0)).step()

    async def differences(self) -> list[str]:
        transport = httpx.ASGITransport(self.ingest.app)
        async with (
            serving(self.metrics.url) as metrics,
            ingest_client(AnyHttpUrl("http://ingest.test"), SecretStr(TOKEN), transport=transport) as http,
        ):
            verification = StackVerification(Ingest(http), self.metrics.pool, metrics, MODEL, 0.0, lambda line: None, no_queries)
            return [difference for step in await verification.run() for difference in step.differences]


def no_queries(now: datetime, zone: ZoneInfo, own: Sequence[str]) -> list[Query]:
    return []


@pytest.fixture
async def stack(database: NewDatabase) -> AsyncIterator[Stack]:
    async with (
        running_ingest(await database("ingest"), connection_cache_seconds=0) as ingest,
        opened_metrics(await database("metrics")) as metrics,
    ):
        mine = replace(ingest, tenant="acme")
        await mine.call("PUT", "/internal/tenants/acme", json={"name": "Acme", "zone": "Europe/Berlin"})
        await metrics.tenant()
        yield Stack(mine, metrics)


async def places(pool: asyncpg.Pool, text: str) -> list[str]:
    """Every column of every table that holds `text`, in any case."""
    columns = await pool.fetch(
        "SELECT table_name, column_name, data_type FROM information_schema.columns WHERE table_schema = 'public'"
    )
    columns_with_text = []
    for table, column, kind in columns:
        as_text = f"encode({column}, 'escape')" if kind == "bytea" else f'"{column}"::text'
        query = f'SELECT count(*) FROM "{table}" WHERE position(lower($1) IN lower({as_text})) > 0'
        if await pool.fetchval(query, text):
            columns_with_text.append(f"{table}.{column}")
    return columns_with_text


async def left(stack: Stack, *texts: str) -> list[str]:
    return [
        f"{text}: {place}" for pool in (stack.inbox, stack.metrics.pool) for text in texts for place in await places(pool, text)
    ]


async def pseudonyms(stack: Stack) -> list[str]:
    key = (await stack.ingest.app.state.ingest.connections.built_in("acme")).key
    return [pseudonym_of_id(key, ANNA), pseudonym_of_email(key, ADDRESS)]


def answer(name: str, customer: dict[str, str] | None, words: str) -> dict[str, Any]:
    return response(nps(9), comment(words), id=name, **({"customer": customer} if customer else {}))


# --- verification agrees --------------------------------------------------------------------------------------------------
HERS = {"id": ANNA, "email": ADDRESS}
STEPS: dict[str, Callable[[Stack], Awaitable[str]]] = {
    "say": lambda stack: stack.post(answer("r", HERS, WORDS), "first"),
    "say again": lambda stack: stack.post(answer("r", HERS, WORDS)),
    "say without a name": lambda stack: stack.post(answer("r", None, WORDS)),
    "say elsewhere": lambda stack: stack.post(answer("r-2", {"email": ADDRESS}, WORDS)),
    "erase the id": lambda stack: stack.erase({"id": ANNA}),
    "erase the address": lambda stack: stack.erase({"email": ADDRESS}),
    "erase with a key": lambda stack: stack.erase({"id": ANNA}, "again"),
}


@pytest.mark.parametrize(
    "steps",
    [
        "say, erase the id, say again, erase the id",
        "say, erase the id, say again, erase the address, say again, erase the id",
        "say, say elsewhere, erase the address, say without a name, erase the id, say, say elsewhere",
        "say, erase with a key, erase with a key, say again, erase with a key, erase the id",
        "erase the id, say, say elsewhere, erase the address, erase the id, say elsewhere",
    ],
)
async def test_verification_agrees_after_each_of_many_erasures_and_late_deliveries(stack: Stack, steps: str) -> None:
    for step in steps.split(", "):
        await STEPS[step](stack)
        await stack.applied()
        assert await stack.differences() == []
    await stack.searched()
    assert await stack.differences() == []
    assert await left(stack, WORDS) == []


async def test_a_stack_that_an_earlier_version_left_unequal_becomes_equal(stack: Stack) -> None:
    """It kept every tombstone in metrics and the latest alone in ingest, and it stored what came late."""
    await STEPS["say"](stack)
    await STEPS["erase the id"](stack)
    await stack.applied()
    row = await stack.metrics.pool.fetchrow("SELECT * FROM statements")
    event = decode_event(row["body"])
    older = encode(changed(event, statement="older", seq=event.seq - 1))
    columns = (row["subject_id"], "older", row["revision"], row["seq"] - 1, row["position"], older)
    await stack.metrics.pool.execute("INSERT INTO statements VALUES ($1, $2, $3, $4, $5, $6)", *columns)
    assert await stack.differences() == []
    late = decode_event((await stack.inbox.fetchval("SELECT event FROM events")).encode())
    late = changed(late, statement="late", seq=900_001, customer=(await pseudonyms(stack))[0], body=late.body)
    await stack.inbox.execute(
        "INSERT INTO inbox VALUES (900001, 'acme', $1, 'late', now(), '{}', 'words', 'accepted', NULL, 1)", late.connection
    )
    await stack.inbox.execute(
        "INSERT INTO events VALUES (900001, 0, 'acme', $1, $2, NULL, now(), '\\x00', $3)",
        late.subject, late.customer, encode(late).decode(),
    )  # fmt: skip
    await stack.inbox.execute("SELECT setval('inbox_seq', 900001)")
    await STEPS["erase the id"](stack)
    await stack.applied()
    await stack.searched()
    assert [type(event.body) for event in await stack.ingest.events()] == [Tombstone]
    assert await stack.inbox.fetchval("SELECT raw FROM inbox WHERE seq = 900001") is None
    assert await stack.differences() == []


# --- nothing is left ------------------------------------------------------------------------------------------------------
def standard(record: Any) -> bytes:
    return json.dumps({"data": record}).encode()


async def deliver(stack: Stack, connection: dict[str, Any], body: bytes) -> str:
    response = await stack.ingest.deliver(connection, body)
    assert response.status_code == 202, response.text
    return str(response.json()["status"])


async def a_life(stack: Stack, customer: dict[str, str], words: str, prefix: str) -> dict[str, Any]:
    """Everything that ingest may keep of one person: read, not understood, not used and held back."""
    active, partial = await stack.ingest.connect(), await stack.ingest.connect("typeform")
    paused, zendesk = await stack.ingest.connect(), await stack.ingest.connect("zendesk")
    await stack.ingest.call("PATCH", f"/v1/connections/{paused['id']}", json={"paused": True})
    email = customer["email"]
    verdicts = [
        await stack.post(answer(f"{prefix}-1", customer, words)),
        await stack.post(answer(f"{prefix}-2", {"email": email.upper()}, words)),
        await deliver(stack, active, standard(answer(f"{prefix}-3", {"id": customer["id"]}, words))),
        await deliver(stack, active, standard(answer(f"{prefix}-4", customer, words) | {"at": "tomorrow"})),
        await deliver(stack, active, standard(answer(f"{prefix}-5", None, words) | {email: 1})),
        await deliver(stack, active, b'{"broken: "' + words.encode() + b'", "who": "' + customer["id"].encode() + b'"'),
        await deliver(stack, active, f"email={email.replace('@', '%40')}&words={words}".encode()),
        await deliver(
            stack,
            partial,
            json.dumps({"event_id": f"{prefix}-e", "event_type": "form_response_partial", "who": email, "said": words}).encode(),
        ),
        await deliver(
            stack,
            zendesk,
            b'{"earshot": 1, "id": "7", "status": "no status", "created_at": "2026-11-20T10:00Z", "requester": "'
            + customer["id"].encode()
            + b'", "updated_at": "2026-11-20T10:00Z", "comment": "she said "'
            + words.encode()
            + b'", twice"}',
        ),
        await deliver(stack, paused, standard(answer(f"{prefix}-6", customer, words))),
        await deliver(stack, active, standard(answer(f"{prefix}-3", None, words) | {"at": "tomorrow"})),
    ]
    assert verdicts == [*["accepted"] * 3, *["quarantined"] * 4, "ignored", "quarantined", "held", "quarantined"]
    return paused


async def test_after_an_erasure_no_column_of_any_table_holds_the_person_and_nobody_else_loses_anything(stack: Stack) -> None:
    with capture_logs() as logs:
        paused = await a_life(stack, {"id": ANNA, "email": ADDRESS}, WORDS, "anna")
        his = await a_life(stack, {"id": BEN, "email": "ben@example.org"}, HIS_WORDS, "ben")
        mentions = answer("mentions", {"id": BEN}, f"I know {ADDRESS} well")
        assert await stack.post(mentions) == "accepted"
        await stack.applied()
        before = await stack.inbox.fetch(
            "SELECT * FROM inbox WHERE position($1::bytea IN raw) > 0 ORDER BY seq", HIS_WORDS.encode()
        )
        quarantined = [
            row[0] for row in await stack.inbox.fetch("SELECT seq FROM inbox WHERE verdict = 'quarantined' ORDER BY seq")
        ]
        assert await left(stack, ANNA, ADDRESS, WORDS) != []

        assert await stack.erase({"id": ANNA}) == "accepted"
        await stack.searched()
        await stack.applied()
        await stack.purged()

        assert await left(stack, ANNA, ADDRESS, WORDS, *await pseudonyms(stack)) == []
        after = await stack.inbox.fetch(
            "SELECT * FROM inbox WHERE position($1::bytea IN raw) > 0 ORDER BY seq", HIS_WORDS.encode()
        )
        assert after == before
        assert len(after) == 10
        assert {event.subject.rpartition("/")[2] for event in await stack.ingest.events() if event.customer} == {
            "ben-1", "ben-2", "ben-3", "mentions",
        }  # fmt: skip
        verdicts = await stack.inbox.fetch("SELECT verdict, count(*) FROM inbox WHERE raw IS NULL GROUP BY 1 ORDER BY 1")
        assert [tuple(row) for row in verdicts] == [("accepted", 4), ("erased", 7)]
        again = [await stack.ingest.call("POST", f"/v1/quarantine/{seq}:retry") for seq in quarantined]
        assert [response.status_code for response in again] == [404] * 6 + [200] * 6

        for connection in (paused, his):
            await stack.ingest.call("PATCH", f"/v1/connections/{connection['id']}", json={"paused": False})
        await stack.none("inbox WHERE verdict = 'held'")
        for number in (1, 2):
            assert (
                await stack.post(answer(f"anna-{number}", {"id": ANNA, "email": ADDRESS}, WORDS), f"late-{number}") == "ignored"
            )
        assert await left(stack, ANNA, ADDRESS, WORDS) == []
        await stack.applied()
        assert await stack.differences() == []
    assert [word for word in (ANNA, ADDRESS, WORDS, BEN, *await pseudonyms(stack)) if word in str(logs)] == []
