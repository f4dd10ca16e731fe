"""Hostile bodies get a 4xx or go to quarantine, never a 5xx, and the next request is served."""

import json
import time
from typing import Any

import pytest

from tests.e2e.stack import Stack, nps_response, until

DEEP = b'{"data": ' + b"[" * 10_000 + b"]" * 10_000 + b"}"


def changed(**fields: Any) -> bytes:
    return json.dumps({"data": nps_response(9) | fields}).encode()


HOSTILE = {
    "broken JSON": b'{"data": ',
    "no JSON at all": b"\xff\xfe\x00",
    "a NUL in a text": changed(id="a\u0000b"),
    "a lone surrogate": b'{"data": {"type": "response", "id": "\\ud800", "at": "2026-11-20T00:00:00Z", "answers": []}}',
    "10,000 deep": DEEP,
    "1e400": b'{"data": {"type": "response", "id": "r", "at": "2026-11-20T00:00:00Z", "answers": '
    b'[{"question": "q", "kind": "nps", "value": 1e400}]}}',
    "a huge integer": b'{"data": {"type": "response", "id": "r", "at": "2026-11-20T00:00:00Z", "answers": '
    b'[{"question": "q", "kind": "nps", "value": ' + b"9" * 400 + b"}]}}",
    "the year 9999": changed(at="9999-12-31T23:59:59Z"),
    "a score off its scale": changed(answers=[{"question": "q", "kind": "nps", "value": 11}]),
    "an unknown field": changed(colour="blue"),
    "an hour ahead": changed(at="2999-01-01T00:00:00Z"),
    "an empty body": b"",
}


@pytest.mark.parametrize("body", HOSTILE.values(), ids=HOSTILE.keys())
async def test_a_hostile_body_is_quarantined_and_the_next_is_served(stack: Stack, body: bytes) -> None:
    answer = await stack.deliver("standard", body)
    assert answer.status_code == 202
    assert answer.json()["status"] == "quarantined"
    assert (await stack.post_standard(nps_response(9))).json() == {"status": "accepted"}


@pytest.mark.parametrize("body", HOSTILE.values(), ids=HOSTILE.keys())
async def test_a_hostile_record_over_the_api_gets_a_problem_document(stack: Stack, body: bytes) -> None:
    inner = body.removeprefix(b'{"data": ').removesuffix(b"}")
    answer = await stack.admin("POST", "/v1/feedback", content=inner, headers={"content-type": "application/json"})
    assert answer.status_code in {400, 422}
    assert answer.headers["content-type"] == "application/problem+json"


async def test_an_unknown_field_is_named_with_its_place(stack: Stack) -> None:
    record = nps_response(9)
    record["answers"][0]["colour"] = "blue"
    answer = await stack.admin("POST", "/v1/feedback", json=record)
    assert answer.status_code == 422
    [param] = answer.json()["invalid_params"]
    assert "answers.0" in param["name"]
    assert param["name"].endswith("colour")


async def test_signatures_that_are_wrong_missing_or_stale_are_401(stack: Stack) -> None:
    connection = stack.connection("standard")
    wrong = connection | {"secret": "whsec_" + "A" * 32}
    assert (await stack.deliver("standard", b"{}", connection=wrong)).status_code == 401
    assert (await stack.http.post(connection["hook_url"], content=b"{}")).status_code == 401
    assert (await stack.deliver("standard", b"{}", at=time.time() - 600)).status_code == 401
    assert (await stack.deliver("standard", b"{}", at=time.time() + 600)).status_code == 401


async def test_a_body_over_a_mebibyte_is_413(stack: Stack) -> None:
    assert (await stack.deliver("standard", b"x" * (1024 * 1024 + 1))).status_code == 413


async def test_a_batch_accepts_valid_records_and_rejects_the_others(stack: Stack) -> None:
    bad = nps_response(9) | {"colour": "blue"}
    records = [nps_response(10), bad, nps_response(3)]
    answer = await stack.admin("POST", "/v1/feedback:batch", json=records)
    assert answer.status_code == 200
    assert [r["status"] for r in answer.json()["results"]] == ["accepted", "rejected", "accepted"]


async def test_keys_scopes_and_tenants_are_separate(stack: Stack) -> None:
    anonymous = await stack.http.get(f"{stack.gateway_url}/v1/kpis")
    assert anonymous.status_code == 401
    forbidden = await stack.http.post(
        f"{stack.gateway_url}/v1/feedback", json=nps_response(9), headers={"authorization": f"Bearer {stack.api_key}"}
    )
    assert forbidden.status_code == 403
    assert (await stack.admin("GET", "/v1/connections/of-somebody-else")).status_code == 404
    assert (await stack.get("/v1/kpis/of-somebody-else")).status_code == 404


async def test_an_e_mail_in_a_comment_is_neither_served_nor_logged(stack: Stack) -> None:
    connection = await stack.new_connection("standard")
    record = nps_response(2, comment="Awful. Write to jane.doe@example.com or call +49 30 1234567 please.")
    record["customer"] = {"id": "c-1", "email": "jane.doe@example.com"}
    await stack.deliver("standard", {"data": record}, connection=connection)
    own = {"window": "24h", "filter[connection]": connection["id"]}

    async def scored() -> bool:
        return bool((await stack.get("/v1/kpis/sentiment/records", **own)).json()["records"])

    await until(scored, description="the comment scored")
    answer = (await stack.get("/v1/kpis/sentiment/records", **own)).text
    assert "jane.doe" not in answer
    assert "1234567" not in answer
    logs = "".join(path.read_text(errors="replace") for path in (stack.data / "logs").glob("*.log"))
    assert "jane.doe" not in logs
    assert stack.connection("standard")["secret"] not in logs
