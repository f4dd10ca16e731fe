"""Quarantine is listed by filters, counted by reason, and shown with body and headers."""

import base64
from typing import Any

import pytest

from services.ingest.api import quarantine as api
from services.ingest.inbox import quarantine
from tests.service.ingest.client import IngestClient
from tests.service.ingest.test_quarantine import mapping, submission
from tests.unit.ingest.making import nps, response


async def ids(ingest: IngestClient, **query: Any) -> list[str]:
    answer = await ingest.call("GET", "/v1/quarantine", params=query)
    assert answer.status_code == 200, answer.text
    return [item["id"] for item in answer.json()["items"]]


async def count(ingest: IngestClient, **query: Any) -> dict[str, Any]:
    answer = await ingest.call("GET", "/v1/quarantine:count", params=query)
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


async def test_filters_narrow_the_list_and_the_count_alike(ingest: IngestClient) -> None:
    standard, typeform = await ingest.connect(), await ingest.connect("typeform", mapping=mapping(5))
    await ingest.deliver(standard, b"{broken")
    await ingest.deliver_record(standard, response(nps(9), odd=1))
    for value in (7, 8):
        await ingest.deliver(typeform, submission(value))
    items = (await ingest.call("GET", "/v1/quarantine")).json()["items"]
    assert [(item["provider"], item["reason_code"]) for item in items] == [
        ("typeform", "outside_scale"),
        ("typeform", "outside_scale"),
        ("standard", "invalid_record"),
        ("standard", "malformed_body"),
    ]
    newest, older, invalid, broken = [item["id"] for item in items]
    cut = items[1]["received_at"]
    for query, expected in (
        ({"reason_code": "outside_scale"}, [newest, older]),
        ({"provider": "standard"}, [invalid, broken]),
        ({"provider": "standard", "reason_code": "malformed_body"}, [broken]),
        ({"connection": typeform["id"]}, [newest, older]),
        ({"provider": "zendesk"}, []),
        ({"since": cut}, [newest, older]),
        ({"until": cut}, [invalid, broken]),
        ({"reason_code": "unclassified"}, []),
    ):
        assert await ids(ingest, **query) == expected, query
        assert (await count(ingest, **query))["deliveries"] == len(expected), query
    counted = await count(ingest)
    assert (counted["deliveries"], counted["complete"]) == (4, True)
    first = counted["counts"][0]
    assert (first["reason_code"], first["connection"], first["deliveries"]) == ("outside_scale", typeform["id"], 2)
    assert (first["oldest"], first["newest"]) == (items[1]["received_at"], items[0]["received_at"])
    assert len(counted["counts"]) == 3


async def test_a_cursor_stays_valid_while_deliveries_leave_and_arrive(ingest: IngestClient) -> None:
    connection = await ingest.connect()
    for number in range(5):
        await ingest.deliver(connection, b"{" + b" " * number)
    every = await ids(ingest)
    page = (await ingest.call("GET", "/v1/quarantine", params={"limit": 2, "reason_code": "malformed_body"})).json()
    await ingest.call("POST", f"/v1/quarantine/{every[1]}:discard")
    await ingest.deliver(connection, b"[")
    assert [item["id"] for item in page["items"]] == every[:2]
    assert await ids(ingest, cursor=page["cursor"], reason_code="malformed_body") == every[2:]


async def test_a_count_is_bounded(ingest: IngestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (api, quarantine):
        monkeypatch.setattr(module, "MOST_COUNTED", 2)
    connection = await ingest.connect()
    for number in range(3):
        await ingest.deliver(connection, b"{" + b" " * number)
    counted = await count(ingest)
    assert (counted["deliveries"], counted["complete"]) == (2, False)


async def test_a_delivery_that_an_earlier_version_stored_is_unclassified_until_its_retry(ingest: IngestClient) -> None:
    connection = await ingest.connect()
    await ingest.deliver(connection, b"{broken")
    await ingest.app.state.reads.execute("UPDATE inbox SET reason_code = NULL WHERE tenant = $1", ingest.tenant)
    [quarantined] = await ids(ingest, reason_code="unclassified")
    await ingest.call("POST", f"/v1/quarantine/{quarantined}:retry")
    assert await ids(ingest, reason_code="malformed_body") == [quarantined]


async def test_the_headers_that_are_stored_and_bytes_that_are_no_text_are_returned(ingest: IngestClient) -> None:
    connection = await ingest.connect()
    await ingest.deliver(connection, b"\xff{")
    [quarantined] = await ids(ingest)
    whole = (await ingest.call("GET", f"/v1/quarantine/{quarantined}")).json()
    assert base64.b64decode(whole["body_base64"]) == b"\xff{"
    assert "webhook-id" in whole["headers"]
    assert connection["secret"] not in str(whole)
    assert not [name for name in whole["headers"] if "signature" in name or "auth" in name]


@pytest.mark.parametrize(
    ("query", "name"),
    [
        ({"provider": "typeforn"}, "provider"),
        ({"reason_code": "odd"}, "reason_code"),
        ({"since": "yesterday"}, "since"),
        ({"verdict": "accepted"}, "verdict"),
        ({"limit": "0"}, "limit"),
    ],
)
async def test_a_filter_that_nothing_can_match_is_400(ingest: IngestClient, query: dict[str, str], name: str) -> None:
    answer = await ingest.call("GET", "/v1/quarantine", params=query)
    assert answer.status_code == 400
    assert name in [param["name"] for param in answer.json()["invalid_params"]]
    if name == "provider":
        assert 'did you mean "typeform"?' in answer.text.replace("\\", "")
