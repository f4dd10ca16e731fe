"""Each provider has a page for the tool's admin: `docs/providers/<id>.md`. Its examples are valid, and read under its mapping."""

import json
import re
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from services.ingest.api.connection_schemas import NewConnection
from services.ingest.domain.connection import Connection, ProviderSettings
from services.ingest.domain.delivery import Delivery, StoredDelivery
from services.ingest.domain.providers import PROVIDERS, read_settings
from services.ingest.domain.receive import receive_all, receive_fetched
from tests.unit.ingest.making import NOW, connection, delivery_request

ROOT = Path(__file__).parents[3]
SECTIONS = ("Connect", "What arrives", "What does not", "Traps")

every_provider = pytest.mark.parametrize("name", sorted(PROVIDERS))


def page_of(name: str) -> str:
    return (ROOT / "docs" / "providers" / f"{name}.md").read_text()


def examples(name: str) -> list[Any]:
    """The JSON blocks of a page, in order."""
    return [json.loads(block) for block in re.findall(r"```json\n(.*?)```", page_of(name), re.DOTALL)]


class PageDelivery(NamedTuple):
    """A delivery on a page, with the mapping of the connection before it and the documents after it, if its event is thin."""

    settings: ProviderSettings
    payload: Any
    documents: dict[str, Any] | None


def deliveries(name: str) -> list[PageDelivery]:
    settings, listed = PROVIDERS[name].settings(), list[PageDelivery]()
    for example in examples(name):
        if "documents" in example:
            listed[-1] = listed[-1]._replace(documents=example["documents"])
        elif "provider" in example:
            settings = read_settings(name, NewConnection.model_validate(example).mapping)
        else:
            listed.append(PageDelivery(settings, example, None))
    return listed


@every_provider
def test_a_provider_has_a_page_with_each_section_and_a_row_that_links_to_it(name: str) -> None:
    headings = re.findall(r"^## (.+)$", page_of(name), re.MULTILINE)
    assert [heading for heading in headings if heading in SECTIONS] == list(SECTIONS)
    rows = re.findall(rf"^\| `{name}` \|.*$", (ROOT / "docs" / "providers.md").read_text(), re.MULTILINE)
    assert sum(f"](providers/{name}.md)" in row for row in rows) == 1


@every_provider
def test_a_page_creates_a_connection_of_its_provider(name: str) -> None:
    created = [NewConnection.model_validate(example) for example in examples(name) if "provider" in example]
    assert created
    assert {one.provider for one in created} == {name}


def fetched(connection: Connection, pending: Delivery, documents: dict[str, Any] | None) -> Delivery:
    """A thin event of a page, read with the documents on the page."""
    assert documents
    stored = StoredDelivery(1, pending.connection, pending.id, NOW, pending.headers, pending.raw, "", 1)
    return receive_fetched(connection, stored, documents, NOW)


@every_provider
def test_a_delivery_on_a_page_is_accepted_and_leaves_nothing_out(name: str) -> None:
    listed = deliveries(name)
    assert listed
    for settings, payload, documents in listed:
        connected = connection(name, mapping=settings)
        for delivery in receive_all(connected, delivery_request(payload), NOW):
            read = fetched(connected, delivery, documents) if delivery.verdict == "pending" else delivery
            assert (read.verdict, read.reason, read.use.unmapped) == ("accepted", None, ())
            assert read.statements
