"""The health of a connection: its deliveries of the last day, and the questions that its mapping leaves out."""

import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from structlog.testing import capture_logs

from tests.conftest import NewDatabase
from tests.contract.inbox import until
from tests.service.ingest.client import IngestClient, running_ingest
from tests.unit.ingest.making import nps, response

RATING = {"questions": {"satisfied": {"kind": "csat", "scale": [1, 5]}}}


def submission(token: str = "t-1", value: int = 4, **fields: Any) -> bytes:
    """A Typeform submission with an answer to a rating question and one to a name."""
    questions = [
        {"id": "f-sat", "ref": "satisfied", "type": "rating", "title": "How satisfied\nare you, jo@example.org?"},
        {"id": "f-name", "ref": "name", "type": "short_text", "title": "First name"},
    ]
    rating = {"type": "number", "number": value, "field": questions[0]}
    name = {"type": "text", "text": "Jane", "field": questions[1]}
    form = {
        "form_id": "f",
        "token": token,
        "submitted_at": "2026-11-20T10:00:00Z",
        "definition": {"fields": questions},
        "answers": [rating, name],
        **fields,
    }
    return json.dumps({"event_id": f"e-{token}", "event_type": "form_response", "form_response": form}).encode()


async def health(ingest: IngestClient, connection: dict[str, Any]) -> dict[str, Any]:
    view: dict[str, Any] = (await ingest.call("GET", f"/v1/connections/{connection['id']}")).json()["health"]
    return view


def counts(view: dict[str, Any]) -> dict[str, int]:
    """The counts that are not 0."""
    return {name.removesuffix("_24h"): count for name, count in view.items() if name.endswith("_24h") and count}


async def change(ingest: IngestClient, connection: dict[str, Any], **changes: Any) -> None:
    answer = await ingest.call("PATCH", f"/v1/connections/{connection['id']}", json=changes)
    assert answer.status_code == 200, answer.text


@pytest.fixture
async def two_replicas(database: NewDatabase) -> AsyncIterator[tuple[IngestClient, IngestClient]]:
    url = await database("ingest")
    async with (
        running_ingest(url, connection_cache_seconds=0) as first,
        running_ingest(url, connection_cache_seconds=0) as second,
    ):
        await first.call("PUT", "/internal/tenants/acme", json={"name": "Acme", "zone": "Europe/Berlin"})
        yield first, second


async def test_a_new_connection_has_received_nothing(ingest: IngestClient) -> None:
    made = await ingest.connect("typeform", mapping=RATING)
    assert made["health"] == {
        "last_delivery": None,
        "accepted_24h": 0,
        "duplicate_24h": 0,
        "ignored_24h": 0,
        "refused_24h": 0,
        "quarantined_24h": 0,
        "unmapped": [],
        "unused_mapping": {"questions": [], "dimensions": []},
        "own_dimensions": [],
        "rereading": False,
        "backfill": None,
        "api": None,
    }


async def test_every_outcome_of_a_delivery_is_counted(ingest: IngestClient) -> None:
    connection = await ingest.connect()
    hook = f"/v1/hooks/{connection['id']}"
    for _ in range(2):
        await ingest.deliver_record(connection, response(nps(9)), delivery="msg_1")
    await ingest.deliver(connection, b"{}")
    assert (await ingest.http.post(hook, content=b"{}")).status_code == 401
    assert (await ingest.http.post(hook, content=b"x" * (1024 * 1024 + 1))).status_code == 413
    assert (await ingest.http.post(hook, content=b"{}", headers={"content-type": "text/xml"})).status_code == 415
    assert counts(await health(ingest, connection)) == {"accepted": 1, "duplicate": 1, "quarantined": 1, "refused": 3}
    [_, listed] = (await ingest.call("GET", "/v1/connections")).json()["connections"]
    assert listed["health"] == await health(ingest, connection)


async def test_records_of_ones_own_apps_are_counted_also_those_of_a_batch(ingest: IngestClient) -> None:
    for value in (9, 9, 11):
        await ingest.call("POST", "/v1/feedback", json=response(nps(value)))
    await ingest.call("POST", "/v1/feedback", content=b"{")
    await ingest.call("POST", "/v1/feedback:batch", json=[response(nps(3)), response(nps(11)), 5])
    [built_in] = (await ingest.call("GET", "/v1/connections")).json()["connections"]
    assert counts(built_in["health"]) == {"accepted": 2, "duplicate": 1, "refused": 4}


async def test_a_misspelt_dimension_is_listed_in_a_trial_and_in_the_health(ingest: IngestClient) -> None:
    settings = {"mapping": {"dimensions": {"plan": "segmnet"}}, "dimensions": {"region": "DE"}}
    form = await ingest.connect("typeform", **settings)
    assert form["health"]["own_dimensions"] == [{"name": "segmnet", "similar_to": "segment"}]
    body = submission(hidden={"plan": "pro"}).decode()
    trial = await ingest.call("POST", f"/v1/connections/{form['id']}:test", json={"headers": {}, "body": body})
    assert trial.json()["own_dimensions"] == [{"name": "segmnet", "similar_to": "segment"}]

    connection = await ingest.connect()
    for own in ({"taem": "billing", "plan": "pro"}, {"region": "DE", "plan": "free"}):
        await ingest.deliver_record(connection, response(nps(9), id=str(own), dimensions=own))
    listed = [{"name": "taem", "similar_to": "team"}, {"name": "plan", "similar_to": None}]
    assert (await health(ingest, connection))["own_dimensions"] == listed
    assert (await health(ingest, connection))["own_dimensions"] == listed


async def test_about_100_own_dimensions_of_a_connection_are_noted(ingest: IngestClient) -> None:
    connection = await ingest.connect()
    for first in range(0, 300, 10):
        names = {f"d{number}": "x" for number in range(first, first + 10)}
        await ingest.deliver_record(connection, response(nps(9), id=str(first), dimensions=names))
    noted = (await health(ingest, connection))["own_dimensions"]
    assert 100 <= len(noted) < 200, "names that are written at different times"
    await ingest.deliver_record(connection, response(nps(9), dimensions={"late": "x"}))
    assert (await health(ingest, connection))["own_dimensions"] == noted


async def test_a_count_covers_24_hours_and_the_last_delivery_stays(ingest: IngestClient) -> None:
    connection = await ingest.connect()
    now = datetime.now(UTC)
    ingest.set_clock(now)
    await ingest.deliver_record(connection, response(nps(9)))
    received = (await health(ingest, connection))["last_delivery"]
    assert datetime.fromisoformat(received) == now
    for hours, accepted in ((22, {"accepted": 1}), (25, {})):
        ingest.set_clock(now + timedelta(hours=hours))
        view = await health(ingest, connection)
        assert (counts(view), view["last_delivery"]) == (accepted, received)


async def test_the_counts_of_two_replicas_add_up(two_replicas: tuple[IngestClient, IngestClient]) -> None:
    first, second = two_replicas
    connection = await first.connect("typeform")
    for number, replica in enumerate((first, second, first)):
        assert (await replica.deliver(connection, submission(f"t-{number}"))).json() == {"status": "accepted"}
        await health(replica, connection)
    view = await health(second, connection)
    assert counts(view) == {"accepted": 3}
    assert {one["question"]: one["seen"] for one in view["unmapped"]} == {"f-sat": 3, "f-name": 3}


async def test_numbers_are_written_without_being_read_and_at_the_stop(database: NewDatabase) -> None:
    url = await database("ingest")
    query = "SELECT sum(count) FROM delivery_counts WHERE connection = $1"
    async with running_ingest(url, connection_cache_seconds=0) as ingest:
        await ingest.call("PUT", "/internal/tenants/acme", json={"name": "Acme", "zone": "UTC"})
        connection = await ingest.connect()
        await ingest.deliver_record(connection, response(nps(9)))

        async def is_written() -> bool:
            return await ingest.app.state.reads.fetchval(query, connection["id"]) == 1

        await until(is_written)
        await ingest.deliver_record(connection, response(nps(8)))
    async with running_ingest(url, connection_cache_seconds=0) as ingest:
        assert await ingest.app.state.reads.fetchval(query, connection["id"]) == 2


async def test_unmapped_questions_are_named_with_their_number_until_they_are_mapped(ingest: IngestClient) -> None:
    connection = await ingest.connect("typeform")
    for number in range(3):
        await ingest.deliver(connection, submission(f"t-{number}"))
    named = (await health(ingest, connection))["unmapped"]
    assert [(one["question"], one["ref"], one["title"], one["seen"]) for one in named] == [
        ("f-name", "name", "First name", 3),
        ("f-sat", "satisfied", "How satisfied are you, [email]?", 3),
    ]
    await change(ingest, connection, mapping={"questions": {**RATING["questions"], "f-name": {"kind": "ignore"}}})
    assert (await health(ingest, connection))["unmapped"] == []


async def test_keys_of_the_mapping_that_never_occur_are_named_once_a_delivery_was_read_under_it(ingest: IngestClient) -> None:
    connection = await ingest.connect("typeform", mapping=RATING)
    await ingest.deliver(connection, submission("t-1"))
    mapping = {
        "questions": {**RATING["questions"], "satisfed": {"kind": "nps"}},
        "dimensions": {"paln": "segment", "plan": "plan"},
    }
    await change(ingest, connection, mapping=mapping)
    assert (await health(ingest, connection))["unused_mapping"] == {"questions": [], "dimensions": []}
    await ingest.deliver(connection, submission("t-2", hidden={"plan": "pro"}))
    assert (await health(ingest, connection))["unused_mapping"] == {"questions": ["satisfed"], "dimensions": ["paln"]}
    await ingest.deliver(connection, submission("t-3", hidden={"paln": "pro"}))
    assert (await health(ingest, connection))["unused_mapping"] == {"questions": ["satisfed"], "dimensions": []}


async def test_unmapped_questions_of_a_connection_are_bounded(ingest: IngestClient) -> None:
    connection = await ingest.connect("typeform")
    for part in range(3):
        answers = [
            {"type": "number", "number": 1, "field": {"id": f"q-{part}-{number}", "type": "rating"}} for number in range(80)
        ]
        await ingest.deliver(connection, submission(f"t-{part}", answers=answers))
        await health(ingest, connection)
    assert 100 <= len((await health(ingest, connection))["unmapped"]) <= 200


async def test_trying_a_delivery_names_unmapped_questions_and_unused_keys(ingest: IngestClient) -> None:
    mapping = {"questions": {"satisfed": {"kind": "nps"}}, "dimensions": {"plan": "segment"}}
    connection = await ingest.connect("typeform", mapping=mapping)
    path = f"/v1/connections/{connection['id']}:test"
    tried = (await ingest.call("POST", path, json={"body": submission(hidden={"plan": "pro"}).decode()})).json()
    assert tried["unmapped"] == [
        {"question": "f-sat", "ref": "satisfied", "title": "How satisfied are you, [email]?"},
        {"question": "f-name", "ref": "name", "title": "First name"},
    ]
    assert tried["unused_mapping"] == {"questions": ["satisfed"], "dimensions": []}
    assert (await health(ingest, connection))["unmapped"] == []


async def test_a_refused_and_a_quarantined_delivery_are_logged_without_their_content(ingest: IngestClient) -> None:
    connection = await ingest.connect()
    with capture_logs() as lines:
        await ingest.http.post(f"/v1/hooks/{connection['id']}", content=b"a secret body")
        await ingest.deliver(connection, b'{"data": {"type": "Jane"}}')
        await ingest.http.post("/v1/hooks/con_never", content=b"{}")
    logged = [line for line in lines if line["event"].startswith("delivery.")]
    known = {"connection": connection["id"], "tenant": ingest.tenant, "provider": "standard", "deliveries": 1}
    assert [{name: line[name] for name in ("outcome", "status", "bytes")} for line in logged] == [
        {"outcome": "refused", "status": 401, "bytes": 13},
        {"outcome": "quarantined", "status": 202, "bytes": 26},
        {"outcome": "refused", "status": 404, "bytes": 2},
    ]
    assert all(known.items() <= line.items() for line in logged[:2])
    assert "webhook-id" in logged[0]["reason"]
    assert (logged[2]["connection"], logged[2]["provider"]) == (None, "unknown")
    assert "secret" not in str(logged)
    assert "Jane" not in str(logged)


async def test_a_flood_of_refused_deliveries_is_logged_in_a_few_lines(ingest: IngestClient) -> None:
    connection = await ingest.connect()
    with capture_logs() as lines:
        for _ in range(50):
            await ingest.http.post(f"/v1/hooks/{connection['id']}", content=b"{}")
    assert len([line for line in lines if line["event"] == "delivery.refused"]) == 5
    assert counts(await health(ingest, connection)) == {"refused": 50}


async def test_a_held_delivery_is_counted_again_when_it_is_read(ingest: IngestClient) -> None:
    connection = await ingest.connect()
    await change(ingest, connection, paused=True)
    await ingest.deliver_record(connection, response(nps(9)))
    view = await health(ingest, connection)
    assert counts(view) == {}
    assert view["last_delivery"]
    await change(ingest, connection, paused=False)

    async def is_counted() -> bool:
        return counts(await health(ingest, connection)) == {"accepted": 1}

    await until(is_counted)


async def test_counts_that_no_answer_includes_any_more_are_deleted(ingest: IngestClient) -> None:
    connection, parts = await ingest.connect(), ingest.app.state.ingest
    now = datetime.now(UTC)
    for age in (timedelta(hours=1), timedelta(days=3)):
        ingest.set_clock(now - age)
        await ingest.deliver(connection, b"{}", at=(now - age).timestamp())
        await parts.observer.flush()
    await parts.health.prune(now)
    hours = await ingest.app.state.reads.fetch("SELECT hour FROM delivery_counts WHERE connection = $1", connection["id"])
    assert [row["hour"] for row in hours] == [(now - timedelta(hours=1)).replace(minute=0, second=0, microsecond=0)]
