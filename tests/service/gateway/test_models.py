"""Models at the door: who may read what a candidate would change, with or without customers' words, and who may promote it."""

from typing import Any

import httpx
import pytest

from tests.service.gateway.door import Door, problem

EXAMPLE = {"subject": "c1/response/1", "text_hash": "ab", "text": "it broke", "promoted": {"label": "neutral", "score": 0.0}}
REPORT: dict[str, Any] = {"model": "linear-1", "n": 2, "examples": [EXAMPLE], "kpis": []}
PATH = "/v1/models/linear-1/shadow"


@pytest.fixture(autouse=True)
def metrics(door: Door) -> None:
    door.behind.answer = lambda request: httpx.Response(200, json=REPORT)


async def test_the_words_in_a_report_are_for_keys_that_may_read_records(door: Door) -> None:
    whole = await door.get(PATH, await door.key("metrics:read", "records:read"))
    assert whole.json() == REPORT
    wordless = (await door.get(PATH, await door.key("metrics:read"))).json()
    assert "it broke" not in str(wordless)
    assert whole.headers["cache-control"] == "private, no-store"
    assert wordless == REPORT | {"examples": [{name: value for name, value in EXAMPLE.items() if name != "text"}]}


async def test_a_report_is_asked_for_in_the_keys_tenant_with_its_window(door: Door) -> None:
    for tenant in ("acme", "other"):
        key = await door.key("metrics:read", tenant=tenant)
        await door.get(f"{PATH}?window=7d", key, headers={"x-earshot-tenant": "victim"})
        assert door.behind.last.headers.get_list("x-earshot-tenant") == [tenant]
        assert door.behind.last.url.raw_path.decode() == f"{PATH}?window=7d"


async def test_a_report_needs_its_scope_and_a_model_that_can_be_one(door: Door) -> None:
    assert (await door.get(PATH, await door.key("records:read"))).status_code == 403
    assert (await door.http.get(PATH)).status_code == 401
    assert (await door.get("/v1/models/..%2finternal/shadow", await door.key("metrics:read"))).status_code == 404
    assert door.behind.heard == []


@pytest.mark.parametrize("status", [400, 404, 409])
async def test_a_refusal_of_metrics_is_passed_on(door: Door, status: int) -> None:
    document = {"type": "urn:earshot:problem:x", "title": "X", "status": status, "detail": "3 of 12 comments have no score"}
    headers = {"content-type": "application/problem+json"}
    door.behind.answer = lambda request: httpx.Response(status, json=document, headers=headers)
    key = await door.key("admin")
    for answer in (await door.get(PATH, key), await door.call("POST", "/v1/models/linear-1:promote", key)):
        assert (answer.status_code, problem(answer)) == (status, document)


async def test_only_admins_promote(door: Door) -> None:
    answer = await door.call(
        "POST", "/v1/models/linear-1:promote", await door.key("metrics:read", "records:read", "ingest:write")
    )
    assert answer.status_code == 403
    assert door.behind.heard == []


async def test_the_openapi_document_lists_the_report(door: Door) -> None:
    document = (await door.http.get("/openapi.json")).json()
    report = document["paths"]["/v1/models/{model}/shadow"]["get"]
    assert {parameter["name"] for parameter in report["parameters"]} == {"model", "window", "from", "to", "tz"}
