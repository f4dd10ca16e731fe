"""The names that payloads state for teams, agents and surveys."""

import json
from typing import Any

import pytest

from services.ingest.domain.connection import FieldMapping
from services.ingest.domain.providers import PROVIDERS
from services.ingest.domain.providers.zendesk import trigger
from services.ingest.domain.receive import receive_record
from services.ingest.domain.value_names import ValueName, states_identity, usable_names
from tests.unit.ingest.making import NOW, connection, nps, receive_body, request, response
from tests.unit.ingest.zendesk_payloads import FIXTURES, TRIGGER, filled, parse

COMMENT_ADDED = json.loads((FIXTURES / "zendesk__ticket.comment_added.json").read_text())


def comment_added(**author: Any) -> bytes:
    """A comment of an author."""
    event = {"comment": {**COMMENT_ADDED["event"]["comment"], "author": author}}
    return json.dumps({**COMMENT_ADDED, "event": event}).encode()


def named_template(group_name: str, assignee_name: str, comment: str) -> bytes:
    """Our template as Zendesk fills it in: without escaping."""
    values = {"ticket.group.id": "360", "ticket.assignee.id": "412", "ticket.id": "7", "ticket.status": "open"} | {
        "ticket.group.name": group_name,
        "ticket.assignee.name": assignee_name,
        "ticket.created_at_with_timestamp": "2026-11-16T07:15:00Z",
        "ticket.updated_at_with_timestamp": "2026-11-16T08:15:00Z",
        "satisfaction.current_comment": comment,
    }
    body = trigger.template()
    for name in json.loads(body).values():
        body = body.replace(name, values.get(name.strip("{}"), "")) if name.startswith("{{") else body
    return body.encode()


def test_a_comment_of_staff_names_the_agent() -> None:
    assert parse(comment_added(id="411", is_staff=True, name="Ada")).names == (ValueName("agent", "411", "Ada"),)


@pytest.mark.parametrize(
    "author",
    [
        {"id": "411", "is_staff": False, "name": "Franz Huber"},
        {"id": "411", "name": "Franz Huber"},
        {"id": "411", "is_staff": "true", "name": "Franz Huber"},
        {"id": COMMENT_ADDED["detail"]["requester_id"], "is_staff": True, "name": "Franz Huber"},
    ],
)
def test_a_customers_name_is_no_name_of_an_agent(author: dict[str, Any]) -> None:
    parsed = parse(comment_added(**author))
    assert parsed.records
    assert parsed.names == ()


@pytest.mark.parametrize("comment", ["fine", 'they said "later",\n  "group_name": "x",\nand left'])
@pytest.mark.parametrize("agent", ["Ada", 'Ada "Lady" \\ Lovelace'])
def test_a_trigger_names_team_and_agent(agent: str, comment: str) -> None:
    parsed = parse(named_template('The "A" team', agent, comment))
    assert parsed.problem is None
    assert parsed.names == (ValueName("team", "360", 'The "A" team'), ValueName("agent", "412", agent))


def test_a_trigger_of_an_earlier_template_has_no_names() -> None:
    assert parse(TRIGGER).names == ()
    assert parse(filled(group_name="Billing", group="0")).names == ()


def test_the_title_of_a_typeform_names_its_survey() -> None:
    body = (FIXTURES / "typeform__form_response.json").read_bytes()
    [name] = PROVIDERS["typeform"].parse(request(body), FieldMapping()).names
    assert name == ("survey", "Fq3xW1", "How are we doing?")
    assert receive_body(connection("typeform"), {}, body, NOW).names == (name,)


def test_a_record_names_its_survey() -> None:
    record = response(nps(), survey={"id": "post-support", "name": "After  support\n"})
    assert receive_record(connection(), record, None, b"", NOW).names == (("survey", "post-support", "After support"),)


def test_names_are_stored_as_one_line_in_nfc_and_once() -> None:
    names = [
        ValueName("team", "1", "Billing"),
        ValueName("team", "1", " Cafe\u0301 \t bar "),
        ValueName("team", "2", "2"),
        ValueName("team", "3", " \n"),
        ValueName("team", "4", "x" * 300),
        ValueName("team", "5\n", "x"),
        ValueName("region", "6", "x"),
        ValueName("team", "7", "\x00"),
    ]
    assert usable_names(names) == (ValueName("team", "1", "Café bar"), ValueName("team", "4", "x" * 200))


def test_an_address_is_recognized_as_an_identity() -> None:
    assert states_identity("Ada <ada@example.org>")
    assert not states_identity("Ada Lovelace")
