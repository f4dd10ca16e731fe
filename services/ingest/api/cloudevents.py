"""CloudEvents (cloudevents.io) that are posted as records: refused. Connections of the provider `cloudevents` read them."""

from collections.abc import Mapping
from typing import Any

from shared.problems import Problem, Unprocessable, UnsupportedMedia

MEDIA_TYPE = "application/cloudevents"
"""The beginning of the media types of structured events and of batches of them."""
VERSION_HEADER = "ce-specversion"
"""A header of every event in binary mode."""

RECORD = (
    "Post events to the hook_url of a connection with the provider cloudevents (docs/providers/cloudevents.md). Or post the "
    "canonical record alone as application/json, which the event may carry in `data`: an object with `type` (response, review, "
    "ticket, erasure or override), `id`, `at` and the fields of that type; docs/record.md describes them"
)


def refuse_cloudevents(headers: Mapping[str, str]) -> None:
    """Raise UnsupportedMedia for a structured event, or a batch of them. `headers` have names in lower case."""
    if headers.get("content-type", "").lower().startswith(MEDIA_TYPE):
        raise UnsupportedMedia(f"CloudEvents are not read here. {RECORD}")


def explain_cloudevent(problem: Unprocessable, value: Any, headers: Mapping[str, str]) -> Problem:
    """The problem of a body that is not a record. For a CloudEvents event it says which form is accepted."""
    if isinstance(value, dict) and isinstance(value.get("specversion"), str):
        place = {"name": "specversion", "reason": "the attributes of an event are not part of a record"}
        return Unprocessable(f"the body is a CloudEvents event. {RECORD}", invalid_params=[place])
    if VERSION_HEADER in headers:
        detail = f"the data of the CloudEvents event is no record: {problem.detail}. {RECORD}"
        return Unprocessable(detail, invalid_params=problem.invalid_params, more_invalid_params=problem.more_invalid_params)
    return problem
