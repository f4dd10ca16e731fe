"""Ids of customers that a tool gives have the provider's name; the tenant's own ids are bare, also those that a mapping names."""

import json
from typing import Any

import pytest
from msgspec.structs import replace

from services.ingest.domain.connection import FieldMapping
from services.ingest.domain.providers import PROVIDERS, read_settings
from services.ingest.domain.providers.customers import TOOLS, customer_fields, own_id
from services.ingest.domain.pseudonym import FORMERLY_BARE, OWN_RECORDS
from tests.unit.ingest.making import fixture_request
from tests.unit.ingest.test_provider_contract import FIXTURES

OWN = "c-77"


def customers(fixture: str, mapping: dict[str, Any] | None = None) -> list[dict[str, Any]]:
    provider = fixture.partition("__")[0]
    parsed = PROVIDERS[provider].parse(fixture_request(FIXTURES / f"{fixture}.json"), read_settings(provider, mapping or {}))
    return [record["customer"] for record in parsed.records if "customer" in record]


def test_every_tool_has_a_namespace() -> None:
    assert {*PROVIDERS} - {*OWN_RECORDS} == TOOLS


@pytest.mark.parametrize("identity", ["zendesk:351", "Intercom:1", " gorgias:7"])
def test_a_value_of_a_form_is_no_id_of_a_tool(identity: str) -> None:
    fields = customer_fields("survicate", tool_id="279c", own_id=identity, email="jo@example.org")
    assert fields == {"id": "survicate:279c", "email": "jo@example.org"}
    assert customer_fields("typeform", own_id="shop:351") == {"id": "shop:351"}


@pytest.mark.parametrize("field", ["customer_id", "account"])
def test_a_hidden_field_can_not_spoof_the_customer_of_a_tool(field: str) -> None:
    sent = fixture_request(FIXTURES / "typeform__form_response.json")
    body = json.loads(sent.body)
    body["form_response"]["hidden"] = {field: "zendesk:351"}
    mapping = read_settings("typeform", {"customer": "account"})
    [record] = PROVIDERS["typeform"].parse(replace(sent, body=json.dumps(body).encode()), mapping).records
    assert "id" not in record.get("customer", {})


@pytest.mark.parametrize("provider", sorted({*FORMERLY_BARE} - {"hubspot"}))
def test_ids_of_a_tool_have_the_providers_name(provider: str) -> None:
    """HubSpot's are in documents that are fetched."""
    several = [one for path in sorted(FIXTURES.glob(f"{provider}__*.json")) for one in customers(path.stem)]
    ids = {one["id"] for one in several if "id" in one and "aliases" not in one}
    aliases = {alias["id"] for one in several for alias in one.get("aliases", ())}
    assert ids | aliases
    assert all(identity.startswith(f"{provider}:") for identity in ids | aliases)


OWN_IDS = ("cloudevents", "formbricks", "jotform", "qualtrics", "standard", "surveymonkey", "tally", "typeform")
"""Providers that state ids of the tenant's own only."""


@pytest.mark.parametrize("provider", sorted({*PROVIDERS} - {*OWN_IDS, *FORMERLY_BARE}))
def test_ids_of_later_providers_have_the_providers_name_too(provider: str) -> None:
    several = [one for path in sorted(FIXTURES.glob(f"{provider}__*.json")) for one in customers(path.stem)]
    bare = [one["id"] for one in several if "id" in one and not one["id"].startswith(f"{provider}:") and "aliases" not in one]
    assert bare == []


@pytest.mark.parametrize(
    ("fixture", "field", "expected"),
    [
        ("zendesk__ticket.created", "brand_id", {"id": "77001", "aliases": [{"id": "zendesk:902000000000000017"}]}),
        ("zammad__created", "number", {"id": "10081", "email": "emily@example.com", "aliases": [{"id": "zammad:8"}]}),
        (
            "helpscout__convo.created",
            "Account Type",
            {"id": "pro", "email": "jo@example.org", "aliases": [{"id": "helpscout:238604"}]},
        ),
        ("jira__issue_created", "customfield_10020", {"id": "pro", "aliases": [{"id": "jira:qm:77"}]}),
        ("chatwoot__conversation_created", "plan", {"id": "pro", "email": "jo@example.org", "aliases": [{"id": "chatwoot:9"}]}),
        (
            "delighted__survey_response.created",
            "plan",
            {"id": "pro", "email": "jo@example.org", "aliases": [{"id": "delighted:5975"}]},
        ),
        (
            "intercom__conversation.user.created",
            "Plan",
            {"id": "pro", "email": "jo@example.org", "aliases": [{"id": "intercom:696205460674dbb9050aa7fd"}]},
        ),
        ("typeform__form_response", "plan", {"id": "team", "email": "franz.huber@example.org"}),
        ("tally__FORM_RESPONSE", "question_plan", {"id": "pro", "email": "jo@example.org"}),
        ("formbricks__responseFinished", "country", {"id": "DE", "email": "jo@example.org"}),
        ("freshdesk__created", "group", {"id": "Billing", "email": "bob@example.org"}),
    ],
)
def test_the_field_that_the_mapping_names_is_the_id_and_the_tools_id_an_alias(
    fixture: str, field: str, expected: dict[str, Any]
) -> None:
    assert customers(fixture, {"customer": field}) == [expected]


def test_a_value_that_can_be_no_id_is_left_out() -> None:
    mapping = FieldMapping(customer="shop")
    assert own_id({"shop": " c-77 "}, mapping) == OWN
    assert own_id({"shop": 77.0}, mapping) == "77"
    for value in (None, "", " ", "two\nlines", "x" * 201, ["c-77"], True):
        assert own_id({"shop": value}, mapping) is None
    assert own_id({"shop": OWN}, FieldMapping()) is None
    assert own_id({"cafe\u0301": OWN}, FieldMapping(customer="caf\u00e9")) == OWN


def test_an_unknown_customer_is_left_out() -> None:
    assert customer_fields("zendesk") == {}
    assert customer_fields("zendesk", email="no address") == {}


def test_the_field_of_the_mapping_counts_as_used_and_is_no_unmapped_question() -> None:
    parsed = PROVIDERS["tally"].parse(
        fixture_request(FIXTURES / "tally__FORM_RESPONSE.json"), read_settings("tally", {"customer": "question_plan"})
    )
    assert "question_plan" in parsed.use.dimensions
    assert "question_plan" not in {question.question for question in parsed.use.unmapped}
