"""Zendesk's triggers. An administrator writes their body, so we publish the template that we read: `trigger.json`.

Ids and the times `…_with_timestamp` (without seconds) are the same in every language. Status, priority and rating are translated
(see `values`). An administrator may write a constant in place of a placeholder. Bodies of earlier templates are read too: they
had other placeholders under the same keys, and neither a submitter nor names.

Zendesk fills in placeholders without escaping, so a quote or a line break in a customer's comment breaks the JSON. The comment
therefore comes last, and is cut out before the rest is parsed. A name of a team or an agent may hold a quote too, and has a line
of its own.
"""

from importlib import resources
from typing import Any

from services.ingest.domain.connection import FieldMapping
from services.ingest.domain.providers.customers import customer_fields, own_id
from services.ingest.domain.providers.filled_template import parse_filled
from services.ingest.domain.providers.payload import Unusable, as_text, dimensions_of
from services.ingest.domain.providers.zendesk.values import id_of, opener, priority_of, rating_fact, status_fact, without_nobody
from services.ingest.domain.value_names import ValueName

MARK = "earshot"
"""The key that identifies a body made from our template."""

TEXT_KEY = "comment"
"""The key of the customer's words, which come last."""


def template() -> str:
    """The body of the webhook, for an administrator to paste."""
    return resources.files(__package__).joinpath("trigger.json").read_text()


def parse_body(body: bytes) -> dict[str, Any]:
    """The payload of an event, or of our template with unescaped texts. Raises Unusable if it is neither."""
    return parse_filled(body, MARK, TEXT_KEY)


def names(payload: dict[str, Any]) -> tuple[ValueName, ...]:
    """The names of the team and the agent of a filled-in template."""
    keys = (("team", "group"), ("agent", "assignee"))
    return tuple(
        ValueName(dimension, value, name)
        for dimension, key in keys
        if (value := id_of(payload.get(key))) and (name := as_text(payload.get(f"{key}_name")))
    )


def to_record(payload: dict[str, Any], mapping: FieldMapping) -> dict[str, Any]:
    """The ticket record of a filled-in template: its state at `updated_at`. Raises Unusable if times or words can't be read."""
    created, updated = payload.get("created_at"), payload.get("updated_at")
    if not as_text(created) or not as_text(updated):
        raise Unusable("created_at and updated_at are needed")
    fields = dimensions_of(without_nobody(payload), mapping)
    channel = fields.pop("channel", None) or as_text(payload.get("channel"))
    customer = customer_fields("zendesk", tool_id=id_of(payload.get("requester")), own_id=own_id(payload, mapping))
    rating = rating_fact(payload.get("rating"), updated, payload.get("comment"))
    return {
        "type": "ticket",
        "id": as_text(payload.get("id")),
        "at": created,
        "updated_at": updated,
        "dimensions": fields,
        "facts": [
            {"fact": "opened", "at": created, **opener(payload.get("submitter"), payload.get("requester"))},
            {"fact": "assigned", "at": updated, "team": id_of(payload.get("group")), "agent": id_of(payload.get("assignee"))},
            {"fact": "priority", "at": updated, "priority": priority_of(payload.get("priority"))},
            status_fact(payload.get("status"), updated),
            *([rating] if rating else []),
        ],
        **({"channel": channel} if channel else {}),
        **({"customer": customer} if customer else {}),
    }
