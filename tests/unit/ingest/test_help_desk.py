"""Settings that every help desk has: agents who are programs."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from services.ingest.domain.delivery import Delivery
from services.ingest.domain.providers import PROVIDERS, read_settings
from services.ingest.domain.providers.help_desk import HelpDeskMapping, with_bots
from services.ingest.domain.receive import receive
from shared import events
from tests.unit.ingest.making import NOW, connection, fixture_request, ticket

FIXTURES = Path(__file__).parents[2] / "fixtures" / "providers"
HELP_DESKS = sorted(name for name, provider in PROVIDERS.items() if issubclass(provider.settings, HelpDeskMapping))
THIN = {"hubspot"}
"""Help desks whose events hold no messages: those come with the fetched documents."""


def received(name: str, path: Path, bots: list[str]) -> list[Delivery]:
    connected = connection(name, mapping=read_settings(name, {"bots": bots}))
    return [receive(connected, one, NOW) for one in PROVIDERS[name].requests(fixture_request(path))]


def written(deliveries: list[Delivery]) -> list[events.Opened | events.Message]:
    """The openings and messages."""
    facts = [
        fact
        for delivery in deliveries
        for statement in delivery.statements
        if isinstance(statement.event.body, events.Ticket)
        for fact in statement.event.body.facts
    ]
    return [fact for fact in facts if isinstance(fact, events.Opened | events.Message)]


def written_by_agents() -> Iterator[tuple[str, Path, str]]:
    """(provider, fixture, agent) for each agent who wrote in a fixture."""
    for name in HELP_DESKS:
        for path in sorted(FIXTURES.glob(f"{name}__*.json")):
            for agent in sorted({fact.agent for fact in written(received(name, path, [])) if fact.agent}):
                yield name, path, agent


CASES = list(written_by_agents())


def test_the_help_desks_are_all_providers_of_messages() -> None:
    assert {name for name, provider in PROVIDERS.items() if "ticket.message" in provider.content} - {
        "standard",
        "cloudevents",
    } == set(HELP_DESKS)
    assert {name for name, _, _ in CASES} == set(HELP_DESKS) - THIN


@pytest.mark.parametrize(("name", "path", "agent"), CASES, ids=lambda value: getattr(value, "stem", value))
def test_texts_of_an_agent_that_the_mapping_lists_as_a_bot_are_those_of_a_bot(name: str, path: Path, agent: str) -> None:
    before, after = written(received(name, path, [])), written(received(name, path, [agent, "another"]))
    assert len(before) == len(after)
    for fact, changed in zip(before, after, strict=True):
        if fact.agent != agent:
            assert changed == fact
            continue
        assert (changed.at, changed.by, changed.agent, changed.public) == (fact.at, "bot", None, fact.public)
        assert not isinstance(changed, events.Message) or changed.auto


def test_an_assignment_to_a_bot_and_a_customer_of_its_id_stay() -> None:
    facts: list[dict[str, Any]] = [
        {"fact": "assigned", "at": "2026-11-20T08:00:00Z", "agent": "7"},
        {"fact": "message", "at": "2026-11-20T08:01:00Z", "by": "customer", "agent": "7"},
    ]
    assert with_bots(ticket(*facts), {"7"}) == ticket(*facts)


@pytest.mark.parametrize("record", [None, [], {}, {"facts": None}, {"facts": [None, 5, {"by": "agent", "agent": []}]}])
def test_a_record_that_is_invalid_is_left_as_it_is(record: Any) -> None:
    assert with_bots(record, ["7"]) == record
