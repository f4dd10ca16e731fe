"""Pseudonyms of customers. Within a tenant a person always has the same one. Without the tenant's key nobody can compute it."""

import hmac
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from msgspec import Struct

from shared.events import Alias

FORMERLY_BARE = ("chatwoot", "delighted", "helpscout", "hubspot", "intercom", "jira", "zammad", "zendesk")
"""The providers whose ids of customers had no namespace in earlier versions. Later providers never belong here."""


OWN_RECORDS = ("api", "standard", "cloudevents")
"""The providers whose payloads are the tenant's own, so that none of their ids is a tool's."""


class Identity(Protocol):
    """An id, an address or both."""

    @property
    def id(self) -> str | None:
        """An id of the customer."""

    @property
    def email(self) -> str | None:
        """An e-mail address of the customer."""


class Customer(Identity, Protocol):
    """A customer as a record or a request names it."""

    @property
    def aliases(self) -> Sequence[Identity]:
        """Further ids and addresses."""


def namespaced(provider: str, tool_id: str) -> str:
    """An id that a tool gave a customer, as records have it: `zendesk:351`."""
    return f"{provider}:{tool_id}"


def pseudonym(key: bytes, customer: Customer) -> str:
    """The pseudonym of a customer: that of the id if there is one, else that of the e-mail address."""
    if customer.id is not None:
        return pseudonym_of_id(key, customer.id)
    return pseudonym_of_email(key, customer.email or "")


class Pseudonyms(Struct, frozen=True):
    """The pseudonyms of one customer. `customer` is that of the id, or of the address if there is no id; `email` is that of the
    address; `aliases` are those of the event."""

    customer: str | None = None
    email: str | None = None
    aliases: tuple[Alias, ...] = ()


def pseudonyms_of(key: bytes, customer: Customer) -> Pseudonyms:
    """All pseudonyms of a customer, each computed once. An address beside an id, or an id that is an address, is an alias."""
    address = address_of(customer)
    email = pseudonym_of_email(key, address) if address else None
    if customer.id is None:
        return Pseudonyms(email, email, _further_aliases(key, customer, [], email))
    name = pseudonym_of_id(key, customer.id)
    aliases = [Alias(pseudonym=email, kind="email")] if email else []
    return Pseudonyms(name, email, _further_aliases(key, customer, aliases, name) if customer.aliases else tuple(aliases))


def _further_aliases(key: bytes, customer: Customer, aliases: list[Alias], name: str | None) -> tuple[Alias, ...]:
    """`aliases` and those that the record states, each once, without the pseudonym `name`."""
    for alias in customer.aliases:
        if alias.id is not None:
            aliases.append(Alias(pseudonym=pseudonym_of_id(key, alias.id), kind="id"))
        else:
            aliases.append(Alias(pseudonym=pseudonym_of_email(key, alias.email or ""), kind="email"))
    return tuple(alias for alias in dict.fromkeys(aliases) if alias.pseudonym != name)


def pseudonym_of_id(key: bytes, value: str) -> str:
    """The pseudonym of a customer's id."""
    return _keyed(key, "id", value)


def pseudonym_of_email(key: bytes, email: str) -> str:
    """The pseudonym of an e-mail address. Case and Unicode composition do not matter."""
    return _keyed(key, "email", normalize_email(email))


def normalize_email(email: str) -> str:
    """An address in lower case and NFC, the form in which addresses are compared."""
    return unicodedata.normalize("NFC", email.strip()).casefold()


def address_of(customer: Customer) -> str | None:
    """The customer's e-mail address, else an id that is an address, else None."""
    return customer.email or (customer.id if customer.id and is_address(customer.id) else None)


def is_address(text: str) -> bool:
    """Whether an id looks like an e-mail address: one @ with text on both sides, no white space."""
    name, at, domain = text.strip().partition("@")
    return bool(at and name and domain) and "@" not in domain and not any(map(str.isspace, name + domain))


def pseudonyms_to_erase(key: bytes, customer: Customer) -> set[str]:
    """Every pseudonym that the customer of an erasure may have.

    An address also matches customers whose id is that address. An id that is an address also matches customers with that e-mail
    address.
    """
    texts = {text for text in _texts(customer) if text}
    addresses = {text for text in texts if is_address(text)}
    ids = texts | {form for address in addresses for form in (address.strip(), normalize_email(address))}
    return {pseudonym_of_id(key, value) for value in ids} | {pseudonym_of_email(key, address) for address in addresses}


@dataclass(frozen=True, slots=True)
class FormerId:
    """A tool's id of a customer in both forms, as pseudonyms: `bare` in the statements of `provider` that earlier versions
    stored, `namespaced` in later ones."""

    provider: str
    bare: str
    namespaced: str


def former_ids(key: bytes, customer: Customer) -> tuple[FormerId, ...]:
    """Both forms of the customer's ids, as far as they may be ids of tools that were stored without a namespace."""
    return tuple(
        FormerId(provider, pseudonym_of_id(key, bare), pseudonym_of_id(key, namespaced(provider, bare)))
        for text in dict.fromkeys(_texts(customer))
        if text
        for provider, bare in _readings(text)
    )


def _readings(identity: str) -> Iterator[tuple[str, str]]:
    """(provider, bare id): the ids of tools that a text may be."""
    provider, colon, bare = identity.partition(":")
    if colon and bare and provider in FORMERLY_BARE:
        yield provider, bare
    elif not is_address(identity):
        yield from ((provider, identity) for provider in FORMERLY_BARE)


def _texts(customer: Customer) -> list[str | None]:
    """All ids and addresses of a customer."""
    return [customer.id, customer.email, *(text for alias in customer.aliases for text in (alias.id, alias.email))]


def text_digest(key: bytes, text: str) -> str:
    """A digest that is equal for equal texts of a tenant. White space and Unicode composition do not matter."""
    return _keyed(key, "text", unicodedata.normalize("NFC", " ".join(text.split())))[:16]


def _keyed(key: bytes, kind: str, value: str) -> str:
    return hmac.digest(key, f"{kind}:{value}".encode(), "sha256")[:16].hex()
