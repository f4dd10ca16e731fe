"""The hook of a `chatwoot` connection: signed deliveries, the token of older releases."""

import json
from pathlib import Path

from tests.service.ingest.client import IngestClient

FIXTURES = Path(__file__).parents[2] / "fixtures" / "providers"


async def test_the_events_of_a_conversation_are_statements_of_one_ticket_and_each_is_stored_once(ingest: IngestClient) -> None:
    connection = await ingest.connect("chatwoot", secret="a-chatwoot-secret")
    for path in sorted(FIXTURES.glob("chatwoot__*.json")):
        for status in ("accepted", "duplicate"):
            answer = await ingest.deliver(connection, path.read_bytes(), delivery=path.stem)
            assert answer.json() == {"status": status}
    assert {event.subject for event in await ingest.events()} == {f"{connection['id']}/ticket/42"}
    assert all(b"jo@example.org" not in message.value and b"c-77" not in message.value for message in ingest.broker.sent)


async def test_an_unsigned_delivery_is_accepted_with_the_token_alone(ingest: IngestClient) -> None:
    connection = await ingest.connect("chatwoot")
    hook, body = f"/v1/hooks/{connection['id']}", json.loads((FIXTURES / "chatwoot__conversation_created.json").read_text())
    assert (await ingest.http.post(hook, json=body)).status_code == 401
    assert (await ingest.http.post(hook, params={"token": "wrong"}, json=body)).status_code == 401
    answer = await ingest.http.post(hook, params={"token": connection["secret"]}, json=body)
    assert (answer.status_code, answer.json()) == (202, {"status": "accepted"})
