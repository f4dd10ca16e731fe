"""Back-fills of Intercom, HubSpot and Freshdesk against local servers that answer as their APIs do."""

import json
from typing import Any

import pytest

from services.ingest.domain.receive import receive
from services.ingest.inbox.committer import Committer
from services.ingest.inbox.outbox import OutboxEvent
from shared.workers import Workers
from tests.conftest import NewDatabase
from tests.contract.back_fill_tool import Tool, back_fill_tool
from tests.fake_tool_api import Answer
from tests.unit.ingest.hubspot_documents import CONTACT, OWNER, PIPELINES, submission, ticket
from tests.unit.ingest.intercom_payloads import fixture
from tests.unit.ingest.making import NOW, request
from tests.unit.ingest.test_freshdesk_history import CHOICES, message
from tests.unit.ingest.test_freshdesk_history import ticket as freshdesk_ticket
from tests.unit.ingest.test_intercom_history import conversation
from tests.unit.ingest.test_intercom_history import listed as intercom_list

APP = {"client_id": "the-client-id", "client_secret": "the-client-secret", "refresh_token": "the-refresh-token"}


@pytest.fixture(scope="module")
async def url(database: NewDatabase) -> str:
    return await database("ingest")


async def deliver(tool: Tool, body: bytes) -> str:
    """Store a delivery of the tool's webhook. Returns its outcome."""
    published: list[OutboxEvent] = []
    committer = Committer(tool.pool, published.extend, 10)
    async with Workers() as workers:
        workers.start("committer", committer.run)
        return str(await committer.commit(receive(tool.connection, request(body), NOW)))


async def test_conversations_that_move_while_they_are_read_are_stored_once(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    item = fixture("conversation.user.created")["data"]["item"]
    ids = [str(number) for number in range(1, 5)]

    def search(body: dict[str, Any]) -> Any:
        """The second conversation is updated after the first page was read, and is listed again."""
        listed = ids[1:] if body["pagination"].get("starting_after") else ids[:2]
        after = None if "starting_after" in body["pagination"] else "WzE3"
        return intercom_list("conversations", *(item | {"id": one} for one in listed), after=after, total=4)

    async with back_fill_tool(url, monkeypatch, "intercom", {"access_token": "a-token-0"}) as tool:
        tool.api.documents |= {f"/conversations/{one}": conversation(id=one) for one in ids}
        tool.api.documents |= {"/conversations/search": search, "/tickets/search": intercom_list("tickets", total=0)}
        tool.api.queue("/conversations/2", Answer(200, b'{"type": "conv', missing_bytes=20))
        tool.api.queue("/conversations/search", Answer(429, {}, {"retry-after": "0"}))
        job = await tool.add()
        for _ in range(8):
            await tool.pool.execute("UPDATE delivery_jobs SET due = now(); UPDATE tool_apis SET blocked_until = NULL")
            await tool.filler.step()
        done = await tool.load(job)
        assert (done.results, done.problem, done.finished is not None) == ({"accepted": 4, "duplicate": 1}, None, True)
        assert sorted(await tool.subjects()) == ids


async def test_a_conversation_of_the_webhook_and_of_the_list_is_one_ticket(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    payload = fixture("conversation.user.created")
    item = payload["data"]["item"]
    async with back_fill_tool(url, monkeypatch, "intercom", {"access_token": "a-token-0"}) as tool:
        assert await deliver(tool, json.dumps(payload).encode()) == "accepted"
        tool.api.documents |= {
            "/conversations/search": intercom_list("conversations", item),
            f"/conversations/{item['id']}": conversation(),
            "/tickets/search": intercom_list("tickets", total=0),
        }
        assert (await tool.finish(await tool.add())).results == {"accepted": 1}
        assert {*await tool.subjects()} == {str(item["id"])}
        assert (await tool.finish(await tool.add())).results == {"duplicate": 1}


async def test_a_refresh_token_is_exchanged_once_and_again_after_a_401(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    tokens = iter(["access-token-1", "access-token-2", "access-token-3"])

    def exchange(form: dict[str, str]) -> Any:
        assert form == {"grant_type": "refresh_token", **APP}
        return {"token_type": "bearer", "access_token": next(tokens), "refresh_token": "the-refresh-token", "expires_in": 1800}

    query = "properties"
    async with back_fill_tool(url, monkeypatch, "hubspot", APP, {"stages": {"1": "new"}}) as tool:
        tool.api.documents |= {
            "/oauth/v1/token": exchange,
            "/crm/v3/pipelines/tickets": PIPELINES,
            "/crm/v3/owners?limit=500": {"results": [OWNER]},
            "/crm/v3/objects/contacts/batch/read": Answer(207, {"status": "COMPLETE", "results": [CONTACT], "numErrors": 1}),
        }
        monkeypatch.setattr(tool.api, "document", by_prefix(tool, query))
        tool.api.queue("/crm/v3/objects/contacts/batch/read", Answer(401, {"category": "EXPIRED_AUTHENTICATION"}))
        done = await tool.finish(await tool.add())
        assert (done.results, done.problem) == ({"accepted": 2}, None)
        assert {authorization for path, authorization in tool.api.calls if path != "/oauth/v1/token"} == {
            "Bearer access-token-1",
            "Bearer access-token-2",
        }
        assert tool.api.paths().count("/oauth/v1/token") == 2


def by_prefix(tool: Tool, query: str) -> Any:
    """Answers of the lists of HubSpot, whatever properties are requested; others by their path."""
    document = tool.api.document

    def answer(path: str, body: Any) -> Answer:
        if path.startswith("/crm/v3/objects/tickets?"):
            return Answer(body={"results": [ticket()]})
        if path.startswith("/crm/v3/objects/feedback_submissions?"):
            return Answer(body={"results": [submission()]})
        return document(path, body)

    return answer


async def test_a_refused_refresh_token_stops_the_calls_until_there_is_another(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    async with back_fill_tool(url, monkeypatch, "hubspot", APP) as tool:
        tool.api.queue(
            "/oauth/v1/token", Answer(400, {"status": "BAD_REFRESH_TOKEN", "message": "missing or unknown refresh token"})
        )
        job = await tool.add()
        assert await tool.filler.step()
        problem = "the tool's API answered 400: the tool gives no access token for the credentials"
        assert ((await tool.load(job)).problem, tool.api.paths()) == (problem, ["/oauth/v1/token"])
        await tool.pool.execute("UPDATE delivery_jobs SET due = now()")
        assert await tool.filler.step()
        assert len(tool.api.calls) == 1


async def test_messages_after_the_first_webhook_are_left_to_the_webhooks(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def answer(path: str, body: Any) -> Answer:
        documents = {
            "/api/v2/tickets?": [freshdesk_ticket(), freshdesk_ticket(id=12, created_at="2026-11-20T09:30:00Z")],
            "/api/v2/ticket_fields?": [{"name": "status", "choices": CHOICES}],
            "/api/v2/groups?": [{"id": 3, "name": "Billing"}],
            "/api/v2/agents?": Answer(403, {"code": "access_denied"}),
            "/api/v2/tickets/11/conversations?": [message(1, 0), message(2, 10)],
            "/api/v2/tickets/12/conversations?": [],
        }
        document = next(document for start, document in documents.items() if path.startswith(start))
        return document if isinstance(document, Answer) else Answer(body=document)

    webhook = {"earshot": "freshdesk", "event": "updated", "id": "11", "status": "Open", "text": ""}
    async with back_fill_tool(url, monkeypatch, "freshdesk", {"domain": "acme", "api_key": "the-api-key-0"}) as tool:
        monkeypatch.setattr(tool.api, "document", answer)
        assert await deliver(tool, json.dumps(webhook).encode()) == "accepted"
        await tool.pool.execute("UPDATE inbox SET received_at = '2026-11-20T09:05:00Z'")
        done = await tool.finish(await tool.add())
        assert done.results == {"accepted": 1}
        event = json.loads(await tool.pool.fetchval("SELECT event FROM events ORDER BY seq DESC LIMIT 1"))
        assert [fact["fact"] for fact in event["body"]["facts"]] == ["opened", "message"]
        assert (await tool.finish(await tool.add())).results == {"duplicate": 1}, "the back-fill itself is no webhook"
