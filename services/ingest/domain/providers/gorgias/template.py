"""The bodies of Gorgias' HTTP integrations: our templates `ticket.json` and `message.json`, filled in."""

from importlib import resources
from typing import Any, Literal

from services.ingest.domain.fields import parse_time
from services.ingest.domain.providers.filled_template import parse_filled
from services.ingest.domain.providers.payload import Unusable, trimmed_text

MARK = "earshot"
"""The key that identifies a body made from our templates."""
EMPTY = ("", "None", "null", "undefined")
"""Values of a variable without a value, as programs write them: `none` or `Null` may be a name or the words of a customer. It is
not documented which of them Gorgias writes."""
TRUTH = {"true": True, "1": True, "false": False, "0": False}


def template(name: Literal["ticket", "message"]) -> str:
    """The body of the HTTP integration for events of tickets, or for new messages, for an administrator to paste."""
    return resources.files(__package__).joinpath(f"{name}.json").read_text()


def parse_body(body: bytes) -> dict[str, Any]:
    """The fields of a template; None for those that have no value. Raises Unusable if the body is made from neither."""
    payload = parse_filled(body, MARK)
    if MARK not in payload:
        raise Unusable("the body is not made from Earshot's template")
    return {name: _value(value, is_text=name == "text") for name, value in payload.items()}


def read_truth(fields: dict[str, str | None], name: str) -> bool | None:
    """A field that is true or false. None if it is missing. Raises Unusable if it is neither."""
    value = fields.get(name)
    if value is not None and value.lower() not in TRUTH:
        raise Unusable(f"{name}: neither true nor false", "unknown_value")
    return None if value is None else TRUTH[value.lower()]


def read_time(fields: dict[str, str | None], name: str) -> str | None:
    """A time in RFC 3339. Gorgias writes times in UTC and without an offset. Raises Unusable if it is no time."""
    value = fields.get(name)
    if value is None:
        return None
    text = value.replace(" ", "T", 1)
    has_offset = text.endswith(("Z", "z")) or "+" in text or text.count("-") > 2
    try:
        parse_time(text if has_offset else f"{text}Z")
    except ValueError:
        raise Unusable(f"{name} is no time") from None
    return text if has_offset else f"{text}Z"


def _value(value: Any, *, is_text: bool) -> str | None:
    """The text of a value. None if it is empty, or a variable that was not filled in."""
    if isinstance(value, bool):
        return str(value).lower()
    text = trimmed_text(value).replace("\0", "")
    is_unfilled = text.startswith("{{") and text.endswith("}}") and not is_text
    return None if text in EMPTY or is_unfilled else text
