"""The settings that help desks share: agents who are no people."""

from collections.abc import Collection
from typing import Any

from pydantic import Field

from services.ingest.domain.connection import FieldMapping
from services.ingest.domain.fields import Name


class HelpDeskMapping(FieldMapping):
    """The settings of a help desk."""

    bots: list[Name] | None = Field(
        None,
        max_length=100,
        description="Agents who are programs, such as an AI agent or an integration with a user of its own, by the id that "
        "`agent` of a record has: what they write is that of a bot, and automatic",
    )


def with_bots(record: Any, bots: Collection[str]) -> Any:
    """The canonical record, in which the messages and the opening of these agents are those of a bot. Messages are automatic."""
    facts = record.get("facts") if isinstance(record, dict) else None
    if not isinstance(facts, list):
        return record
    return record | {"facts": [_of_bot(fact) if is_written_by(fact, bots) else fact for fact in facts]}


def is_written_by(fact: Any, agents: Collection[str]) -> bool:
    """Whether a fact, which may be invalid, is a message or an opening of one of these agents."""
    return isinstance(fact, dict) and fact.get("by") == "agent" and fact.get("agent") in agents


def _of_bot(fact: dict[str, Any]) -> dict[str, Any]:
    its = {name: value for name, value in fact.items() if name != "agent"} | {"by": "bot"}
    return its | {"auto": True} if its.get("fact") == "message" else its
