"""Pseudonyms of customers. Within a tenant a person always has the same one. Without the tenant's key nobody can compute it."""

import hmac
import unicodedata

from services.ingest.domain.fields import Customer


def pseudonym(key: bytes, customer: Customer) -> str:
    """The pseudonym of a customer: that of the id if there is one, else that of the e-mail address."""
    if customer.id is not None:
        return pseudonym_of_id(key, customer.id)
    return pseudonym_of_email(key, customer.email or "")


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
    texts = {text for text in (customer.id, customer.email) if text}
    addresses = {text for text in (customer.email, customer.id) if text and is_address(text)}
    ids = texts | {form for address in addresses for form in (address.strip(), normalize_email(address))}
    return {pseudonym_of_id(key, value) for value in ids} | {pseudonym_of_email(key, address) for address in addresses}


def text_digest(key: bytes, text: str) -> str:
    """A digest that is equal for equal texts of a tenant. White space and Unicode composition do not matter."""
    return _keyed(key, "text", unicodedata.normalize("NFC", " ".join(text.split())))[:16]


def _keyed(key: bytes, kind: str, value: str) -> str:
    return hmac.digest(key, f"{kind}:{value}".encode(), "sha256")[:16].hex()
