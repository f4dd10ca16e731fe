"""Imports over HTTP, on a real database: uploads, progress, repeats, erased customers, refusals."""

import csv
import json
from hashlib import sha256
from typing import Any

import pytest

from services.ingest.store import imports as store
from tests.contract.inbox import until
from tests.service.ingest.client import IngestClient
from tests.unit.ingest.importing import FILE, MAPPING
from tests.unit.ingest.making import nps, response

AT = "2026-11-20T10:00:00Z"


def records(count: int, **fields: Any) -> bytes:
    """NDJSON of so many responses, each about another subject."""
    return b"".join(json.dumps(response(nps(), id=f"r-{number}", **fields)).encode() + b"\n" for number in range(count))


async def create(ingest: IngestClient, **body: Any) -> str:
    answer = await ingest.call("POST", "/v1/imports", json={"format": "ndjson"} | body)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


async def upload(ingest: IngestClient, number: str, *parts: bytes) -> None:
    for part, content in enumerate(parts, 1):
        answer = await ingest.call("PUT", f"/v1/imports/{number}/parts/{part}", content=content)
        assert answer.status_code == 200, answer.text
        assert answer.json() == {"number": part, "sha256": sha256(content).hexdigest(), "bytes": len(content)}


async def ended(ingest: IngestClient, number: str) -> dict[str, Any]:
    """Start the import and wait for its end."""
    answer = await ingest.call("POST", f"/v1/imports/{number}:start")
    assert answer.status_code == 202, answer.text
    views: list[dict[str, Any]] = []

    async def is_done() -> bool:
        views.append((await ingest.call("GET", f"/v1/imports/{number}")).json())
        return bool(views[-1]["finished_at"])

    await until(is_done)
    return views[-1]


async def import_file(ingest: IngestClient, *parts: bytes, **body: Any) -> dict[str, Any]:
    number = await create(ingest, **body)
    await upload(ingest, number, *parts)
    return await ended(ingest, number)


def results_of(view: dict[str, Any]) -> dict[str, int]:
    names = ("accepted", "duplicate", "ignored", "rejected", "quarantined", "held", "pending")
    return {name: view[name] for name in names if view[name]}


async def test_a_file_is_imported_in_parts_and_the_same_file_again_states_nothing_new(ingest: IngestClient) -> None:
    content = records(600) + b"{}\n"
    view = await import_file(ingest, content[:1001], content[1001:])
    assert (view["state"], view["rows"], view["bytes_read"]) == ("done", 601, len(content))
    assert (results_of(view), view["sha256"]) == ({"accepted": 600, "rejected": 1}, sha256(content).hexdigest())
    events = await ingest.events()
    assert len({event.subject for event in events}) == 600
    again = await import_file(ingest, content)
    assert results_of(again) == {"duplicate": 600, "rejected": 1}
    assert len(await ingest.events()) == 600
    errors = (await ingest.call("GET", f"/v1/imports/{view['id']}/errors")).text
    assert list(csv.reader(errors.splitlines())) == [["line", "field", "reason"], ["601", "", "needs 'type'"]]


async def test_imported_events_are_published(ingest: IngestClient) -> None:
    await import_file(ingest, records(3))

    async def are_published() -> bool:
        return len([event for event in ingest.broker.events if event.tenant == ingest.tenant]) == 3

    await until(are_published)


async def test_a_csv_file_is_imported_under_its_mapping(ingest: IngestClient) -> None:
    connection = await ingest.connect("typeform")
    view = await import_file(ingest, FILE.encode(), format="csv", mapping=MAPPING, connection=connection["id"])
    assert (view["state"], results_of(view)) == ("done", {"accepted": 2})
    assert {event.subject for event in await ingest.events()} == {f"{connection['id']}/response/{n}" for n in (1, 2)}


async def test_older_feedback_of_an_erased_customer_is_ignored_and_newer_counts(ingest: IngestClient) -> None:
    await ingest.call("POST", "/v1/feedback", json=response(nps(), customer={"id": "c-1", "email": "c1@example.org"}))
    erasure = {"type": "erasure", "id": "e", "at": "2026-11-20T10:00:00Z", "customer": {"email": "c1@example.org"}}
    await ingest.call("POST", "/v1/feedback", json=erasure)
    old = [
        response(nps(), id="old-1", customer={"id": "c-1"}),
        response(nps(), id="old-2", customer={"email": "C1@example.org"}),
        response(nps(), id="old-3", customer={"id": "c-2", "email": "c1@example.org"}),
        response(nps(), id="other", customer={"id": "c-3"}),
    ]
    content = b"\n".join(json.dumps(record).encode() for record in old)
    assert results_of(await import_file(ingest, content)) == {"accepted": 1, "ignored": 3}
    assert "c1@example.org" not in str(list(await ingest.events()))
    assert [
        event.subject.rpartition("/")[2] for event in await ingest.events() if event.body.__class__.__name__ != "Tombstone"
    ] == ["other"]


async def test_another_customer_with_the_address_of_an_erased_one_is_imported(ingest: IngestClient) -> None:
    await ingest.call("POST", "/v1/feedback", json=response(nps(), customer={"id": "c-1", "email": "shared@example.org"}))
    await ingest.call("POST", "/v1/feedback", json={"type": "erasure", "id": "e", "at": AT, "customer": {"id": "c-1"}})
    lines = [
        response(nps(), id="other", customer={"id": "c-9", "email": "shared@example.org"}),
        response(nps(), id="same", customer={"email": "shared@example.org"}),
    ]
    content = b"\n".join(json.dumps(record).encode() for record in lines)
    assert results_of(await import_file(ingest, content)) == {"accepted": 1, "ignored": 1}


async def test_an_erasure_in_a_file_erases(ingest: IngestClient) -> None:
    erasure = {"type": "erasure", "id": "e", "at": "2026-11-20T10:00:00Z", "customer": {"id": "c-1"}}
    lines = [response(nps(), id="a", customer={"id": "c-1"}), erasure, response(nps(), id="b", customer={"id": "c-1"})]
    content = b"\n".join(json.dumps(record).encode() for record in lines)
    assert results_of(await import_file(ingest, content)) == {"accepted": 2, "ignored": 1}
    assert [event.subject.rpartition("/")[2] for event in await ingest.events()] == ["a"]


async def test_a_file_that_can_not_be_read_on_fails_behind_the_records_before(ingest: IngestClient) -> None:
    view = await import_file(ingest, FILE.encode() + b'3,2026-11-20,,9,"no end', format="csv", mapping=MAPPING)
    assert (view["state"], view["reason"], results_of(view)) == ("failed", "line 5: a quoted cell has no end", {"accepted": 2})
    other = await import_file(ingest, records(1), sha256="0" * 64)
    assert (other["state"], other["rows"]) == ("failed", 0)
    assert "SHA-256" in other["reason"]


async def test_a_part_is_stored_once_and_never_replaced(ingest: IngestClient) -> None:
    number = await create(ingest)
    await upload(ingest, number, b"one")
    await upload(ingest, number, b"one")
    other = await ingest.call("PUT", f"/v1/imports/{number}/parts/1", content=b"other")
    assert (other.status_code, other.json()["type"]) == (409, "urn:earshot:problem:conflict")
    await ingest.call("PUT", f"/v1/imports/{number}/parts/3", content=b"three")
    start = await ingest.call("POST", f"/v1/imports/{number}:start")
    assert (start.status_code, start.json()["detail"]) == (409, "part 2 is not uploaded")
    parts = (await ingest.call("GET", f"/v1/imports/{number}/parts")).json()["parts"]
    assert [part["number"] for part in parts] == [1, 3]
    canceled = await ingest.call("DELETE", f"/v1/imports/{number}")
    assert canceled.json()["state"] == "canceled"
    for method, path in (("POST", ":start"), ("PUT", "/parts/2")):
        assert (await ingest.call(method, f"/v1/imports/{number}{path}", content=b"two")).status_code == 409


async def test_limits_are_refused_with_a_problem(ingest: IngestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    number = await create(ingest)
    assert (
        await ingest.call("PUT", f"/v1/imports/{number}/parts/1", content=b"x" * (store.MAX_PART_BYTES + 1))
    ).status_code == 413
    assert (await ingest.call("PUT", f"/v1/imports/{number}/parts/1", content=b"")).status_code == 422
    for part in ("0", "10001", "x"):
        assert (await ingest.call("PUT", f"/v1/imports/{number}/parts/{part}", content=b"x")).status_code == 400
    monkeypatch.setattr(store, "MAX_BYTES", 10)
    answer = await ingest.call("PUT", f"/v1/imports/{number}/parts/1", content=b"x" * 11)
    assert (answer.status_code, "4294967296" in answer.json()["detail"]) == (413, True)
    for _ in range(store.MAX_OPEN - 1):
        await create(ingest)
    answer = await ingest.call("POST", "/v1/imports", json={"format": "ndjson"})
    assert (answer.status_code, answer.json()["detail"][:10]) == (409, "10 imports")


@pytest.mark.parametrize(
    ("body", "status", "place"),
    [
        ({"format": "csv"}, 422, "mapping"),
        ({"format": "ndjson", "mapping": MAPPING}, 422, "mapping"),
        ({"format": "xlsx"}, 422, "format"),
        ({"format": "typeform"}, 422, "format"),
        ({"format": "ndjson", "connection": "con_none"}, 404, None),
        ({"format": "csv", "mapping": {"answers": {}}}, 422, "mapping.at"),
    ],
)
async def test_an_import_that_can_not_work_is_not_created(
    ingest: IngestClient, body: dict[str, Any], status: int, place: str | None
) -> None:
    answer = await ingest.call("POST", "/v1/imports", json=body)
    assert answer.status_code == status
    assert place is None or place in [param["name"] for param in answer.json()["invalid_params"]]


async def test_another_tenant_does_not_see_an_import(ingest: IngestClient) -> None:
    number = await create(ingest)
    await upload(ingest, number, b"one")
    headers = {"x-earshot-tenant": "another"}
    for method, path in (
        ("GET", ""),
        ("DELETE", ""),
        ("GET", "/parts"),
        ("GET", "/errors"),
        ("POST", ":start"),
        ("PUT", "/parts/2"),
    ):
        answer = await ingest.call(method, f"/v1/imports/{number}{path}", headers=headers, content=b"x")
        assert answer.status_code == 404, path
    assert (await ingest.call("GET", "/v1/imports", headers=headers)).json()["items"] == []
    assert [one["id"] for one in (await ingest.call("GET", "/v1/imports?state=uploading")).json()["items"]] == [number]


async def test_a_proposed_mapping_is_tried_and_imported(ingest: IngestClient) -> None:
    sample = "ID,Created at,NPS,Email\n1,2026-11-20T10:00:00Z,9,a@example.org\n2,2026-11-21T10:00:00Z,11,b@example.org\n"
    beginning = "".join(sample.splitlines(keepends=True)[:2])
    proposal = (await ingest.call("POST", "/v1/imports:propose", json={"sample": beginning})).json()
    assert proposal["complete"]
    trial = {"format": "csv", "mapping": proposal["mapping"], "sample": sample}
    result = (await ingest.call("POST", "/v1/imports:dry-run", json=trial)).json()
    assert (result["rows"], result["new"], result["existing"], result["rejected"]) == (2, 1, 0, 1)
    assert result["faults"] == [{"line": 3, "field": "answers.0.value", "reason": "outside its scale 0..10"}]
    view = await import_file(ingest, sample.encode(), format="csv", mapping=proposal["mapping"])
    assert results_of(view) == {"accepted": 1, "rejected": 1}
    again = (await ingest.call("POST", "/v1/imports:dry-run", json=trial)).json()
    assert (again["new"], again["existing"]) == (0, 1)


async def test_imports_that_run_are_counted_as_metrics(ingest: IngestClient) -> None:
    await import_file(ingest, records(1))
    lines = (await ingest.http.get("/metrics")).text.splitlines()
    assert "earshot_ingest_imports_running 0.0" in lines
    assert "earshot_ingest_imports_seconds 0.0" in lines
