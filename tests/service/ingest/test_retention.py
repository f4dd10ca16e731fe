"""`/v1/retention`: bodies are deleted by age, and their events stay."""

from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from services.ingest.inbox import retention
from tests.contract.inbox import until
from tests.service.ingest.client import IngestClient
from tests.service.ingest.test_health import RATING, change, submission
from tests.service.ingest.test_pausing import has_events, pause
from tests.service.ingest.test_quarantine import items
from tests.service.ingest.test_reread import published, reread

BODIES = "SELECT verdict, raw IS NOT NULL FROM inbox WHERE tenant = $1 ORDER BY seq"
IS_DONE = "SELECT due > now() + interval '30 minutes' FROM retention WHERE tenant = $1"
DEFAULT = {"body_days": None, "quarantine_days": None, "deleted_before": None, "changed_at": None}


def submission_of(token: str) -> bytes:
    """A submission from before every clock of these tests."""
    return submission(token, submitted_at="2024-01-01T00:00:00Z")


async def keep(ingest: IngestClient, **days: int | None) -> dict[str, Any]:
    answer = await ingest.call("PUT", "/v1/retention", json=days)
    assert answer.status_code == 200, answer.text
    setting: dict[str, Any] = answer.json()
    return setting


async def bodies(ingest: IngestClient) -> list[tuple[str, bool]]:
    """The verdict of each delivery, and whether it has a body."""
    return [(row[0], row[1]) for row in await ingest.app.state.reads.fetch(BODIES, ingest.tenant)]


async def is_done(ingest: IngestClient) -> bool:
    """Whether a pass has ended since the setting changed."""
    return bool(await ingest.app.state.reads.fetchval(IS_DONE, ingest.tenant))


async def replay(ingest: IngestClient, **selection: Any) -> httpx.Response:
    return await ingest.call("POST", "/v1/replay", json={"reread": True, **selection})


async def test_the_default_is_to_keep_and_a_change_is_returned(ingest: IngestClient) -> None:
    assert (await ingest.call("GET", "/v1/retention")).json() == DEFAULT
    setting = await keep(ingest, body_days=30)
    assert (setting["body_days"], setting["quarantine_days"]) == (30, None)
    assert setting["changed_at"]
    assert (await keep(ingest, body_days=30))["changed_at"] == setting["changed_at"], "nothing was changed"
    await until(lambda: is_done(ingest))
    after = (await ingest.call("GET", "/v1/retention")).json()
    assert {**after, "deleted_before": None} == setting
    assert after["deleted_before"]
    assert (await keep(ingest))["body_days"] is None


@pytest.mark.parametrize("wrong", [{"body_days": 0}, {"quarantine_days": 3651}, {"body_days": "x"}, {"days": 3}, []])
async def test_a_wrong_setting_is_refused(ingest: IngestClient, wrong: Any) -> None:
    answer = await ingest.call("PUT", "/v1/retention", json=wrong)
    assert answer.status_code == 422, answer.text
    assert (await ingest.call("GET", "/v1/retention")).json() == DEFAULT


async def test_an_unknown_tenant_has_no_setting(ingest: IngestClient) -> None:
    answer = await ingest.call("PUT", "/v1/retention", json={}, headers={"x-earshot-tenant": "somebody-else"})
    assert answer.status_code == 404


async def test_old_bodies_are_deleted_and_their_events_stay(ingest: IngestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retention, "STEP_BODIES", 2)
    now = datetime.now(UTC)
    connection = await ingest.connect("typeform")
    ingest.set_clock(now - timedelta(days=31))
    for number in range(5):
        await ingest.deliver(connection, submission_of(f"t-{number}"))
    assert (await ingest.deliver(connection, b"{")).json() == {"status": "quarantined"}
    ingest.set_clock(now - timedelta(days=29))
    await ingest.deliver(connection, submission_of("t-9"))
    ingest.set_clock(now)
    await published(ingest, 6)
    events = await ingest.events()
    await keep(ingest, body_days=30)
    await until(lambda: is_done(ingest))
    assert await bodies(ingest) == [("accepted", False)] * 5 + [("quarantined", True), ("accepted", True)]
    assert await ingest.events() == events
    [quarantined] = await items(ingest)
    assert (await ingest.call("GET", f"/v1/quarantine/{quarantined['id']}")).json()["body"] == "{"
    assert (await ingest.deliver(connection, submission_of("t-0"))).json() == {"status": "duplicate"}
    await change(ingest, connection, mapping=RATING)
    assert await reread(ingest, connection=connection["id"]) == 1
    answer = (await replay(ingest)).json()
    assert datetime.fromisoformat(answer["deleted_before"]) == now - timedelta(days=30)
    assert (await ingest.call("POST", "/v1/replay", json={})).json()["deliveries"] >= 5, "events are published as before"


async def test_a_reread_of_deleted_bodies_alone_is_refused_with_the_reason(ingest: IngestClient) -> None:
    await keep(ingest, body_days=30)
    await until(lambda: is_done(ingest))
    answer = await replay(ingest, until="2020-01-01T00:00:00Z")
    assert answer.status_code == 422
    [place] = answer.json()["invalid_params"]
    assert place["name"] == "until"
    assert "are deleted (GET /v1/retention)" in place["reason"]
    assert (await replay(ingest, since="2020-01-01T00:00:00Z")).status_code == 202


async def test_quarantined_deliveries_are_discarded_by_a_rule_of_their_own(ingest: IngestClient) -> None:
    now = datetime.now(UTC)
    connection = await ingest.connect("typeform")
    ingest.set_clock(now - timedelta(days=91))
    await ingest.deliver(connection, b"{")
    ingest.set_clock(now - timedelta(days=31))
    await ingest.deliver(connection, b"[")
    await ingest.deliver(connection, submission_of("t-1"))
    ingest.set_clock(now)
    await keep(ingest, quarantine_days=90)
    await until(lambda: is_done(ingest))
    assert await bodies(ingest) == [("discarded", False), ("quarantined", True), ("accepted", True)]
    assert len(await items(ingest)) == 1
    [discarded] = await items(ingest, verdict="discarded")
    assert discarded["reason"]
    assert (await ingest.call("GET", "/v1/retention")).json()["deleted_before"] is None


async def test_an_erasure_keeps_its_receipt_and_its_key(ingest: IngestClient) -> None:
    now = datetime.now(UTC)
    ingest.set_clock(now - timedelta(days=31))
    key = {"idempotency-key": "k-1"}
    erased = await ingest.call("POST", "/v1/customers:erase", json={"id": "anna"}, headers=key)
    assert erased.status_code in (200, 202), erased.text
    ingest.set_clock(now)
    await keep(ingest, body_days=30)
    await until(lambda: is_done(ingest))
    assert (await ingest.call("POST", "/v1/customers:erase", json={"id": "anna"}, headers=key)).json() == erased.json()
    other = await ingest.call("POST", "/v1/customers:erase", json={"id": "ben"}, headers=key)
    assert other.status_code == 422


async def test_a_held_delivery_stays_until_it_is_read(ingest: IngestClient) -> None:
    now = datetime.now(UTC)
    connection = await ingest.connect("typeform")
    await pause(ingest, connection, True)
    ingest.set_clock(now - timedelta(days=400))
    assert (await ingest.deliver(connection, submission_of("t-1"))).json() == {"status": "held"}
    ingest.set_clock(now)
    await keep(ingest, body_days=1, quarantine_days=1)
    await until(lambda: is_done(ingest))
    assert await bodies(ingest) == [("held", True)]
    await pause(ingest, connection, False)
    await until(lambda: has_events(ingest, 1))
    await keep(ingest, body_days=2, quarantine_days=1)
    await until(lambda: is_done(ingest))
    assert await bodies(ingest) == [("accepted", False)]
