"""Intercom: tickets, which come with all of their parts."""

import pytest
from msgspec import UNSET

from services.ingest.domain.connection import FieldMapping
from tests.unit.ingest.intercom_payloads import ADMIN, OPENED, changed, facts, fixture, record


def test_a_ticket_comes_with_the_history_of_its_parts() -> None:
    payload = fixture("ticket.admin.replied")
    read = record(payload)
    assert (read.id, read.channel, read.customer and read.customer.id) == ("215472600000002", "messenger", "c-78")
    [opened] = facts(payload, "opened")
    assert (opened.by, opened.public, opened.text) == ("customer", True, None)
    assert [fact.status for fact in facts(payload, "status")] == ["open"]
    assert [(fact.team, fact.agent) for fact in facts(payload, "assigned")] == [("77", UNSET), ("77", "501")]
    [reply] = facts(payload, "message")
    assert (reply.id, reply.by, reply.public, reply.text) == ("3004", "agent", True, "It is fixed.")


def test_the_id_0_of_a_ticket_is_nobody() -> None:
    [assigned] = facts(fixture("ticket.created"), "assigned")
    assert (assigned.team, assigned.agent) == (None, None)
    mapping = FieldMapping.model_validate(
        {"dimensions": {"admin_assignee_id": "segment", "ticket_type": "product", "Platform": "region"}}
    )
    dimensions = record(fixture("ticket.created"), mapping).dimensions
    assert dimensions == {"product": "Support request", "region": "web"}


@pytest.mark.parametrize(
    ("category", "status"),
    [("submitted", "new"), ("in_progress", "open"), ("waiting_on_customer", "pending"), ("resolved", "solved")],
)
def test_the_category_of_a_tickets_state_is_its_status(category: str, status: str) -> None:
    payload = changed("ticket.created", "ticket.resolved", ticket_state={"category": category, "internal_label": "Ours"})
    assert [fact.status for fact in facts(payload, "status")] == [status]
    assert [fact.status for fact in facts(changed("ticket.created", ticket_state=category), "status")] == [status]


def test_a_closed_ticket_is_closed_whatever_its_state() -> None:
    closed = [fact for fact in facts(fixture("ticket.closed"), "status") if fact.status == "closed"]
    assert len(closed) == 1


def test_an_internal_ticket_and_one_without_contacts_are_opened_by_staff_or_in_private() -> None:
    internal = changed("ticket.created", ticket_type={"is_internal": True}, contacts={"contacts": []})
    [opened] = facts(internal, "opened")
    assert (opened.public, opened.by) == (False, "agent")


def test_a_rating_of_a_ticket_is_read_where_a_conversation_has_it() -> None:
    rating = {"rating": 5, "remark": "Great", "updated_at": OPENED + 90_000}
    for payload in (
        changed("ticket.created", "ticket.rating.provided", conversation_rating=rating),
        changed("ticket.team.assigned", "ticket.rating.provided", conversation_rating=rating),
    ):
        assert [(fact.value, fact.text) for fact in facts(payload, "rating")] == [(5, "Great")]


def test_of_a_ticket_with_very_many_parts_the_latest_are_read() -> None:
    parts = [
        {"id": str(n), "part_type": "comment", "body": "x", "created_at": OPENED + n, "author": ADMIN, "assigned_to": ADMIN}
        for n in range(1, 2001)
    ]
    read = record(changed("ticket.created", ticket_parts={"ticket_parts": parts}))
    assert [fact.id for fact in read.facts if fact.fact == "message"][-1] == "2000"
