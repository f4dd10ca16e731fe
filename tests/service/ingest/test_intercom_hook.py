"""The hook of an `intercom` connection: the check of its URL, the history of a conversation, retries."""

import json
from pathlib import Path
from typing import Any

from tests.service.ingest.client import IngestClient

FIXTURES = Path(__file__).parents[2] / "fixtures" / "providers"
SECRET = "5e0d2c9a-client-secret"


def payload(topic: str) -> dict[str, Any]:
    value: dict[str, Any] = json.loads((FIXTURES / f"intercom__{topic}.json").read_text())
    return value


async def test_the_url_is_checked_and_each_notification_is_stored_once(ingest: IngestClient) -> None:
    connection = await ingest.connect("intercom", secret=SECRET)
    assert (await ingest.http.head(f"/v1/hooks/{connection['id']}")).status_code == 200
    ping = {"topic": "ping", "app_id": "ws1shop", "id": None, "data": {"item": {"type": "ping"}}}
    assert (await ingest.deliver(connection, json.dumps(ping).encode())).json() == {"status": "ignored"}
    reply = payload("conversation.admin.replied")
    assert (await ingest.deliver(connection, json.dumps(reply).encode())).json() == {"status": "accepted"}
    retry = reply | {"delivery_attempts": 2}
    assert (await ingest.deliver(connection, json.dumps(retry).encode())).json() == {"status": "duplicate"}
    forged = await ingest.deliver(connection | {"secret": "another-secret"}, json.dumps(reply).encode())
    assert forged.status_code == 401
    [event] = await ingest.events()
    assert (event.subject, event.source) == (f"{connection['id']}/ticket/215472600000001", "intercom")


async def test_the_notifications_of_a_conversation_are_statements_of_one_ticket_without_identities(ingest: IngestClient) -> None:
    connection = await ingest.connect("intercom", secret=SECRET)
    for path in sorted(FIXTURES.glob("intercom__conversation*.json")):
        if not path.stem.endswith("_v1"):
            assert (await ingest.deliver(connection, path.read_bytes())).json() == {"status": "accepted"}
    events = await ingest.events()
    assert {event.subject for event in events} == {f"{connection['id']}/ticket/215472600000001"}
    assert all(b"jo@example.org" not in message.value and b"c-77" not in message.value for message in ingest.broker.sent)


async def test_an_unknown_shape_is_quarantined_with_its_reason(ingest: IngestClient) -> None:
    connection = await ingest.connect("intercom", secret=SECRET)
    odd = payload("ticket.created") | {"topic": "ticket.rating.provided"}
    assert (await ingest.deliver(connection, json.dumps(odd).encode())).json() == {"status": "quarantined"}
    [item] = (await ingest.call("GET", "/v1/quarantine")).json()["items"]
    assert item["reason"] == "conversation_rating.rating is missing"
