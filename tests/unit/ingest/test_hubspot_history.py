"""The history of HubSpot: tickets and feedback submissions."""

from typing import Any

import pytest
from pydantic import ValidationError

from services.ingest.domain.delivery import StoredDelivery
from services.ingest.domain.providers import PROVIDERS
from services.ingest.domain.providers.hubspot.settings import HubSpotSettings
from services.ingest.domain.providers.payload import Unusable
from services.ingest.domain.providers.tool_api import TokenRequest
from services.ingest.domain.receive import receive_fetched
from tests.unit.ingest.history_pages import begin, deliveries, read_page
from tests.unit.ingest.hubspot_documents import (
    CONTACT,
    OWNER,
    PIPELINES,
    TICKET_EVENT,
    event,
    submission,
    ticket,
    ticket_documents,
)
from tests.unit.ingest.making import NOW, connection

TOOL = connection("hubspot", mapping=HubSpotSettings.model_validate({"stages": {"1": "new"}, "dimensions": {"plan": "segment"}}))
TICKETS, SUBMISSIONS = "/crm/v3/objects/tickets", "/crm/v3/objects/feedback_submissions"
CONTACTS = "/crm/v3/objects/contacts/batch/read"
ANSWERS: dict[str, Any] = {
    "/crm/v3/pipelines/tickets": PIPELINES,
    "/crm/v3/owners": {"results": [OWNER]},
    CONTACTS: {"status": "COMPLETE", "results": [CONTACT]},
    TICKETS: {"results": [ticket()], "paging": {"next": {"after": "9988776655", "link": "…"}}},
    SUBMISSIONS: {"results": [submission()]},
}


def test_a_page_of_tickets_takes_four_calls() -> None:
    page, calls = read_page(TOOL, begin(TOOL), ANSWERS)
    assert [call.path for call in calls] == [TICKETS, "/crm/v3/pipelines/tickets", "/crm/v3/owners", CONTACTS]
    assert calls[0].query["limit"] == "50"
    assert "plan" in calls[0].query["properties"].split(",")
    assert calls[3].body == {"properties": ["email"], "inputs": [{"id": "551"}]}
    assert (page.cursor or {})["after"] == "9988776655"


def test_a_listed_ticket_is_the_same_statement_as_one_that_an_event_has_brought() -> None:
    page, _ = read_page(TOOL, begin(TOOL), ANSWERS)
    [listed] = deliveries(TOOL, page)
    stored = StoredDelivery(1, "con_1", "e", NOW, {}, event(TICKET_EVENT), "", 1)
    fetched = receive_fetched(TOOL, stored, ticket_documents(), NOW)
    assert (listed.verdict, listed.reason) == ("accepted", None)
    assert [one.fingerprint for one in listed.statements] == [one.fingerprint for one in fetched.statements]


def test_submissions_come_after_tickets_and_end_the_history() -> None:
    last, _ = read_page(TOOL, begin(TOOL, after="1"), ANSWERS | {TICKETS: {"results": []}})
    assert ((last.cursor or {})["target"], (last.cursor or {})["after"]) == ("feedback_submission", None)
    page, calls = read_page(TOOL, last.cursor or {}, ANSWERS)
    assert [call.path for call in calls] == [SUBMISSIONS, CONTACTS]
    [delivery] = deliveries(TOOL, page)
    assert (delivery.verdict, delivery.statements[0].event.subject) == ("accepted", "con_1/response/553311")
    assert page.cursor is None


def test_a_token_without_the_scope_of_surveys_ends_after_the_tickets() -> None:
    page, _ = read_page(TOOL, begin(TOOL, target="feedback_submission"), {})
    assert (page.deliveries, page.cursor) == ([], None)


def test_objects_that_were_last_changed_before_are_left_out() -> None:
    old = ticket(hs_lastmodifieddate="2026-10-31T23:59:59Z")
    page, _ = read_page(TOOL, begin(TOOL), ANSWERS | {TICKETS: {"results": [old, ticket()]}})
    assert (len(page.deliveries), page.expected) == (1, 1)


def test_contacts_that_may_not_be_read_leave_the_id_alone() -> None:
    page, _ = read_page(TOOL, begin(TOOL), {**ANSWERS, CONTACTS: None})
    [delivery] = deliveries(TOOL, page)
    assert delivery.statements[0].event.customer
    assert delivery.statements[0].email is None


@pytest.mark.parametrize("answer", [{}, [], {"results": None}])
def test_an_answer_that_is_no_list_is_unusable(answer: Any) -> None:
    with pytest.raises(Unusable, match="has no `results`"):
        read_page(TOOL, begin(TOOL), ANSWERS | {TICKETS: answer})


def test_the_same_page_again_is_unusable() -> None:
    with pytest.raises(Unusable, match="the same page again"):
        read_page(TOOL, begin(TOOL, after="9988776655"), ANSWERS)


def credentials(**values: Any) -> Any:
    model = PROVIDERS["hubspot"].credentials
    assert model
    return model.model_validate(values)


def test_a_refresh_token_is_exchanged_and_an_access_token_is_not() -> None:
    app = {"client_id": "the-client-id", "client_secret": "the-client-secret", "refresh_token": "the-refresh-token"}
    form = {"grant_type": "refresh_token", **app}
    assert credentials(**app).token_request() == TokenRequest("https://api.hubapi.com", "/oauth/v1/token", form)
    assert credentials(**app).with_token("an-access-token").access_token == "an-access-token"
    assert credentials(access_token="an-access-token").token_request() is None


@pytest.mark.parametrize(
    "values",
    [
        {},
        {"client_id": "the-client-id"},
        {"client_id": "the-client-id", "client_secret": "the-client-secret"},
        {"access_token": "an-access-token", "refresh_token": "the-refresh-token"},
    ],
)
def test_credentials_are_an_access_token_or_all_of_a_public_app(values: dict[str, str]) -> None:
    with pytest.raises(ValidationError, match="either access_token, or client_id, client_secret and refresh_token"):
        credentials(**values)
