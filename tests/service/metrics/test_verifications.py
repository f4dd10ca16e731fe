"""Verifications in the background: each tampered row is found, in pieces, and what is on its way is no difference."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

import httpx
import pytest
from pydantic import AnyHttpUrl, SecretStr

from services.metrics.clients.ingest import Ingest
from services.metrics.store import verifications as store
from services.metrics.store.progress import note_idle
from services.metrics.store.verifications import MOST_FINISHED, ComparedPiece, Verification
from services.metrics.verifier import TRIES, Verifier
from shared.ingest import ingest_client
from tests.service.metrics.database import TOKEN, MetricsDatabase, serving, survey_response
from tests.service.metrics.story import story
from tests.service.metrics.test_metrics import value
from tests.service.metrics.test_verify import TAMPERED, THIRD
from tests.service.metrics.verification import Inbox, ago
from tests.unit.metrics.build import nps

DAY = timedelta(days=1)


@pytest.fixture
async def metrics_db(metrics_with_story: MetricsDatabase) -> MetricsDatabase:
    """Metrics has applied the story, sealed it, and read all topics up to now."""
    await note_idle(metrics_with_story.pool, {("feedback.events", 0): 1}, datetime.now(UTC) + DAY)
    return metrics_with_story


@pytest.fixture
def inbox() -> Inbox:
    """Ingest's events."""
    return Inbox(story()[0])


@asynccontextmanager
async def opened(metrics_db: MetricsDatabase, inbox: Inbox, every: timedelta | None = DAY) -> AsyncIterator[Verifier]:
    transport = httpx.ASGITransport(inbox.app())
    async with ingest_client(AnyHttpUrl("http://ingest"), SecretStr(TOKEN), transport=transport) as http:
        yield Verifier(metrics_db.pool, Ingest(http), every, pause_ratio=0.0, retry_after=timedelta(0))


async def history(metrics_db: MetricsDatabase, tenant: str = "acme") -> list[Verification]:
    async with metrics_db.pool.acquire() as connection:
        return await store.history(connection, await connection.fetchval("SELECT id FROM tenants WHERE slug = $1", tenant))


async def verified(metrics_db: MetricsDatabase, inbox: Inbox) -> Verification:
    """The result of a whole verification."""
    async with opened(metrics_db, inbox) as verifier:
        while await verifier.step():
            pass
    [result] = await history(metrics_db)
    assert result.finished_at
    return result


async def test_nothing_differs_after_duplicates_edits_and_erasures(metrics_db: MetricsDatabase, inbox: Inbox) -> None:
    result = await verified(metrics_db, inbox)
    assert (result.differences, result.first_difference) == (0, None)
    assert (result.subjects, result.events) == (58, len(inbox.events))
    assert result.contributions == await metrics_db.pool.fetchval("SELECT count(*) FROM contributions")
    assert result.seals == await metrics_db.pool.fetchval("SELECT count(*) FROM seals WHERE state = 'sealed'") > 100


NOTICED = [
    "a score changed",
    "a contribution twice",
    "a histogram lost",
    "a histogram's counts",
    "a seal moved",
    "a statement lost",
    "a statement's words changed",
    "a subject lost",
]


@pytest.mark.parametrize("how", NOTICED)
async def test_one_row_tampered_with_is_found(metrics_db: MetricsDatabase, inbox: Inbox, how: str) -> None:
    assert (await metrics_db.pool.execute(TAMPERED[how][1])).endswith(" 1")
    result = await verified(metrics_db, inbox)
    assert result.differences >= 1
    assert result.first_difference


async def test_a_contribution_of_no_subject_is_found(metrics_db: MetricsDatabase, inbox: Inbox) -> None:
    await metrics_db.pool.execute(TAMPERED["a contribution of no subject"][1])
    assert (await verified(metrics_db, inbox)).first_difference == "1 contributions belong to no subject"


async def test_a_subject_that_cannot_be_folded_is_a_difference(metrics_db: MetricsDatabase, inbox: Inbox) -> None:
    huge = """replace(encode(body, 'escape'), '"value":', '"value":9999999999')::bytea"""
    await metrics_db.pool.execute(f"UPDATE statements SET body = {huge} WHERE subject_id = {THIRD}")
    result = await verified(metrics_db, inbox)
    assert result.first_difference == "c1/response/3: an amount or a bin is too large for its column"


async def test_a_difference_names_the_subject_and_its_first_contribution(metrics_db: MetricsDatabase, inbox: Inbox) -> None:
    await metrics_db.pool.execute(
        "DELETE FROM contributions WHERE subject_id = (SELECT id FROM subjects WHERE subject = 'c1/response/4')"
        " AND measure IN (SELECT id FROM measures WHERE name = 'nps')"
    )
    difference = (await verified(metrics_db, inbox)).first_difference
    assert difference
    assert difference.startswith("c1/response/4: 1 contributions missing, 0 too many; the first: nps at ")


async def test_an_event_that_metrics_never_got_is_found_once_it_can_no_longer_be_on_its_way(
    metrics_db: MetricsDatabase, inbox: Inbox
) -> None:
    lost = survey_response(77, nps(1), at=ago(1))
    inbox.events.append(lost)
    assert (await verified(metrics_db, inbox)).first_difference == f"{lost.subject}: isn't there"


async def compare_up_to_events(metrics_db: MetricsDatabase, verifier: Verifier) -> None:
    """Start the verification that is due, and compare everything but events."""
    while not (known := await history(metrics_db)) or known[0].part != "events":
        assert await verifier.step()


async def finishes(metrics_db: MetricsDatabase, verifier: Verifier, steps: int) -> bool:
    """Whether the verification is finished after so many steps."""
    for _ in range(steps):
        await verifier.step()
    return (await history(metrics_db))[0].finished_at is not None


async def test_an_event_in_transit_is_waited_for(metrics_db: MetricsDatabase, inbox: Inbox) -> None:
    late = survey_response(77, nps(1), at=ago(1))
    inbox.events.append(late)
    async with opened(metrics_db, inbox) as verifier:
        await compare_up_to_events(metrics_db, verifier)
        assert not await finishes(metrics_db, verifier, TRIES)
        await metrics_db.apply(late)
        assert await finishes(metrics_db, verifier, TRIES)
    assert (await history(metrics_db))[0].differences == 0


async def test_consumers_that_are_behind_raise_no_alarm(metrics_db: MetricsDatabase, inbox: Inbox) -> None:
    inbox.events.append(survey_response(77, nps(1), at=ago(1)))
    await metrics_db.pool.execute("UPDATE progress SET received_at = now() - interval '1 hour'")
    async with opened(metrics_db, inbox) as verifier:
        await compare_up_to_events(metrics_db, verifier)
        assert not await finishes(metrics_db, verifier, 3 * TRIES)
        await metrics_db.pool.execute("UPDATE progress SET received_at = now() + interval '1 hour'")
        assert await finishes(metrics_db, verifier, 2 * TRIES)
    assert (await history(metrics_db))[0].differences == 1


async def test_contributions_of_another_version_are_not_compared(metrics_db: MetricsDatabase, inbox: Inbox) -> None:
    async with opened(metrics_db, inbox) as verifier:
        assert await verifier.step()
        await metrics_db.pool.execute("UPDATE tenants SET contributions_version = contributions_version + 1")
        assert await verifier.step()
        assert not await verifier.step()  # postponed
    [waiting] = await history(metrics_db)
    assert (waiting.finished_at, waiting.subjects, waiting.differences) == (None, 0, 0)


async def test_a_verification_is_started_again_after_its_time_and_not_before(metrics_db: MetricsDatabase, inbox: Inbox) -> None:
    await verified(metrics_db, inbox)
    async with opened(metrics_db, inbox) as verifier:
        assert not await verifier.step()
        await metrics_db.pool.execute("UPDATE verifications SET started_at = started_at - interval '25 hours'")
        assert await verifier.step()
    async with opened(metrics_db, inbox, None) as verifier:
        while await verifier.step():
            pass
        await metrics_db.pool.execute("UPDATE verifications SET started_at = started_at - interval '25 hours'")
        assert not await verifier.step()
    assert len(await history(metrics_db)) == 2


async def test_a_piece_that_two_processes_compared_counts_once(metrics_db: MetricsDatabase, inbox: Inbox) -> None:
    async with metrics_db.pool.acquire() as connection:
        assert await store.start_due(connection, DAY)
        run = await store.claim(connection)
        assert run
        assert await store.claim(connection) is None
        for _ in range(2):
            await store.advance(connection, run, ComparedPiece("c1/response/1", subjects=1, differences=["one"]))
    [running] = await history(metrics_db)
    assert (running.subjects, running.differences) == (1, 1)


async def test_a_sample_compares_a_part_and_does_not_hide_an_earlier_difference(
    metrics_db: MetricsDatabase, inbox: Inbox
) -> None:
    await metrics_db.pool.execute("DELETE FROM contributions WHERE ctid = (SELECT min(ctid) FROM contributions)")
    assert (await verified(metrics_db, inbox)).differences
    async with opened(metrics_db, inbox, None) as verifier, metrics_db.pool.acquire() as connection:
        await store.start(connection, (await connection.fetchval("SELECT id FROM tenants")), 0.000_001)
        while await verifier.step():
            pass
    newest, _ = await history(metrics_db)
    assert newest.finished_at
    assert (newest.subjects, newest.seals, newest.events) == (0, 0, 0)
    async with serving(metrics_db.url) as http:
        scraped = await http.get("/metrics")
    assert value(scraped, "earshot_metrics_verify_differing_tenants") == 1
    assert 0 < value(scraped, "earshot_metrics_verify_age_seconds") < 600


async def test_the_latest_verifications_are_kept(metrics_db: MetricsDatabase, inbox: Inbox) -> None:
    await metrics_db.pool.execute(
        "INSERT INTO verifications (tenant, share, started_at, finished_at, part)"
        " SELECT t.id, 1, now() - interval '2 days', now(), 'events' FROM tenants t, generate_series(1, $1)",
        MOST_FINISHED + 5,
    )
    async with opened(metrics_db, inbox) as verifier:
        while await verifier.step():
            pass
    assert len(await history(metrics_db)) == MOST_FINISHED


async def test_a_verification_is_asked_for_over_http(metrics_db: MetricsDatabase, inbox: Inbox) -> None:
    async with serving(metrics_db.url) as http:
        assert (await http.get("/v1/verifications")).json() == {"verifications": []}
        started = await http.post("/v1/verifications", json={"share": 0.5})
        assert started.status_code == 202
        assert started.json() == (await http.post("/v1/verifications", json={})).json()
        async with opened(metrics_db, inbox, None) as verifier:
            while await verifier.step():
                pass
        [done] = (await http.get("/v1/verifications")).json()["verifications"]
        assert (started.json()["state"], done["state"], done["share"], done["differences"]) == ("running", "finished", 0.5, 0)
        assert 0 < done["subjects"] < 58
        refused = await http.post("/v1/verifications", json={"share": 0})
        assert refused.status_code == 422
        assert refused.json()["invalid_params"][0]["name"] == "share"


async def test_an_unknown_tenant_has_none(metrics_db: MetricsDatabase) -> None:
    async with serving(metrics_db.url, tenant="nobody") as http:
        assert (await http.get("/v1/verifications")).json() == {"verifications": []}
        assert (await http.post("/v1/verifications", json={})).status_code == 404
