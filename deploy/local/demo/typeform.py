"""Survey responses as Typeform posts them."""

import uuid
from typing import Any

Payload = dict[str, Any]

FIELDS: dict[str, tuple[str, str, str]] = {
    "recommend": ("yR3cM2nD0a7B", "opinion_scale", "How likely are you to recommend us?"),
    "satisfied": ("sT5fD8k1WqZx", "rating", "How satisfied are you with your last box?"),
    "reason": ("rE4sN6v9LpTu", "long_text", "What is the main reason for your answer?"),
}
"""Question → the field's id, its type and its title."""


def payload(record: Payload) -> Payload:
    """The `form_response` of a canonical response record. Equal records give equal payloads, including ids."""
    at = record["at"]
    form = record["survey"]
    return {
        "event_id": uuid.uuid5(uuid.NAMESPACE_OID, f"typeform/{record['id']}").hex,
        "event_type": "form_response",
        "form_response": {
            "form_id": form["id"],
            "token": record["id"],
            "submitted_at": at,
            "landed_at": at,
            "hidden": {"user_id": record["customer"]["id"], **record["dimensions"]},
            "definition": {
                "id": form["id"],
                "title": form["name"],
                "fields": [{"id": i, "ref": ref, "type": kind, "title": title} for ref, (i, kind, title) in FIELDS.items()],
            },
            "answers": [answer(item) for item in record["answers"]],
        },
    }


def answer(item: Payload) -> Payload:
    """One answer, in the form of its type."""
    identity, kind, _ = FIELDS[item["question"]]
    value = {"type": "text", "text": item["text"]} if item["kind"] == "comment" else {"type": "number", "number": item["value"]}
    return {**value, "field": {"id": identity, "ref": item["question"], "type": kind}}
