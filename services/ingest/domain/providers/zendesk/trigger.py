"""Zendesk's triggers: an administrator writes their body, so we publish the one that we read, `trigger.json`.

Ids and the times `…_with_timestamp` (without seconds) are rendered alike in every language; status, priority and rating are
translated (see `values`). An administrator may write a constant in place of a placeholder. Bodies of earlier templates are read
too: they had other placeholders under the same keys, and no submitter.

Placeholders are filled in as they are, without escaping, so a quote or a line break in a customer's comment breaks the JSON.
The comment therefore comes last, and is cut out before the rest is parsed.
"""

from importlib import resources
from typing import Any

from services.ingest.domain.connection import Mapping
from services.ingest.domain.providers.provider import Unusable, dimensions_of, text
from services.ingest.domain.providers.zendesk.values import id_of, opener, priority_of, rating_fact, status_fact, without_nobody
from shared import strict_json

MARK = "earshot"
"""The key by which a body from our template is known."""

COMMENT = b'"comment": "'


def template() -> str:
    """The body of the webhook, for an administrator to paste."""
    return resources.files(__package__).joinpath("trigger.json").read_text()


def read(body: bytes) -> Any:
    """The payload, be it an event's JSON or our template with an unescaped comment. Malformed: neither."""
    try:
        return strict_json.parse(body)
    except strict_json.Malformed:
        head, mark, rest = body.partition(COMMENT)
        comment, quote, end = rest.rpartition(b'"')
        if not mark or not quote or end.strip() != b"}":
            raise
    payload = strict_json.parse(head + mark + b'"}')
    if isinstance(payload, dict):
        payload["comment"] = strict_json.parse(b'"' + _escaped(comment) + b'"')
    return payload


def _escaped(comment: bytes) -> bytes:
    """Text as it was written, made a JSON string's inside."""
    for raw, escaped in ((b"\\", b"\\\\"), (b'"', b'\\"'), (b"\r", b"\\r"), (b"\n", b"\\n"), (b"\t", b"\\t")):
        comment = comment.replace(raw, escaped)
    return comment


def record(payload: dict[str, Any], mapping: Mapping) -> dict[str, Any]:
    """The ticket that a filled-in template describes, as it was at `updated_at`."""
    created, updated = payload.get("created_at"), payload.get("updated_at")
    if not text(created) or not text(updated):
        raise Unusable("created_at and updated_at are needed")
    fields = dimensions_of(without_nobody(payload), mapping)
    channel = fields.pop("channel", None) or text(payload.get("channel"))
    requester = id_of(payload.get("requester"))
    rating = rating_fact(payload.get("rating"), updated, payload.get("comment"))
    return {
        "type": "ticket",
        "id": text(payload.get("id")),
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
        **({"customer": {"id": requester}} if requester else {}),
    }
