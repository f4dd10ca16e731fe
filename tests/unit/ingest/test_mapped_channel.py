"""A mapping may read a record's channel and its survey from fields of the payload, with every provider that has dimensions."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from services.ingest.domain.providers import PROVIDERS, Parsed, read_settings
from services.ingest.domain.record import Response, Review, Ticket, read_record
from tests.unit.ingest import hubspot_documents, qualtrics_documents, surveymonkey_documents
from tests.unit.ingest.making import NOW, fixture_request, request

FIXTURES = Path(__file__).parents[3] / "tests" / "fixtures" / "providers"


class Mapped(NamedTuple):
    """A field of the payload and its value, for the channel, and for the survey of a response. `payload` names a fixture, or
    reads documents of the tool's API under a mapping."""

    payload: str | Callable[[dict[str, Any]], Parsed]
    channel: tuple[str, str]
    survey: tuple[str, str] | None = None

    def parse(self) -> Parsed:
        """The payload, read under a mapping that names the fields."""
        mapping = {"dimensions": {self.channel[0]: "channel"} | ({self.survey[0]: "survey"} if self.survey else {})}
        if not isinstance(self.payload, str):
            return self.payload(mapping)
        name = self.payload.partition("__")[0]
        [delivery, *_] = PROVIDERS[name].requests(fixture_request(FIXTURES / f"{self.payload}.json"))
        return PROVIDERS[name].parse(delivery, read_settings(name, mapping))


def fetched(
    name: str, event: bytes, documents: dict[str, Any], headers: dict[str, str] | None = None
) -> Callable[[dict[str, Any]], Parsed]:
    """Reads an event whose content the tool's API returned."""
    api = PROVIDERS[name].api
    assert api
    return lambda mapping: api.parse(request(event, headers), api.condense(documents), read_settings(name, mapping))


def listed(name: str, ticket: dict[str, Any]) -> Callable[[dict[str, Any]], Parsed]:
    """Reads a ticket that the tool's list API returned."""
    provider = PROVIDERS[name]
    parse = provider.api.parse if provider.api else provider.history.parse if provider.history else None
    assert parse
    return lambda mapping: parse(request(), {"ticket": ticket}, read_settings(name, mapping))


OPENED, UPDATED = "2026-11-20T08:00:00Z", "2026-11-20T10:00:00Z"
FRESHDESK_TICKET = {"id": 11, "created_at": OPENED, "updated_at": UPDATED, "status": 2, "source": 1, "type": "Incident"}
ZENDESK_TICKET = {"id": 11, "created_at": OPENED, "updated_at": UPDATED, "status": "open", "brand_id": 77001}
HUBSPOT_TICKET = hubspot_documents.event(hubspot_documents.TICKET_EVENT), hubspot_documents.ticket_documents()
SUBMISSION = hubspot_documents.event(hubspot_documents.SUBMISSION_EVENT), hubspot_documents.submission_documents(shop="Graz")
QUALTRICS = qualtrics_documents.plain_form(), qualtrics_documents.documents({"shop": "Graz"}), qualtrics_documents.FORM
SURVEYMONKEY = surveymonkey_documents.EVENT, surveymonkey_documents.documents(custom_value="Graz")

CASES = {
    "asknicely": Mapped("asknicely__response", ("segment", "general"), ("person.segment", "retail")),
    "chatwoot": Mapped("chatwoot__conversation_created", ("plan", "pro")),
    "delighted": Mapped("delighted__survey_response.created", ("Delivery", "email"), ("plan", "pro")),
    "formbricks": Mapped("formbricks__responseFinished", ("country", "DE"), ("plan", "pro")),
    "freshdesk": Mapped("freshdesk__created", ("type", "Incident")),
    "freshdesk, a listed ticket": Mapped(listed("freshdesk", FRESHDESK_TICKET), ("type", "Incident")),
    "front": Mapped("front__inbound", ("Plan", "pro")),
    "google_forms": Mapped("google_forms__response", ("106", "pro"), ("105", "c-77")),
    "gorgias": Mapped("gorgias__ticket_created", ("team", "3")),
    "helpscout": Mapped("helpscout__convo.created", ("Account Type", "pro")),
    "hubspot, a submission": Mapped(fetched("hubspot", *SUBMISSION), ("plan", "pro"), ("shop", "Graz")),
    "hubspot, a ticket": Mapped(fetched("hubspot", *HUBSPOT_TICKET), ("plan", "pro")),
    "intercom": Mapped("intercom__conversation.user.created", ("Plan", "pro")),
    "jira": Mapped("jira__issue_created", ("customfield_10020", "pro")),
    "jotform": Mapped("jotform__submission", ("plan", "pro"), ("customerId", "c-77")),
    "qualtrics": Mapped(fetched("qualtrics", *QUALTRICS), ("plan", "pro"), ("shop", "Graz")),
    "surveymonkey": Mapped(fetched("surveymonkey", *SURVEYMONKEY), ("plan", "pro"), ("custom_value", "Graz")),
    "survicate": Mapped("survicate__nps", ("plan", "pro"), ("user_id", "c-77")),
    "tally": Mapped("tally__FORM_RESPONSE", ("question_plan", "pro"), ("region", "DE")),
    "trustpilot": Mapped("trustpilot__service-review-created", ("referenceId", "ORDER-1001")),
    "typeform": Mapped("typeform__form_response", ("plan", "team"), ("region", "AT")),
    "zammad": Mapped("zammad__created", ("organization", "Awesome Customer Inc.")),
    "zendesk, an event": Mapped("zendesk__ticket.created", ("brand_id", "77001")),
    "zendesk, a listed ticket": Mapped(listed("zendesk", ZENDESK_TICKET), ("brand_id", "77001")),
    "zendesk, a trigger": Mapped("zendesk__trigger", ("group", "360000000000002")),
}
OTHERS = {"standard", "cloudevents"}
"""Their payloads are records, which state the channel; test_cloudevents.py tests the mapping of other payloads."""


@pytest.mark.parametrize("case", CASES)
def test_the_channel_and_the_survey_are_those_that_the_mapping_names(case: str) -> None:
    mapped = CASES[case]
    parsed = mapped.parse()
    assert parsed.problem is None
    record = read_record(parsed.records[0], NOW)
    assert isinstance(record, Response | Review | Ticket)
    assert (record.channel, record.dimensions.keys() & {"channel", "survey"}) == (mapped.channel[1], set())
    assert isinstance(record, Response) == (mapped.survey is not None)
    if isinstance(record, Response) and mapped.survey:
        assert record.survey
        assert record.survey.id == mapped.survey[1]


def test_every_provider_with_dimensions_is_tested() -> None:
    tested = {case.partition(",")[0] for case in CASES}
    assert tested | OTHERS == {name for name, provider in PROVIDERS.items() if "dimensions" in provider.settings.model_fields}
