"""Signed webhooks of each tool, from their HTTP response to the KPI and the live event at the gateway."""

import asyncio
import json
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from tests.e2e.stack import Stack, nps_response, until
from tests.signing import SIGN

FIXTURES = Path(__file__).parents[1] / "fixtures" / "providers"
PROVIDERS = ("standard", "typeform", "zendesk")

IGNORED = {"typeform__form_response_partial", "zendesk__ticket.tags_changed"}
"""Samples of event kinds that Earshot does not use. All others are accepted."""
WITHOUT_ID = {"zendesk__trigger"}
"""Samples without an id or a time: a retry is another statement."""

DELIVERIES = [path for provider in PROVIDERS for path in sorted(FIXTURES.glob(f"{provider}__*.json"))]


def provider_of(path: Path) -> str:
    return path.name.split("__")[0]


@pytest.mark.parametrize("path", DELIVERIES, ids=lambda path: path.stem)
async def test_a_signed_delivery_is_accepted_or_ignored_and_its_retry_is_a_duplicate(stack: Stack, path: Path) -> None:
    provider = provider_of(path)
    connection = await stack.new_connection(provider)
    delivery = {"delivery": uuid4().hex} if provider == "standard" else {}
    first, retry = [await stack.deliver(provider, path.read_bytes(), connection=connection, **delivery) for _ in range(2)]
    assert (first.status_code, first.json()) == (202, {"status": "ignored" if path.stem in IGNORED else "accepted"})
    assert retry.json() == {"status": "accepted" if path.stem in WITHOUT_ID else "duplicate"}


@pytest.mark.parametrize("path", DELIVERIES, ids=lambda path: path.stem)
async def test_a_changed_body_is_refused(stack: Stack, path: Path) -> None:
    provider = provider_of(path)
    connection = await stack.new_connection(provider)
    headers = SIGN[provider](connection["secret"], path.read_bytes())
    answer = await stack.http.post(connection["hook_url"], content=path.read_bytes() + b" ", headers=headers)
    assert answer.status_code == 401
    assert answer.headers["content-type"] == "application/problem+json"


async def test_a_standard_webhook_changes_the_kpi(stack: Stack) -> None:
    connection = await stack.new_connection("standard")
    for value in (10, 9, 3):
        payload = {"type": "feedback", "data": nps_response(value)}
        answer = await stack.deliver("standard", payload, connection=connection)
        assert answer.json() == {"status": "accepted"}
    own = {"filter[connection]": connection["id"]}
    await until(lambda: counted(stack, "nps", 3, **own), description="three answers counted")
    row = await stack.row("nps", **own)
    assert row["value"] == pytest.approx(100 / 3)
    assert row["distribution"] == {"3": 1, "9": 1, "10": 1}


async def test_a_typeform_answer_changes_the_kpi(stack: Stack) -> None:
    connection = await stack.new_connection("typeform", mapping={"questions": {"score": {"kind": "nps"}}})
    payload = {
        "event_id": uuid4().hex,
        "event_type": "form_response",
        "form_response": {
            "form_id": "f1",
            "token": uuid4().hex,
            "submitted_at": "2026-11-20T10:00:00Z",
            "definition": {"id": "f1", "title": "After support", "fields": []},
            "answers": [{"type": "number", "number": 9, "field": {"id": "x1", "ref": "score", "type": "opinion_scale"}}],
        },
    }
    answer = await stack.deliver("typeform", payload, connection=connection)
    assert answer.json() == {"status": "accepted"}
    day = {"from": "2026-11-20T00:00:00Z", "to": "2026-11-21T00:00:00Z", "filter[connection]": connection["id"]}

    async def one() -> bool:
        rows = (await stack.get("/v1/kpis/nps", **day)).json()["rows"]
        return bool(rows[0]["n"] == 1 and rows[0]["value"] == 100)

    await until(one, description="the Typeform answer counted")


async def test_a_question_that_is_mapped_later_counts_after_its_deliveries_are_read_again(stack: Stack) -> None:
    connection = await stack.new_connection("typeform")
    form = {
        "form_id": "f1",
        "token": uuid4().hex,
        "submitted_at": "2026-11-20T10:00:00Z",
        "definition": {"fields": [{"id": "x1", "ref": "happy", "type": "rating", "title": "Happy?"}]},
        "answers": [{"type": "number", "number": 5, "field": {"id": "x1", "ref": "happy", "type": "rating"}}],
    }
    payload = {"event_id": uuid4().hex, "event_type": "form_response", "form_response": form}
    assert (await stack.deliver("typeform", payload, connection=connection)).json() == {"status": "accepted"}
    path = f"/v1/connections/{connection['id']}"
    [unmapped] = (await stack.admin("GET", path)).json()["health"]["unmapped"]
    assert (unmapped["question"], unmapped["title"], unmapped["seen"]) == ("x1", "Happy?", 1)
    await stack.admin("PATCH", path, json={"mapping": {"questions": {"happy": {"kind": "csat", "scale": [1, 5]}}}})
    replayed = await stack.admin("POST", "/v1/replay", json={"connection": connection["id"], "reread": True})
    assert (replayed.status_code, replayed.json()["deliveries"]) == (202, 1)
    day = {"from": "2026-11-20T00:00:00Z", "to": "2026-11-21T00:00:00Z", "filter[connection]": connection["id"]}

    async def is_counted() -> bool:
        rows = (await stack.get("/v1/kpis/csat", **day)).json()["rows"]
        return bool(rows[0]["n"] == 1 and rows[0]["value"] == 100)

    async def is_done() -> bool:
        health = (await stack.admin("GET", path)).json()["health"]
        return health["unmapped"] == [] and not health["rereading"]

    await until(is_counted, description="the answer that was mapped later counted")
    await until(is_done, description="the replay done")
    result = await stack.verify()
    assert result.returncode == 0, result.stdout


async def test_zendesk_events_in_any_order_become_a_solved_ticket(stack: Stack) -> None:
    connection = await stack.new_connection("zendesk")
    number = str(uuid4().int % 10**12)
    detail = {"id": number, "created_at": "2026-11-20T08:00:00Z", "group_id": "77", "via": {"channel": "email"}}

    def event(kind: str, at: str, status: str, **event: Any) -> dict[str, Any]:
        return {
            "account_id": 1,
            "id": str(uuid4()),
            "time": at,
            "type": f"zen:event-type:ticket.{kind}",
            "zendesk_event_version": "2022-11-06",
            "subject": f"zen:ticket:{number}",
            "detail": detail | {"status": status, "updated_at": at},
            "event": event,
        }

    solved = event("status_changed", "2026-11-20T10:00:00.123456789Z", "SOLVED", previous="OPEN", current="SOLVED")
    opened = event("created", "2026-11-20T08:00:00.000000001Z", "NEW")
    for payload in (solved, opened):
        assert (await stack.deliver("zendesk", payload, connection=connection)).json() == {"status": "accepted"}
    day = {"from": "2026-11-20T00:00:00Z", "to": "2026-11-21T00:00:00Z", "filter[connection]": connection["id"]}

    async def resolved() -> bool:
        rows = (await stack.get("/v1/kpis/first_resolution_time", **day)).json()["rows"]
        return bool(rows[0]["n"] == 1)

    await until(resolved, description="the ticket's resolution counted")
    row = (await stack.get("/v1/kpis/first_resolution_time", **day)).json()["rows"][0]
    assert row["value"] == pytest.approx(7200, rel=0.01)


async def test_a_webhook_reaches_the_live_stream_and_its_comment_is_scored(stack: Stack) -> None:
    connection = await stack.new_connection("standard")
    query = {"kpis": "nps,sentiment", "window": "24h", "filter[connection]": connection["id"]}
    headers = {"authorization": f"Bearer {stack.api_key}"}
    url = f"{stack.gateway_url}/v1/live"
    async with asyncio.timeout(30), stack.http.stream("GET", url, params=query, headers=headers) as stream:
        assert stream.status_code == 200
        lines = stream.aiter_lines()
        await event_named(lines, "snapshot")
        payload = {"type": "feedback", "data": nps_response(10, comment="I love it, wonderful service!")}
        await stack.deliver("standard", payload, connection=connection)
        seen: set[str] = set()
        while seen != {"nps", "sentiment"}:
            change = await event_named(lines, "kpi")
            if change["rows"][0]["n"]:
                seen.add(change["kpi"])
    records = await stack.get("/v1/kpis/sentiment/records", window="24h", **{"filter[connection]": connection["id"]})
    [record] = records.json()["records"]
    assert record["text"] == "I love it, wonderful service!"
    assert record["label"] == "positive"


async def event_named(lines: Any, name: str) -> dict[str, Any]:
    """The data of the next event called `name`."""
    current = ""
    async for line in lines:
        if line.startswith("event:"):
            current = line.removeprefix("event:").strip()
        elif line.startswith("data:") and current == name:
            return dict(json.loads(line.removeprefix("data:")))
    raise AssertionError(f"the stream ended without {name}")


async def counted(stack: Stack, kpi: str, n: int, **params: Any) -> bool:
    return bool((await stack.row(kpi, **params))["n"] == n)
