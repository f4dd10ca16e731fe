"""Find out whether a stored body names a customer who is known by pseudonym only.

A body may be anything: JSON of any shape, JSON with an unescaped comment in it, a form, broken text. So every value and every
word counts as a possible id, every word with an @ as a possible address, and the pseudonym of each is compared.

An id of one or two characters, such as `9`, is a value or a word of nearly every body. It counts only as a whole value whose key
names no measure (MEASURES), and in a body that can be read only as the customer of a record.
"""

import hmac
import html
import json
import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any
from urllib.parse import parse_qsl, unquote_plus

from services.ingest.domain.connection import Connection
from services.ingest.domain.providers import PROVIDERS, Parsed
from services.ingest.domain.pseudonym import OWN_RECORDS, namespaced, normalize_email, pseudonym_of_email, pseudonym_of_id
from shared import strict_json

LONGEST_ID = 200
LONGEST_SHORT = 2
"""Characters of a short id."""
MEASURES = frozenset((
    "ces", "count", "csat", "index", "level", "max", "min", "nps", "order", "page", "position",
    "rank", "rating", "revision", "scale", "score", "stars", "step", "total", "version", "weight",
))  # fmt: skip
"""Keys whose values are not ids."""
LONGEST_ADDRESS = 320

WORD = re.compile(r"""[^\s"'<>(){}\[\],;|]+""")
PART = re.compile(r"[^:=/&?#\\]+")
PUNCTUATION = ".:!?*_`~"
QUOTE = re.compile(r"""["']""")
ADDRESS_NAME = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}\Z")
ADDRESS_DOMAIN = re.compile(r"@[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63}){1,8}")

SUBJECT_TYPES = ("response", "review", "ticket")


def pseudonyms_in(raw: bytes, key: bytes, provider: str | None = None) -> Iterator[str]:
    """The pseudonyms, under the tenant's key, of everything in `raw` that may be a customer's id or address.

    In a body of `provider` an id may also be one of the tool, whose pseudonym is that of the id with the provider's name.
    """
    long = {token for token in tokens(raw) if len(token) > LONGEST_SHORT}
    return _pseudonyms(long | short_values(raw), key, provider)


def short_pseudonyms_in(raw: bytes, key: bytes, provider: str | None = None) -> set[str]:
    """Those of `pseudonyms_in` that belong to short ids."""
    return set(_pseudonyms(short_values(raw), key, provider))


def customers_in(parsed: Parsed, key: bytes) -> set[str] | None:
    """The pseudonyms of the ids of all customers in these records. None if the payload can't be read."""
    if parsed.problem or not parsed.records:
        return None
    customers = [_object(record.get("customer")) for record in _objects(parsed.records)]
    aliases = [alias for customer in customers for alias in _objects(_list(customer.get("aliases")))]
    ids = [identity.get("id") for identity in (*customers, *aliases)]
    return {pseudonym_of_id(key, name) for name in ids if isinstance(name, str)}


def _pseudonyms(values: Iterable[str], key: bytes, provider: str | None) -> Iterator[str]:
    keyed = hmac.new(key, digestmod="sha256")

    def pseudonym(kind: str, value: str) -> str:
        digest = keyed.copy()
        digest.update(f"{kind}:{value}".encode("utf-8", "surrogatepass"))
        return digest.digest()[:16].hex()

    for token in values:
        if len(token) <= LONGEST_ID:
            yield pseudonym("id", token)
            if provider and provider not in OWN_RECORDS:
                yield pseudonym("id", namespaced(provider, token))
        if "@" in token and len(token) <= LONGEST_ADDRESS:
            yield pseudonym("email", normalize_email(token))


def tokens(raw: bytes) -> set[str]:
    """Every value, key, word and address of a body."""
    tokens_of_body: set[str] = set()
    for text in _texts(raw):
        for value in set(_values(text)):
            for form in _decoded(value):
                tokens_of_body.update(_tokens_of(form))
    tokens_of_body.discard("")
    return tokens_of_body


def short_values(raw: bytes) -> set[str]:
    """Every short value of a body, unless its key names a measure. In text that is neither JSON nor a form, lines and parts
    between quotes are values."""
    values = {value for text in _texts(raw) for key, value in _keyed_values(text) if key.lower() not in MEASURES}
    return {form for value in values for form in (value, value.strip()) if 0 < len(form) <= LONGEST_SHORT}


def _keyed_values(text: str) -> Iterator[tuple[str, str]]:
    """(key, value) of a JSON text or a form. An element of an array has the key of the array; other values have an empty one."""
    try:
        left = [("", _parse(text))]
    except (ValueError, RecursionError):
        yield from (("", value) for value in _values(text))
        yield from parse_qsl(text, keep_blank_values=True, max_num_fields=None)
        return
    while left:
        match left.pop():
            case key, str() as value:
                yield key, value
            case key, tuple() as pairs:
                left.extend(pairs)
            case key, list() as items:
                left.extend((key, item) for item in items)


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
    """The keys and scalar values of a JSON text. Of any other text the lines and the parts between quotes."""
    try:
        value = _parse(text)
    except (ValueError, RecursionError):
        return [*text.splitlines(), *map(_unescaped, QUOTE.split(text))]
    return _leaves(value)


def _parse(text: str) -> Any:
    """The value of a JSON text. Its numbers are texts, its objects tuples of (key, value): a repeated key keeps both values."""
    return json.loads(text, parse_int=str, parse_float=str, parse_constant=str, strict=False, object_pairs_hook=tuple)


def _leaves(value: Any) -> Iterator[str]:
    """The strings in a value of `_parse`, keys too."""
    left = [value]
    while left:
        match left.pop():
            case str() as text:
                yield text
            case list() | tuple() as several:
                left.extend(several)


def _unescaped(piece: str) -> str:
    """A part of broken JSON with its escapes resolved, if they are valid."""
    if "\\" not in piece:
        return piece
    try:
        return str(json.loads(f'"{piece}"', strict=False))
    except ValueError:
        return piece


def _decoded(value: str) -> Iterator[str]:
    """The value itself, and its text if it is part of a URL, a form or HTML."""
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
    """Addresses without white space around them, as in languages without spaces."""
    for domain in ADDRESS_DOMAIN.finditer(text):
        if name := ADDRESS_NAME.search(text, max(0, domain.start() - 64), domain.start()):
            yield name[0] + domain[0]


def parse_stored(connection: Connection, headers: Mapping[str, str], raw: bytes) -> Parsed:
    """The records in a stored body. The body of the built-in connection is itself a record."""
    if connection.provider in PROVIDERS:
        return PROVIDERS[connection.provider].parse_stored(headers, raw, connection.mapping)
    try:
        return Parsed(None, [strict_json.parse(raw)])
    except strict_json.Malformed as error:
        return Parsed(None, problem=str(error))


def subjects_of(connection: Connection, parsed: Parsed) -> set[str]:
    """The subjects of a body that has a problem, or whose records are not validated yet."""
    subjects = {f"{connection.id}/{subject}" for subject in parsed.about if "\0" not in subject}
    for record in _objects(parsed.records):
        kind, name = record.get("type"), record.get("subject" if record.get("type") == "override" else "id")
        if isinstance(name, str) and "\0" not in name:
            if kind == "override":
                subjects.add(name)
            elif kind in SUBJECT_TYPES:
                subjects.add(f"{connection.id}/{kind}/{name}")
    return subjects


def shared_addresses(parsed: Parsed, key: bytes, names: Collection[str]) -> set[str]:
    """The pseudonyms of addresses that these records attribute to customers whose id is not among the pseudonyms `names`."""
    customers = [customer for record in _objects(parsed.records) if isinstance(customer := record.get("customer"), dict)]
    return {
        pseudonym_of_email(key, customer["email"])
        for customer in customers
        if isinstance(customer.get("email"), str)
        and isinstance(customer.get("id"), str)
        and pseudonym_of_id(key, customer["id"]) not in names
    }


def _object(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _objects(values: Iterable[Any]) -> list[dict[str, Any]]:
    return [value for value in values if isinstance(value, dict)]
