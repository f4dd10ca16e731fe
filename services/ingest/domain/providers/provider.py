"""What a provider is: how its deliveries are verified, and what records they state."""

import hmac
from base64 import b64encode
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from services.ingest.domain import connection
from shared.text import nfc

TOLERANCE = timedelta(minutes=5)
"""How far a signed timestamp may be from our clock, both ways."""

Headers = Mapping[str, str]
"""Names in lower case."""


class NotVerified(Exception):
    """The delivery isn't proved to come from the tool; the message says what was wrong, and nothing of the secret."""


@dataclass(frozen=True, slots=True)
class Parsed:
    """What a delivery states: canonical records, as JSON values still to be validated.

    `id` is the tool's own for this delivery, equal on every retry, None where it has none. `ignored` names a kind of event that
    we don't use; `problem` says why the payload can't be understood, and `about` which subject of the connection it is about, as
    `<type>/<id>`, if that can be seen all the same.
    """

    id: str | None
    records: Sequence[Any] = ()
    ignored: str | None = None
    problem: str | None = None
    about: str | None = None


@dataclass(frozen=True, slots=True)
class Provider:
    """`verify(headers, body, secrets, now)` raises NotVerified. `parse(headers, body, mapping)` never raises. `new_secret` makes
    one from 32 random bytes; `refuse_secret` says why a given one can't be used. `keeps` are the headers that parsing needs
    again."""

    verify: Callable[[Headers, bytes, Sequence[str], datetime], None]
    parse: Callable[[Headers, bytes, connection.Mapping], Parsed]
    new_secret: Callable[[bytes], str]
    refuse_secret: Callable[[str], str | None]
    keeps: tuple[str, ...]


class Unusable(Exception):
    """Raised inside a parser: the payload can't be understood, for the reason given."""


def check(signature: str, signed: bytes, keys: Iterable[bytes]) -> bool:
    """Whether `signature` is the base64 HMAC-SHA256 of `signed` under any key; compares in constant time."""
    given = signature.encode("utf-8", "replace")
    return any(hmac.compare_digest(given, b64encode(hmac.digest(key, signed, "sha256"))) for key in keys)


def check_age(at: datetime, now: datetime) -> None:
    """NotVerified: a signed timestamp further than TOLERANCE from `now`."""
    if abs(now - at) > TOLERANCE:
        raise NotVerified("the timestamp is more than 5 minutes from our clock")


def text(value: object) -> str | None:
    """An id or a name, which a tool may write as a whole number; None if there is none."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, bool) or value is None or value == "":
        return None
    return str(value) if isinstance(value, str | int) else None


def object_in(value: object, key: str) -> dict[str, Any]:
    """The object under `key`, empty where there is none."""
    found = value.get(key) if isinstance(value, dict) else None
    return found if isinstance(found, dict) else {}


def dimensions_of(fields: Mapping[str, Any], mapping: connection.Mapping) -> dict[connection.Dimension, str]:
    """The dimensions that the connection's mapping fills from these fields of a payload."""
    named = {nfc(field): value for field, value in fields.items()}
    return {name: value for field, name in mapping.dimensions.items() if (value := text(named.get(field)))}
