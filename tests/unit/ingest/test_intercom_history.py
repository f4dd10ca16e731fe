"""The history of Intercom: conversations and tickets with their parts."""

import json
from typing import Any

import pytest

from services.ingest.domain.providers import PROVIDERS
from services.ingest.domain.providers.payload import Unusable
from services.ingest.domain.providers.tool_api import Fetch
from services.ingest.domain.receive import parse_records, receive
from services.ingest.domain.record import Ticket, read_record
from tests.unit.ingest.history_pages import begin, deliveries, read_page
from tests.unit.ingest.intercom_payloads import ADMIN, OPENED, fixture, with_part
from tests.unit.ingest.making import NOW, connection, request

TOOL = connection("intercom")
ITEM: dict[str, Any] = fixture("conversation.user.created")["data"]["item"]
ID = str(ITEM["id"])
REPLY = {
    "id": "1",
    "part_type": "comment",
    "body": "<p>Hello</p>",
    "created_at": OPENED + 60,
    "author": ADMIN,
    "attachments": [{}],
}


def listed(kind: str, *items: dict[str, Any], after: str | None = None, total: int = 1) -> dict[str, Any]:
    pages = {"type": "pages", "page": 1, "per_page": 20, "next": {"page": 2, "starting_after": after} if after else None}
    return {"type": f"{kind}.list", kind: list(items), "total_count": total, "pages": pages}


def conversation(**fields: Any) -> dict[str, Any]:
    parts = {"type": "conversation_part.list", "conversation_parts": [REPLY], "total_count": 1}
    return {**ITEM, "state": "closed", "updated_at": OPENED + 90, "conversation_parts": parts, **fields}


def answers(fetch: Fetch) -> Any:
    return {"/conversations/search": listed("conversations", ITEM), f"/conversations/{ID}": conversation()}.get(fetch.path)


def only_record(page: Any) -> Any:
    [delivery] = deliveries(TOOL, page)
    assert delivery.verdict == "accepted", delivery.reason
    [value] = parse_records(TOOL, delivery)
    record = read_record(value, NOW)
    assert isinstance(record, Ticket)
    return record


def test_the_first_calls_search_what_was_updated_since_and_fetch_each_conversation_with_its_parts() -> None:
    page, calls = read_page(TOOL, begin(TOOL), answers)
    assert [call.path for call in calls] == ["/conversations/search", f"/conversations/{ID}"]
    query = {"field": "updated_at", "operator": ">", "value": 1793491199}
    assert calls[0].body == {"query": query, "pagination": {"per_page": 20}}
    record = only_record(page)
    assert record.id == ID
    [reply] = [fact for fact in record.facts if fact.fact == "message"]
    assert (reply.id, reply.by, reply.text, reply.public) == ("1", "agent", "Hello", True)
    assert [fact.status for fact in record.facts if fact.fact == "status"] == ["closed"]


def test_a_message_that_a_webhook_has_brought_has_the_same_id_and_time() -> None:
    page, _ = read_page(TOOL, begin(TOOL), answers)
    [from_list] = [fact for fact in only_record(page).facts if fact.fact == "message"]
    delivery = receive(TOOL, request(json.dumps(with_part()).encode()), NOW)
    [value] = parse_records(TOOL, delivery)
    record = read_record(value, NOW)
    assert isinstance(record, Ticket)
    [from_webhook] = [fact for fact in record.facts if fact.fact == "message"]
    assert (from_list.id, from_list.at, from_list.by) == (from_webhook.id, from_webhook.at, from_webhook.by)


def test_pages_follow_the_cursor_and_tickets_come_after_conversations() -> None:
    first, _ = read_page(TOOL, begin(TOOL), {"/conversations/search": listed("conversations", after="WzE3", total=21)})
    assert (first.cursor or {})["after"] == "WzE3"
    assert first.expected == 21
    last, calls = read_page(TOOL, first.cursor or {}, {"/conversations/search": listed("conversations", total=21)})
    assert (calls[0].body or {})["pagination"] == {"per_page": 20, "starting_after": "WzE3"}
    assert ((last.cursor or {})["kind"], (last.cursor or {})["after"], last.expected) == ("tickets", None, 0)
    end, calls = read_page(TOOL, last.cursor or {}, {"/tickets/search": listed("tickets", total=0)})
    assert (calls[0].path, end.cursor) == ("/tickets/search", None)


def test_a_workspace_without_tickets_is_done_after_its_conversations() -> None:
    page, _ = read_page(TOOL, begin(TOOL, kind="tickets"), {})
    assert (page.deliveries, page.cursor) == ([], None)


def test_a_conversation_whose_details_are_missing_comes_as_it_was_listed() -> None:
    page, _ = read_page(TOOL, begin(TOOL), {"/conversations/search": listed("conversations", ITEM)})
    assert only_record(page).facts[0].fact == "opened"


@pytest.mark.parametrize("answer", [{"type": "error.list"}, [], {"conversations": None}])
def test_an_answer_that_is_no_list_is_unusable(answer: Any) -> None:
    with pytest.raises(Unusable, match="has no `conversations`"):
        read_page(TOOL, begin(TOOL), {"/conversations/search": answer})


def test_the_same_page_again_is_unusable() -> None:
    with pytest.raises(Unusable, match="the same page again"):
        read_page(TOOL, begin(TOOL, after="WzE3"), {"/conversations/search": listed("conversations", after="WzE3")})


def test_a_conversation_that_can_not_be_read_is_quarantined_with_its_subject() -> None:
    broken = {"/conversations/search": listed("conversations", ITEM), f"/conversations/{ID}": conversation(state="lost")}
    page, _ = read_page(TOOL, begin(TOOL), broken)
    [delivery] = deliveries(TOOL, page)
    assert (delivery.verdict, delivery.subjects) == ("quarantined", (f"con_1/ticket/{ID}",))


def test_the_host_follows_the_region() -> None:
    history = PROVIDERS["intercom"].history
    assert history
    credentials = history.credentials.model_validate({"access_token": "a-token-0", "region": "eu"})
    assert history.base_url(credentials) == "https://api.eu.intercom.io"
    assert history.headers(credentials) == {"authorization": "Bearer a-token-0", "intercom-version": "2.14"}
