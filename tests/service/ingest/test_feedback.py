"""Records of a tenant's own apps: single ones, with the invalid places, and batches, with a result for each record."""

import json
from typing import Any

import pytest

from tests.service.ingest.client import IngestClient
from tests.unit.ingest.making import nps, response

NDJSON = {"content-type": "application/x-ndjson"}


async def verdicts(ingest: IngestClient, records: Any, **request: Any) -> list[str]:
    answer = await ingest.call("POST", "/v1/feedback:batch", json=records, **request)
    assert answer.status_code == 200, answer.text
    return [result["status"] for result in answer.json()["results"]]


async def test_a_record_is_posted_to_the_built_in_connection(ingest: IngestClient) -> None:
    answer = await ingest.call("POST", "/v1/feedback", json=response(nps(9)))
    assert (answer.status_code, answer.json()) == (202, {"id": "r-1", "status": "accepted"})
    [event] = await ingest.events()
    assert event.source == "api"


async def test_a_record_can_be_posted_to_another_connection(ingest: IngestClient) -> None:
    connection = await ingest.connect()
    await ingest.call("POST", "/v1/feedback", params={"connection": connection["id"]}, json=response(nps(9)))
    [event] = await ingest.events()
    assert (event.source, event.connection) == ("standard", connection["id"])


async def test_another_tenants_connection_is_404(ingest: IngestClient) -> None:
    connection = await ingest.connect()
    for headers, path in (({"x-earshot-tenant": "somebody-else"}, "/v1/feedback"), ({}, "/v1/feedback")):
        named = connection["id"] if headers else "con_never"
        answer = await ingest.call("POST", path, params={"connection": named}, json=response(), headers=headers)
        assert answer.status_code == 404
    unknown = await ingest.call("POST", "/v1/feedback", json=response(), headers={"x-earshot-tenant": "nobody"})
    assert unknown.status_code == 404


async def test_without_a_key_an_edit_and_its_reversal_are_stored(ingest: IngestClient) -> None:
    statuses = [(await ingest.call("POST", "/v1/feedback", json=response(nps(n)))).json()["status"] for n in (9, 9, 3, 9)]
    assert statuses == ["accepted", "duplicate", "accepted", "accepted"]
    assert [event.body.answers[0].value for event in await ingest.events()] == [9, 3, 9]  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"{", 400), (b"", 400), (b"\xff", 400), (b"[" * 10_000, 400), (b'{"id": "\\ud800"}', 400), (b"[1e400]", 400),
        (b"[]", 422), (b"5", 422), (b"{}", 422), (b'{"type": "ping"}', 422),
    ],
)  # fmt: skip
async def test_an_invalid_record_is_a_4xx_with_its_reason(ingest: IngestClient, body: bytes, status: int) -> None:
    answer = await ingest.call("POST", "/v1/feedback", content=body, headers={"content-type": "application/json"})
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json().get("detail")


async def test_every_invalid_place_is_named(ingest: IngestClient) -> None:
    record = response(nps(11), nps(1, colour="blue") | {"question": "q9"}, at="2999-01-01T00:00:00Z", shade=1)
    answer = await ingest.call("POST", "/v1/feedback", json=record)
    assert answer.status_code == 422
    assert {place["name"] for place in answer.json()["invalid_params"]} == {"answers.0.value", "answers.1.colour", "at", "shade"}


async def test_unknown_parameters_and_other_media_types_are_refused(ingest: IngestClient) -> None:
    assert (await ingest.call("POST", "/v1/feedback?tenant=x", json=response())).status_code == 400
    assert (await ingest.call("POST", "/v1/feedback?connection=a&connection=b", json=response())).status_code == 400
    xml = {"content-type": "application/xml"}
    assert (await ingest.call("POST", "/v1/feedback", content=b"<a/>", headers=xml)).status_code == 415
    assert (await ingest.call("POST", "/v1/feedback", content=b" " * (1024 * 1024 + 1))).status_code == 413


async def test_only_the_gateway_is_authenticated(ingest: IngestClient) -> None:
    for path in ("/v1/feedback", "/v1/feedback:batch", "/v1/connections", "/v1/replay", "/v1/quarantine/1:retry"):
        assert (await ingest.http.post(path, json={})).status_code == 401
        wrong = {"authorization": "Bearer wrong", "x-earshot-tenant": ingest.tenant}
        assert (await ingest.http.post(path, json={}, headers=wrong)).status_code == 401
    nameless = {"authorization": ingest.internal_headers["authorization"]}
    assert (await ingest.http.post("/v1/feedback", json=response(), headers=nameless)).status_code == 401


async def test_a_batch_stores_the_valid_records_and_explains_the_others(ingest: IngestClient) -> None:
    bad = response(nps(9), colour="blue")
    answer = await ingest.call("POST", "/v1/feedback:batch", json=[response(nps(9)), bad, response(nps(3), id="r-2"), 5])
    results = answer.json()["results"]
    assert [(r["index"], r["id"], r["status"]) for r in results] == [
        (0, "r-1", "accepted"), (1, "r-1", "rejected"), (2, "r-2", "accepted"), (3, None, "rejected"),
    ]  # fmt: skip
    [param] = results[1]["problem"]["invalid_params"]
    assert param["name"] == "colour"
    assert param["reason"].startswith("is not a field here. Allowed: id, at, ")
    assert len(await ingest.events()) == 2


async def test_every_line_has_a_result_also_a_broken_one(ingest: IngestClient) -> None:
    lines = b"\n".join([json.dumps(response(nps(9))).encode(), b"{", b"", json.dumps(response(nps(3))).encode()])
    answer = await ingest.call("POST", "/v1/feedback:batch", content=lines, headers=NDJSON)
    assert [result["status"] for result in answer.json()["results"]] == ["accepted", "rejected", "accepted"]


async def test_a_batch_with_a_key_is_stored_once_record_by_record(ingest: IngestClient) -> None:
    records = [response(nps(n % 11), id=f"r-{n}") for n in range(600)]
    key = {"idempotency-key": "import-1"}
    assert set(await verdicts(ingest, records[:300], headers=key)) == {"accepted"}
    assert await verdicts(ingest, records, headers=key) == ["duplicate"] * 300 + ["accepted"] * 300
    assert len({event.statement for event in await ingest.events()}) == 600


async def test_edits_within_a_batch_are_stored_in_their_order(ingest: IngestClient) -> None:
    statuses = await verdicts(ingest, [response(nps(n)) for n in (9, 9, 3, 9)])
    assert statuses == ["accepted", "duplicate", "accepted", "accepted"]


async def test_a_batch_is_bounded_and_may_be_empty(ingest: IngestClient) -> None:
    assert await verdicts(ingest, []) == []
    assert (await ingest.call("POST", "/v1/feedback:batch", json=[1] * 5001)).status_code == 400
    assert (
        await ingest.call("POST", "/v1/feedback:batch", json={"a": 1}, headers={"content-type": "application/json"})
    ).status_code == 400
    assert (await ingest.call("POST", "/v1/feedback:batch", content=b"[" * 10_000)).status_code == 400


async def test_an_erasure_deletes_the_customers_statements(ingest: IngestClient) -> None:
    await ingest.call("POST", "/v1/feedback", json=response(nps(9), customer={"id": "anna"}))
    erasure = {"type": "erasure", "id": "e", "at": "2026-11-20T10:00:00Z", "customer": {"id": "anna"}}
    assert (await ingest.call("POST", "/v1/feedback", json=erasure)).json()["status"] == "accepted"
    [event] = await ingest.events()
    assert type(event.body).__name__ == "Tombstone"


async def test_an_override_is_a_statement_about_its_subject(ingest: IngestClient) -> None:
    connection = await ingest.connect()
    subject = f"{connection['id']}/response/r-1"
    override = {
        "type": "override", "id": "o-1", "at": "2026-11-20T10:00:00Z", "subject": subject, "comment": "0" * 32,
    }  # fmt: skip
    assert (await ingest.call("POST", "/v1/feedback", json=override)).status_code == 202
    [event] = await ingest.events()
    assert (event.subject, type(event.body).__name__) == (subject, "Override")


async def test_a_batch_lists_its_first_thousand_invalid_places(ingest: IngestClient) -> None:
    bad = response(nps(9)) | {f"unknown_{number}": 1 for number in range(30)}
    answer = await ingest.call("POST", "/v1/feedback:batch", json=[bad] * 60)
    problems = [result["problem"] for result in answer.json()["results"]]
    assert [len(problem.get("invalid_params", ())) for problem in problems] == [20] * 50 + [0] * 10
    assert [problem["more_invalid_params"] for problem in problems] == [10] * 50 + [30] * 10
