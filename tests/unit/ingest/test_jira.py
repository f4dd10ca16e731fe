"""Jira Service Management: issues, changes of their fields, comments."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from services.ingest.domain.providers import PROVIDERS, NotVerified, Parsed, Request, read_settings
from services.ingest.domain.record import Ticket, read_record
from tests.unit.ingest.making import NOW, request

PROVIDER = PROVIDERS["jira"]
FIXTURES = Path(__file__).parents[2] / "fixtures" / "providers"
OPENED = datetime(2026, 11, 20, 8, 0, 0, 123_000, tzinfo=UTC)


def fixture(name: str, fields: dict[str, Any] | None = None, **changed: Any) -> Request:
    """The request of a fixture, with changed fields of its issue and of its payload."""
    value: dict[str, Any] = json.loads((FIXTURES / f"jira__{name}.json").read_text())
    body = value["body"] | changed
    if fields:
        body["issue"]["fields"] |= fields
    return request(json.dumps(body).encode(), value["headers"])


def parse(sent: Request, mapping: dict[str, Any] | None = None) -> Parsed:
    return PROVIDER.parse(sent, read_settings("jira", mapping or {}))


def record(sent: Request, mapping: dict[str, Any] | None = None) -> Ticket:
    parsed = parse(sent, mapping)
    assert parsed.problem is None, parsed.problem
    [value] = parsed.records
    read = read_record(value, NOW)
    assert isinstance(read, Ticket)
    return read


def facts(sent: Request, kind: str, mapping: dict[str, Any] | None = None) -> list[Any]:
    return [fact for fact in record(sent, mapping).facts if fact.fact == kind]


def test_the_body_is_signed() -> None:
    body = b'{"event_id":"LtWXD3crgy","event_type":"form_response"}'
    headers = {"X-Hub-Signature": "sha256=f50938de40e719fb89c3d62f7ecbc54c32571cb89fdfc469e94fa65cba1a50d8"}
    PROVIDER.verify(request(body, headers), ["a-former-secret", "test-secret"], NOW)
    for refused in (request(b"{}", headers), request(body)):
        with pytest.raises(NotVerified):
            PROVIDER.verify(refused, ["test-secret"], NOW)
    assert parse(fixture("issue_created")).id == "id-issue_created"


def test_a_new_issue_is_opened_by_its_reporter_or_by_an_agent() -> None:
    sent = fixture("issue_created")
    read = record(sent, {"dimensions": {"customfield_10020": "segment", "project": "product", "labels": "region"}})
    assert (read.id, read.at) == ("10042", OPENED)
    assert read.dimensions == {"segment": "pro", "product": "SUP", "region": "billing"}
    assert read.customer
    assert (read.customer.id, read.customer.email) == ("jira:qm:77", None)
    [opened] = facts(sent, "opened")
    assert (opened.by, opened.text, opened.at) == ("customer", "My invoice is wrong.", OPENED)
    assert [(fact.status, fact.at) for fact in facts(sent, "status")] == [("new", OPENED)]
    assert [fact.priority for fact in facts(sent, "priority")] == ["medium"]
    assert [fact.agent for fact in facts(sent, "assigned")] == [None]
    [opened] = facts(fixture("issue_created", {"creator": {"accountId": "557058:3"}}), "opened")
    assert (opened.by, opened.agent) == ("agent", "557058:3")


def test_an_update_states_the_fields_that_changed_with_its_time() -> None:
    sent = fixture("issue_updated")
    nine = datetime(2026, 11, 20, 9, tzinfo=UTC)
    assert [(fact.status, fact.at) for fact in facts(sent, "status")] == [("solved", nine)]
    assert [(fact.agent, fact.at) for fact in facts(sent, "assigned")] == [("557058:3", nine)]
    assert facts(sent, "priority") == []
    assert parse(sent).names == (("agent", "557058:3", "Ada Byron"),)
    assert [fact.fact for fact in record(fixture("issue_updated", changelog=None)).facts] == ["opened"]


def test_a_status_counts_by_its_category_or_by_the_mapping() -> None:
    waiting = {"status": {"name": "Waiting for customer", "statusCategory": {"key": "indeterminate"}}}
    assert [fact.status for fact in facts(fixture("issue_updated", waiting), "status")] == ["open"]
    mapping = {"statuses": {"Waiting for customer": "pending"}}
    assert [fact.status for fact in facts(fixture("issue_updated", waiting), "status", mapping)] == ["pending"]
    unknown = parse(fixture("issue_updated", {"status": {"name": "Odd"}}))
    assert unknown.problem == "status: no category; declare it in `statuses` of the mapping"
    assert (unknown.problem_code, unknown.about) == ("unknown_value", ("ticket/10042",))


def test_a_comment_is_of_its_author() -> None:
    [reply] = facts(fixture("comment_created"), "message")
    assert (reply.id, reply.by, reply.agent, reply.public, reply.text) == ("501", "agent", "557058:3", True, "Which one?")
    assert reply.at == datetime(2026, 11, 20, 8, 20, tzinfo=UTC)
    [written] = facts(fixture("comment_created_by_customer"), "message")
    assert (written.by, written.text) == ("customer", "The last one.")
    comment = json.loads(fixture("comment_created").body)["comment"]
    [note] = facts(fixture("comment_created", comment=comment | {"jsdPublic": False}), "message")
    assert note.public is False
    for limits, public in (({"visibility": {"type": "role", "value": "Agents"}}, False), ({"visibility": None}, True)):
        [limited] = facts(fixture("issue_updated", comment=comment | {"jsdPublic": None} | limits), "message")
        assert limited.public is public
    [deleted] = facts(fixture("comment_created", webhookEvent="comment_deleted"), "message")
    assert (deleted.id, deleted.text) == ("501", None)
    [with_update] = facts(fixture("issue_updated", comment=comment), "message")
    assert (with_update.id, with_update.text) == ("501", "Which one?")


def test_a_comment_of_an_app_is_automatic() -> None:
    comment = json.loads(fixture("comment_created").body)["comment"]
    app = {"accountId": "557058:9", "accountType": "app", "displayName": "Automation for Jira"}
    [written] = facts(fixture("comment_created", comment=comment | {"author": app}), "message")
    assert (written.by, written.agent, written.auto) == ("bot", None, True)
    [own] = facts(fixture("issue_updated", {"reporter": app}, comment=comment | {"author": app}), "message")
    assert own.by == "customer"


def test_texts_may_be_documents() -> None:
    def paragraph(*content: dict[str, Any]) -> dict[str, Any]:
        return {"type": "paragraph", "content": [*content]}

    words = {"type": "text", "text": "Which one, "}
    mention = {"type": "mention", "attrs": {"id": "qm:77", "text": "@Jo"}}
    item = {"type": "listItem", "content": [paragraph({"type": "text", "text": "The last"})]}
    last = paragraph({"type": "text", "text": "or"}, {"type": "hardBreak"}, {"type": "text", "text": "none?"})
    document = {
        "type": "doc",
        "version": 1,
        "content": [paragraph(words, mention), {"type": "bulletList", "content": [item]}, last],
    }
    comment = json.loads(fixture("comment_created").body)["comment"]
    [message] = facts(fixture("comment_created", comment=comment | {"body": document}), "message")
    assert message.text == "Which one, @Jo\nThe last\nor\nnone?"
    assert [fact.text for fact in facts(fixture("issue_created", {"description": document}), "opened")] == [message.text]
    for other in ({}, {"type": "doc", "content": [None, 5, {"type": "mention"}]}, 7):
        assert [fact.text for fact in facts(fixture("comment_created", comment=comment | {"body": other}), "message")] == [None]


def test_a_deleted_issue_is_deleted_and_other_events_are_ignored() -> None:
    assert [fact.at.hour for fact in facts(fixture("issue_deleted"), "deleted")] == [10]
    assert parse(fixture("issue_created", webhookEvent="worklog_created")).ignored == "worklog_created"


@pytest.mark.parametrize(
    ("sent", "problem"),
    [
        (fixture("issue_created", issue={}), "issue.id is missing"),
        (fixture("issue_created", timestamp="now"), "timestamp is needed, in Unix milliseconds"),
        (fixture("issue_created", {"created": "yesterday"}), "created is no time"),
        (fixture("comment_created", comment={}), "comment.id and comment.created are needed"),
    ],
)
def test_a_payload_of_another_shape_is_a_problem(sent: Request, problem: str) -> None:
    assert parse(sent).problem == problem


def test_the_channel_may_be_a_field_by_the_mapping() -> None:
    read = record(fixture("issue_created"), {"dimensions": {"project": "channel", "labels": "region"}})
    assert (read.channel, read.dimensions) == ("SUP", {"region": "billing"})
    assert record(fixture("issue_created")).channel is None
