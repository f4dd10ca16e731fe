"""The body of Freshdesk's webhooks: our template `template.json`, filled in, or the fields of Freshdesk's *Simple* content.

It is not documented whether Freshdesk escapes values. So if a body is no JSON, each line is repaired: a name
may hold a quote, and the text, which comes last, may have several lines.
"""

import re
from importlib import resources
from typing import Any

from services.ingest.domain.providers.payload import Unusable, as_text, object_in, parse_object

MARK = "earshot"
"""The key that identifies a body made from our template."""
WRAPPER = "freshdesk_webhook"
TEXT = b'"text": "'
VALUE_LINE = re.compile(rb'^( *"[a-z_]+": ")(.*)(",?\r?)$', re.MULTILINE)

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
    try:
        payload = parse_object(body)
    except Unusable:
        payload = _repaired(body)
    if MARK in payload:
        return payload
    simple = object_in(payload, WRAPPER)
    if not simple:
        raise Unusable("the body is not made from Earshot's template")
    fields = {name: simple.get(field) for name, field in SIMPLE_FIELDS.items()}
    fields["requester"] = simple.get("ticket_requester_email") or simple.get("requester_email")
    is_new = CREATED.search(as_text(simple.get("triggered_event")) or "") is not None
    return fields | {"event": "created" if is_new else "updated"}


def _repaired(body: bytes) -> dict[str, Any]:
    """The fields of a template whose values are not escaped. Raises Unusable if it is none."""
    head, mark, rest = body.partition(TEXT)
    text, quote, end = rest.rpartition(b'"')
    if not mark or not quote or end.strip() != b"}":
        raise Unusable("the body is no JSON; its text must come last, as in Earshot's template", "malformed_body")
    payload = parse_object(VALUE_LINE.sub(_with_escapes, head) + mark + b'"}')
    return payload | parse_object(b'{"text": "' + _escaped(text) + b'"}')


def _with_escapes(line: re.Match[bytes]) -> bytes:
    return line[1] + _escaped(line[2]) + line[3]


def _escaped(text: bytes) -> bytes:
    """The text with the escapes of a JSON string."""
    for raw, escaped in ((b"\\", b"\\\\"), (b'"', b'\\"'), (b"\r", b"\\r"), (b"\n", b"\\n"), (b"\t", b"\\t")):
        text = text.replace(raw, escaped)
    return text
