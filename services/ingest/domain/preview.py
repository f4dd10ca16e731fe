"""Redacts canonical records for display, exactly as `normalise` redacts them for storage."""

from collections.abc import Mapping
from typing import Any

from services.ingest.domain.fields import Customer
from services.ingest.domain.pseudonym import pseudonym
from services.ingest.domain.redaction import Redactor


def redacted(record: Mapping[str, Any], key: bytes) -> dict[str, Any]:
    """A valid canonical record (JSON) without identities.

    Texts of customers are redacted, texts of agents and bots left out, and the customer is replaced by a pseudonym under the
    tenant's `key`. The texts share one budget of candidates, in the order in which `normalise` redacts them.
    """
    redact = Redactor()
    preview = dict(record)
    if record.get("customer") is not None:
        preview["customer"] = {"id": pseudonym(key, Customer.model_validate(record["customer"]))}
    match record["type"]:
        case "response":
            preview["answers"] = [_redacted_texts(answer, redact) for answer in record.get("answers", ())]
        case "review":
            preview = _redacted_texts(preview, redact)
        case "ticket":
            preview["facts"] = [_redacted_fact(fact, redact) for fact in record.get("facts", ())]
    return preview


def _redacted_fact(fact: Mapping[str, Any], redact: Redactor) -> dict[str, Any]:
    if fact.get("by", "customer") != "customer":
        return {name: value for name, value in fact.items() if name != "text"}
    return _redacted_texts(fact, redact)


def _redacted_texts(values: Mapping[str, Any], redact: Redactor) -> dict[str, Any]:
    """`values` with its texts redacted: the tool's word for a rating, the title, the text."""
    texts = {name: redact(values[name]) for name in ("raw", "title", "text") if values.get(name)}
    return {**values, **texts}
