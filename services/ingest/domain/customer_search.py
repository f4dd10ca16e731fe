"""Whether a stored body names a customer, found by pseudonym: the customer's id and address are not known when it is searched.

A body may be anything: JSON of any shape, JSON with an unescaped comment in it, a form, broken text. So every value and every
word of it is taken for an id, every word with an @ in it for an address, and the pseudonym of each is compared.
"""

import hmac
import html
import json
import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any
from urllib.parse import unquote_plus

from services.ingest.domain.connection import Connection
from services.ingest.domain.providers import PROVIDERS, Parsed
from services.ingest.domain.pseudonym import normalize_email, pseudonym_of_email, pseudonym_of_id
from shared import strict_json

LONGEST_ID = 200
LONGEST_ADDRESS = 320

WORD = re.compile(r"""[^\s"'<>(){}\[\],;|]+""")
PART = re.compile(r"[^:=/&?#\\]+")
PUNCTUATION = ".:!?*_`~"
QUOTE = re.compile(r"""["']""")
ADDRESS_NAME = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}\Z")
ADDRESS_DOMAIN = re.compile(r"@[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63}){1,8}")

SUBJECT_TYPES = ("response", "review", "ticket")


def pseudonyms_in(raw: bytes, key: bytes) -> Iterator[str]:
    """The pseudonym of everything in `raw` that may be a customer's id or address, under the tenant's key."""
    keyed = hmac.new(key, digestmod="sha256")

    def pseudonym(kind: str, value: str) -> str:
        digest = keyed.copy()
        digest.update(f"{kind}:{value}".encode("utf-8", "surrogatepass"))
        return digest.digest()[:16].hex()

    for token in tokens(raw):
        if len(token) <= LONGEST_ID:
            yield pseudonym("id", token)
        if "@" in token and len(token) <= LONGEST_ADDRESS:
            yield pseudonym("email", normalize_email(token))


def tokens(raw: bytes) -> set[str]:
    """Every value, key, word and address of a body."""
    found: set[str] = set()
    for text in _texts(raw):
        for value in set(_values(text)):
            for form in _decoded(value):
                found.update(_tokens_of(form))
    found.discard("")
    return found


def _texts(raw: bytes) -> Iterator[str]:
    """The body as text, in every encoding that it may be in."""
    try:
        yield raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        yield raw.decode("utf-8-sig", "replace")
        yield raw.decode("latin-1")
    if b"\0" in raw:
        yield from (raw.decode(encoding, "replace") for encoding in ("utf-16-le", "utf-16-be"))


def _values(text: str) -> Iterable[str]:
    """The keys and scalar values of a JSON text. Of any other text itself, its lines, and what stands between its quotes."""
    try:
        value = json.loads(text, parse_int=str, parse_float=str, parse_constant=str, strict=False, object_pairs_hook=list)
    except (ValueError, RecursionError):
        return [*text.splitlines(), *map(_unescaped, QUOTE.split(text))]
    return _leaves(value)


def _leaves(value: Any) -> Iterator[str]:
    """Objects come as lists of (key, value), so that a key given twice keeps both values."""
    left = [value]
    while left:
        match left.pop():
            case str() as text:
                yield text
            case list() | tuple() as several:
                left.extend(several)


def _unescaped(piece: str) -> str:
    """A piece of broken JSON with its escapes resolved, where they can be."""
    if "\\" not in piece:
        return piece
    try:
        return str(json.loads(f'"{piece}"', strict=False))
    except ValueError:
        return piece


def _decoded(value: str) -> Iterator[str]:
    """The value as it is, and as it reads where it is part of a URL, a form or HTML."""
    yield value
    if "%" in value or "+" in value:
        yield unquote_plus(value)
    if "&" in value:
        yield html.unescape(value)


def _tokens_of(value: str) -> Iterator[str]:
    yield value
    yield value.strip()
    for word in set(WORD.findall(value)):
        yield word
        yield word.strip(PUNCTUATION)
        for part in PART.findall(word):
            yield part
            yield part.strip(PUNCTUATION)
    if "@" in value:
        yield from _addresses(value)


def _addresses(text: str) -> Iterator[str]:
    """Addresses that touch other text, as in a language without spaces."""
    for domain in ADDRESS_DOMAIN.finditer(text):
        if name := ADDRESS_NAME.search(text, max(0, domain.start() - 64), domain.start()):
            yield name[0] + domain[0]


def parse_stored(connection: Connection, headers: Mapping[str, str], raw: bytes) -> Parsed:
    """What a stored body states; the built-in connection's body is the record itself."""
    if connection.provider in PROVIDERS:
        return PROVIDERS[connection.provider].parse(headers, raw, connection.mapping)
    try:
        return Parsed(None, [strict_json.parse(raw)])
    except strict_json.Malformed as error:
        return Parsed(None, problem=str(error))


def subjects_of(connection: Connection, parsed: Parsed) -> set[str]:
    """The subjects that a body is about, whose records are not validated yet, or which has a problem."""
    found = {f"{connection.id}/{parsed.about}"} if parsed.about and "\0" not in parsed.about else set()
    for record in _objects(parsed.records):
        kind, name = record.get("type"), record.get("subject" if record.get("type") == "override" else "id")
        if isinstance(name, str) and "\0" not in name:
            if kind == "override":
                found.add(name)
            elif kind in SUBJECT_TYPES:
                found.add(f"{connection.id}/{kind}/{name}")
    return found


def shared_addresses(parsed: Parsed, key: bytes, names: Collection[str]) -> set[str]:
    """The pseudonyms of addresses that belong, in these records, to customers with an id that is not among `names`."""
    customers = [customer for record in _objects(parsed.records) if isinstance(customer := record.get("customer"), dict)]
    return {
        pseudonym_of_email(key, customer["email"])
        for customer in customers
        if isinstance(customer.get("email"), str)
        and isinstance(customer.get("id"), str)
        and pseudonym_of_id(key, customer["id"]) not in names
    }


def _objects(values: Iterable[Any]) -> list[dict[str, Any]]:
    return [value for value in values if isinstance(value, dict)]
