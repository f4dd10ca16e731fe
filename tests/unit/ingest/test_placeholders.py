"""Ids that stand for nobody are known by their pseudonyms."""

import pytest

from services.ingest.domain.placeholders import placeholder_pseudonyms
from services.ingest.domain.providers import PROVIDERS
from services.ingest.domain.pseudonym import pseudonym_of_id

KEY = bytes(32)


@pytest.mark.parametrize(
    "text", ["guest", "Guest", "anonymous", "ANONYMOUS", "0", "-1", "unknown", "n/a", "N/A", "null", "Unknown User", "zendesk:0"]
)
def test_usual_placeholders_are_known_bare_and_as_ids_of_a_tool(text: str) -> None:
    assert pseudonym_of_id(KEY, text) in placeholder_pseudonyms(KEY, PROVIDERS)


@pytest.mark.parametrize("text", ["c-77", "1", "10", "guest-77", "zendesk:10", "Anna", "guest@example.org"])
def test_other_ids_are_none(text: str) -> None:
    assert pseudonym_of_id(KEY, text) not in placeholder_pseudonyms(KEY, PROVIDERS)


def test_another_tenants_placeholders_have_other_pseudonyms() -> None:
    assert placeholder_pseudonyms(KEY, PROVIDERS).isdisjoint(placeholder_pseudonyms(b"\1" * 32, PROVIDERS))
