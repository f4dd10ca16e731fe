"""The body of Freshdesk's webhooks: our template `template.json`, filled in, or the fields of Freshdesk's *Simple* content."""

import re
from importlib import resources
from typing import Any

from services.ingest.domain.providers.filled_template import parse_filled
from services.ingest.domain.providers.payload import Unusable, as_text, object_in

MARK = "earshot"
"""The key that identifies a body made from our template."""
WRAPPER = "freshdesk_webhook"

CREATED = re.compile(r"ticket_action\s*:\s*created")
SIMPLE_FIELDS = {
    "id": "ticket_id",
    "status": "ticket_status",
    "priority": "ticket_priority",
    "source": "ticket_source",
    "type": "ticket_type",
    "group": "ticket_group_name",
    "agent": "ticket_agent_name",
    "requester": "ticket_requester_email",
    "text": "ticket_description",
}
"""Fields of *Simple* content by those of the template."""


def template() -> str:
    """The content of the webhook, for an administrator to paste."""
    return resources.files(__package__).joinpath("template.json").read_text()


def parse_body(body: bytes) -> dict[str, Any]:
    """The fields of the template. Raises Unusable if the body is neither of the two forms."""
    payload = parse_filled(body, MARK)
    if MARK in payload:
        return payload
    simple = object_in(payload, WRAPPER)
    if not simple:
        raise Unusable("the body is not made from Earshot's template")
    fields = {name: simple.get(field) for name, field in SIMPLE_FIELDS.items()}
    fields["requester"] = simple.get("ticket_requester_email") or simple.get("requester_email")
    is_new = CREATED.search(as_text(simple.get("triggered_event")) or "") is not None
    return fields | {"event": "created" if is_new else "updated"}
