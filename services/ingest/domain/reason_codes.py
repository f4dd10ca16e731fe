"""Why a delivery is in quarantine, as a code that programs can compare. The reason beside it is a text for people."""

from typing import Literal

from shared import strict_json

ReasonCode = Literal[
    "malformed_body",
    "too_large",
    "unexpected_payload",
    "unknown_value",
    "mapping_mismatch",
    "outside_scale",
    "time_in_future",
    "invalid_record",
    "api_forbidden",
    "api_refused",
    "api_unavailable",
    "fetch_expired",
    "internal_fault",
    "unclassified",
]

REASON_CODES: dict[ReasonCode, str] = {
    "malformed_body": "the body is not in the format that the provider sends, such as JSON or a form",
    "too_large": "the body, the fetched answer or a record has too many values or is too long",
    "unexpected_payload": "a field that the provider needs is missing or has another shape, as in another API version",
    "unknown_value": "a status, a rating or another field has a value that this provider does not have",
    "mapping_mismatch": "an answer does not fit the kind that the connection's mapping states, or no mapped field is there",
    "outside_scale": "a value lies outside the scale of its answer",
    "time_in_future": "a time is more than five minutes ahead of our clock",
    "invalid_record": "a record breaks another rule of docs/record.md",
    "api_forbidden": "the credentials of the tool's API lack a permission",
    "api_refused": "the tool's API refused the call",
    "api_unavailable": "the tool's API did not give the content in all attempts",
    "fetch_expired": "the content could not be fetched within a week",
    "internal_fault": "a fault of ours",
    "unclassified": "not known: an earlier version of Earshot stored the delivery",
}
"""Code → its meaning."""


def code_of_malformed(error: strict_json.Malformed) -> ReasonCode:
    """The code of a body that is no JSON, or has more values than are read."""
    return "too_large" if isinstance(error, strict_json.OutOfBounds) else "malformed_body"
