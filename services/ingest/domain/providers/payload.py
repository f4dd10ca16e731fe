"""Read a JSON payload, which may have any shape: the frame of every `parse`, and the fields of a payload."""

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Literal, NamedTuple

from services.ingest.domain.connection import FieldMapping
from services.ingest.domain.providers.provider import Parsed, Request
from services.ingest.domain.reason_codes import ReasonCode, code_of_malformed
from shared import strict_json
from shared.text import nfc

WHOLE_NUMBER = re.compile(r"-?\d{1,4}", re.ASCII)


class Unusable(Exception):
    """The payload can't be read. The message says why and quotes no content."""

    def __init__(self, message: str, code: ReasonCode = "unexpected_payload") -> None:
        super().__init__(message)
        self.code = code


class NotYet(Unusable):
    """The tool does not have an object that its event announced. It may have it soon, so the call is worth another try."""


class DeliveryIdentity(NamedTuple):
    """The tool's id of a delivery, and the subject that it is about. An id is None if the payload has none."""

    delivery: str | None
    type: Literal["response", "review", "ticket"] = "response"
    id: str | None = None

    @property
    def about(self) -> tuple[str, ...]:
        """The subject as `Parsed.about` lists it."""
        return (f"{self.type}/{self.id}",) if self.id else ()


def as_text(value: object) -> str | None:
    """An id or a name, which a tool may write as a whole number. None if there is none."""
    if type(value) is str:
        return value or None
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else None


def trimmed_text(value: object) -> str:
    """The text of `as_text` without spaces at its ends. Empty if there is none."""
    return (as_text(value) or "").strip()


def as_whole_number(value: object) -> int | None:
    """A number of up to four digits, which a tool may write as text. None if it is none."""
    text = trimmed_text(value)
    return int(text) if WHOLE_NUMBER.fullmatch(text) else None


def type_in(event: Mapping[str, Any], key: str) -> str:
    """The kind of an event, which `key` holds. Raises Unusable if it is missing, as it may be in another API version."""
    kind = as_text(event.get(key))
    if kind is None:
        raise Unusable(f"{key} is missing")
    return kind


def as_object(value: object) -> dict[str, Any]:
    """The value if it is an object, else an empty one."""
    return value if isinstance(value, dict) else {}


def as_objects(value: object) -> list[dict[str, Any]]:
    """The objects in a list. Empty if the value is no list."""
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def object_in(value: object, key: str) -> dict[str, Any]:
    """The object under `key`. Empty if `value` is no object or holds none there."""
    return as_object(as_object(value).get(key))


def objects_in(value: object, key: str) -> list[dict[str, Any]]:
    """The objects in the list under `key`. Empty if `value` is no object or holds no list there."""
    return as_objects(as_object(value).get(key))


def dimensions_of(fields: Mapping[str, Any], mapping: FieldMapping) -> dict[str, str]:
    """The dimensions that the connection's mapping reads from these fields."""
    by_name = {nfc(field): value for field, value in fields.items()}
    return {name: value for field, name in mapping.dimensions.items() if (value := as_text(by_name.get(field)))}


def occurring_dimensions(fields: Iterable[str], mapping: FieldMapping) -> frozenset[str]:
    """The keys of `mapping.dimensions`, and `mapping.customer`, that are among the names of these fields."""
    return frozenset(mapping.fields & {nfc(field) for field in fields}) if mapping.fields else frozenset()


def parse_object(body: bytes, *, last_key_counts: bool = False) -> dict[str, Any]:
    """The JSON object in `body`. Raises Unusable if it is no JSON, or another value.

    A repeated key is refused, unless `last_key_counts`, for tools that repeat some.
    """
    try:
        payload = strict_json.parse(body, last_key_counts=last_key_counts)
    except strict_json.Malformed as error:
        raise Unusable(str(error), code_of_malformed(error)) from None
    if not isinstance(payload, dict):
        raise Unusable("the body is not an object")
    return payload


def problem_of(error: Unusable, delivery: str | None = None, about: tuple[str, ...] = ()) -> Parsed:
    """The result for a payload that can't be read: it goes to quarantine with the reason and its code."""
    return Parsed(delivery, problem=str(error), problem_code=error.code, about=about)


def parse_payload(
    request: Request,
    identify: Callable[[dict[str, Any]], DeliveryIdentity],
    read: Callable[[DeliveryIdentity, dict[str, Any]], Parsed],
    *,
    delivery: str | None = None,
    decode: Callable[[bytes], dict[str, Any]] = parse_object,
) -> Parsed:
    """The result of `read`. If `read` or `decode` raises Unusable, a problem.

    `identify` states of the payload which delivery and subject it is. `delivery` is the id of a delivery whose body can't be
    decoded, if a header has one.
    """
    try:
        payload = decode(request.body)
    except Unusable as error:
        return problem_of(error, delivery)
    identity = identify(payload)
    try:
        return read(identity, payload)
    except Unusable as error:
        return problem_of(error, identity.delivery, identity.about)
