"""Help Scout: the messages of a conversation, which its API has and its webhooks have not."""

import json
from pathlib import Path
from typing import Any

import pytest

from services.ingest.domain.delivery import Delivery, StoredDelivery
from services.ingest.domain.providers import PROVIDERS, Request
from services.ingest.domain.providers.helpscout.threads import MOST_PAGES, HelpScoutSettings
from services.ingest.domain.providers.tool_api import TokenRequest
from services.ingest.domain.receive import parse_records, receive, receive_fetched
from services.ingest.domain.record import Ticket, read_record
from tests.unit.ingest.making import NOW, connection, request

FIXTURES = Path(__file__).parents[2] / "fixtures" / "providers"
TOOL = connection("helpscout", mapping=HelpScoutSettings(fetch_threads=True))
API = PROVIDERS["helpscout"].api
PATH = "/v2/conversations/1560011/threads"


def payload(name: str) -> dict[str, Any]:
    body: dict[str, Any] = json.loads((FIXTURES / f"helpscout__{name}.json").read_text())["body"]
    return body


THREADS: list[dict[str, Any]] = payload("convo.agent.reply.created_threads")["_embedded"]["threads"]


def sent(event: str = "convo.agent.reply.created") -> Request:
    return request(json.dumps(payload(event)).encode(), {"X-HelpScout-Event": event})


def page(*threads: dict[str, Any], pages: int = 1) -> dict[str, Any]:
    return {"_embedded": {"threads": list(threads)}, "page": {"size": 25, "totalElements": len(threads), "totalPages": pages}}


def calls(documents: dict[str, Any]) -> list[tuple[str, str]]:
    assert API
    return [(call.path, call.query["page"]) for call in API.fetches(sent(), documents, TOOL.mapping)]


def fetched(documents: dict[str, Any], event: str = "convo.agent.reply.created") -> Delivery:
    stored = StoredDelivery(1, "con_1", "d", NOW, {"x-helpscout-event": event}, json.dumps(payload(event)).encode(), "", 1)
    return receive_fetched(TOOL, stored, documents, NOW)


def messages(delivery: Delivery) -> list[tuple[str | None, str, str | None]]:
    assert delivery.verdict == "accepted", delivery.reason
    [value] = parse_records(TOOL, delivery)
    record = read_record(value, NOW)
    assert isinstance(record, Ticket)
    return [(fact.id, fact.by, fact.text) for fact in record.facts if fact.fact == "message"]


def test_an_event_about_a_conversation_waits_for_its_threads_and_each_event_by_itself() -> None:
    first, second = receive(TOOL, sent(), NOW), receive(TOOL, sent("convo.status"), NOW)
    assert (first.verdict, first.subjects) == ("pending", ("con_1/ticket/1560011",))
    assert first.fetch
    assert first.fetch != second.fetch
    plain = connection("helpscout", mapping=HelpScoutSettings())
    assert receive(plain, sent(), NOW).verdict == "accepted"


def test_a_reply_whose_time_only_its_thread_has_is_fetched() -> None:
    body = payload("convo.agent.reply.created")
    del body["userUpdatedAt"]
    untimed = request(json.dumps(body).encode(), {"X-HelpScout-Event": "convo.agent.reply.created"})
    assert receive(TOOL, untimed, NOW).verdict == "pending"
    assert receive(connection("helpscout", mapping=HelpScoutSettings()), untimed, NOW).verdict == "quarantined"


def test_the_pages_of_threads_are_fetched_one_after_the_other() -> None:
    assert calls({}) == [(PATH, "1")]
    assert calls({"threads:1": page(pages=2)}) == [(PATH, "2")]
    assert calls({"threads:1": page(pages=2), "threads:2": page(pages=2)}) == []
    assert calls({"threads:1": None}) == [], "the conversation was deleted"
    assert calls({f"threads:{number}": page(pages=99) for number in range(1, MOST_PAGES + 1)}) == []


def test_the_messages_on_all_pages_are_read_with_ids_and_texts() -> None:
    delivery = fetched({"threads:1": page(*THREADS[:3], pages=2), "threads:2": page(*THREADS[3:], pages=2)})
    assert messages(delivery) == [("2", "agent", "Which one?\nRegards"), ("4", "agent", "VIP")]


def test_without_threads_the_event_is_read_as_it_came() -> None:
    assert messages(fetched({"threads:1": None})) == [(None, "agent", None)]


def test_ratings_and_deletions_need_no_call() -> None:
    for event in ("satisfaction.ratings", "convo.deleted"):
        assert receive(TOOL, sent(event), NOW).verdict == "accepted"


def test_the_secret_of_an_application_is_exchanged() -> None:
    assert API
    credentials = API.credentials.model_validate({"client_id": "the-app-id", "client_secret": "the-app-secret"})
    form = {"grant_type": "client_credentials", "client_id": "the-app-id", "client_secret": "the-app-secret"}
    assert credentials.token_request() == TokenRequest("https://api.helpscout.net", "/v2/oauth2/token", form)
    assert API.headers(credentials.with_token("a-token")) == {"authorization": "Bearer a-token"}
    assert "a-token" not in credentials.with_token("a-token").model_dump_json()


@pytest.mark.parametrize("values", [{}, {"client_id": "the-app-id"}, {"access_token": "a-token-0"}])
def test_other_credentials_are_refused(values: dict[str, str]) -> None:
    assert API
    with pytest.raises(ValueError, match="client_"):
        API.credentials.model_validate(values)
