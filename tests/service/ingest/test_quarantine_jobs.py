"""Quarantine in bulk: jobs retry or discard all deliveries that match a filter, and stay as the record of it."""

from typing import Any

import pytest

from tests.contract.inbox import until
from tests.service.ingest.client import IngestClient
from tests.service.ingest.test_health import change
from tests.service.ingest.test_quarantine import mapping, submission
from tests.service.ingest.test_quarantine_filters import ids


async def work(ingest: IngestClient, action: str, **body: Any) -> dict[str, Any]:
    """Add a job and wait until it is done. Returns it."""
    answer = await ingest.call("POST", f"/v1/quarantine:{action}", json=body, headers={"x-earshot-key": "key_1"})
    assert answer.status_code == 202, answer.text
    job: dict[str, Any] = {}

    async def is_done() -> bool:
        job.update((await ingest.call("GET", answer.headers["location"])).json())
        return bool(job["state"] == "done")

    await until(is_done)
    return job


async def bodies(ingest: IngestClient) -> int:
    """The number of stored bodies of quarantined and discarded deliveries."""
    query = "SELECT count(*) FROM inbox WHERE tenant = $1 AND verdict IN ('quarantined', 'discarded') AND raw <> ''"
    return int(await ingest.app.state.reads.fetchval(query, ingest.tenant))


async def test_all_that_match_are_accepted_once_the_mapping_is_mended(ingest: IngestClient) -> None:
    connection, other = [await ingest.connect("typeform", mapping=mapping(5)) for _ in range(2)]
    for value in (6, 7, 9):
        await ingest.deliver(connection, submission(value))
        await ingest.deliver(other, submission(value))
    await ingest.deliver(connection, b"{broken")
    await change(ingest, connection, mapping=mapping(7))
    job = await work(ingest, "retry", connection=connection["id"], reason_code="outside_scale")
    assert (job["deliveries"], job["done"], job["results"]) == (3, 3, {"accepted": 2, "quarantined": 1})
    assert (job["kind"], job["requested_by"], job["filter"]["connection"]) == ("retry", "key_1", connection["id"])
    assert [event.statement for event in await ingest.events()] == ["e-6#0", "e-7#0"]
    assert len(await ids(ingest)) == 5

    async def is_published() -> bool:
        return len([event for event in ingest.broker.events if event.tenant == ingest.tenant]) == 2

    await until(is_published)
    again = await work(ingest, "retry", connection=connection["id"])
    assert again["results"] == {"quarantined": 2}, "the accepted ones are not read again"
    assert len(await ingest.events()) == 2


async def test_all_that_match_are_discarded_and_a_record_stays(ingest: IngestClient) -> None:
    connection, other = await ingest.connect(), await ingest.connect()
    for number in range(3):
        await ingest.deliver(connection, b"{" + b" " * number, delivery=f"msg_{number}")
    await ingest.deliver(other, b"{")
    job = await work(ingest, "discard", connection=connection["id"])
    assert (job["deliveries"], job["results"], job["requested_by"]) == (3, {"discarded": 3}, "key_1")
    assert job["finished_at"]
    assert len(await ids(ingest)) == 1
    assert len(await ids(ingest, verdict="discarded", connection=connection["id"])) == 3
    assert await bodies(ingest) == 1
    assert (await ingest.deliver(connection, b"{", delivery="msg_0")).json() == {"status": "duplicate"}
    [discarded, *_] = await ids(ingest, verdict="discarded")
    assert (await ingest.call("GET", f"/v1/quarantine/{discarded}")).status_code == 404
    assert (await ingest.call("POST", f"/v1/quarantine/{discarded}:retry")).status_code == 404


async def test_one_delivery_is_discarded_once_and_recorded(ingest: IngestClient) -> None:
    connection = await ingest.connect()
    await ingest.deliver(connection, b"{")
    [quarantined] = await ids(ingest)
    for _ in range(2):
        answer = await ingest.call("POST", f"/v1/quarantine/{quarantined}:discard", headers={"x-earshot-key": "key_1"})
        assert (answer.status_code, answer.json()) == (200, {"id": quarantined, "status": "discarded"})
    assert await bodies(ingest) == 0
    [job] = (await ingest.call("GET", "/v1/jobs")).json()["items"]
    assert (job["kind"], job["delivery"], job["results"]) == ("discard", quarantined, {"discarded": 1})
    assert (job["state"], job["requested_by"], job["filter"]["connection"]) == ("done", "key_1", connection["id"])


async def test_deliveries_that_arrive_after_the_request_are_not_part_of_a_job(
    ingest: IngestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    connection = await ingest.connect()
    await ingest.deliver(connection, b"{")
    runner = ingest.app.state.ingest.jobs
    add = runner.add

    async def add_late(*arguments: Any) -> Any:
        job = await add(*arguments)
        await ingest.app.state.reads.execute("UPDATE delivery_jobs SET due = 'infinity' WHERE id = $1", job.id)
        await ingest.deliver(connection, b"{ ")
        await ingest.app.state.reads.execute("UPDATE delivery_jobs SET due = now(), finished = NULL WHERE id = $1", job.id)
        return job

    monkeypatch.setattr(type(runner), "add", lambda self, *arguments: add_late(*arguments))
    assert (await work(ingest, "discard", reason_code="malformed_body"))["results"] == {"discarded": 1}
    assert len(await ids(ingest)) == 1


async def test_a_job_needs_a_usable_filter_and_its_tenant_has_a_limit(ingest: IngestClient) -> None:
    refused = await ingest.call("POST", "/v1/quarantine:discard", json={})
    assert refused.status_code == 422
    assert "at least one field is needed: connection, provider" in refused.json()["detail"]
    for body in ({"provider": "typeforn"}, {"reason_code": "odd"}, {"colour": "blue"}):
        answer = await ingest.call("POST", "/v1/quarantine:retry", json=body)
        assert (answer.status_code, answer.json()["invalid_params"][0]["name"]) == (422, *body)
    later = "INSERT INTO delivery_jobs (tenant, kind, due) SELECT $1, 'retry', 'infinity' FROM generate_series(1, 10)"
    await ingest.app.state.reads.execute(later, ingest.tenant)
    assert (await ingest.call("POST", "/v1/quarantine:retry", json={})).status_code == 409
    await ingest.app.state.reads.execute("DELETE FROM delivery_jobs WHERE tenant = $1", ingest.tenant)
    assert (await work(ingest, "retry"))["results"] == {}


async def test_another_tenants_deliveries_and_jobs_stay_apart(ingest: IngestClient) -> None:
    connection = await ingest.connect()
    await ingest.deliver(connection, b"{")
    [quarantined] = await ids(ingest)
    job = await work(ingest, "retry")
    stranger = {"x-earshot-tenant": "somebody-else"}
    assert (await ingest.call("POST", f"/v1/quarantine/{quarantined}:discard", headers=stranger)).status_code == 404
    assert (await ingest.call("GET", f"/v1/jobs/{job['id']}", headers=stranger)).status_code == 404
    assert (await ingest.call("GET", "/v1/jobs", headers=stranger)).json()["items"] == []
    assert (await ingest.call("GET", "/v1/quarantine:count", headers=stranger)).json()["deliveries"] == 0
    answer = await ingest.call("POST", "/v1/quarantine:discard", json={"connection": connection["id"]}, headers=stranger)
    assert answer.json()["deliveries"] == 0
    assert await ids(ingest) == [quarantined]


async def test_jobs_are_paged(ingest: IngestClient) -> None:
    jobs = [(await work(ingest, "retry"))["id"] for _ in range(3)]
    page = (await ingest.call("GET", "/v1/jobs", params={"limit": 2})).json()
    assert [job["id"] for job in page["items"]] == [jobs[2], jobs[1]]
    rest = (await ingest.call("GET", "/v1/jobs", params={"cursor": page["cursor"]})).json()
    assert ([job["id"] for job in rest["items"]], rest["cursor"]) == ([jobs[0]], None)
    assert (await ingest.call("GET", "/v1/jobs/x")).status_code == 400
