"""Pseudonyms of customers: within a tenant the same person gets the same one; only the tenant's key leads back to the person."""

import hmac
import unicodedata

from services.ingest.domain.fields import Customer


def pseudonym(key: bytes, customer: Customer) -> str:
    """The pseudonym under which everything of this customer is kept: of the id where one is given, else of the e-mail address."""
    if customer.id is not None:
        return pseudonym_of_id(key, customer.id)
    return pseudonym_of_email(key, customer.email or "")


def pseudonym_of_id(key: bytes, value: str) -> str:
    """The pseudonym of a customer's id."""
    return _keyed(key, "id", value)


def pseudonym_of_email(key: bytes, email: str) -> str:
    """The pseudonym of an address, whatever its case and composition."""
    return _keyed(key, "email", normalize_email(email))


def normalize_email(email: str) -> str:
    """An address in the one form in which addresses are compared."""
    return unicodedata.normalize("NFC", email.strip()).casefold()


def address_of(customer: Customer) -> str | None:
    """The customer's e-mail address: the one that is stated, else an id that is an address. None where neither is."""
    return customer.email or (customer.id if customer.id and is_address(customer.id) else None)


def is_address(text: str) -> bool:
    """Whether an id has the form of an e-mail address: one @ with something on both sides, and no space."""
    name, at, domain = text.strip().partition("@")
    return bool(at and name and domain) and "@" not in domain and not any(map(str.isspace, name + domain))


def pseudonyms_to_erase(key: bytes, customer: Customer) -> set[str]:
    """Every pseudonym by which the customer of an erasure may go. An address also finds the customer whose id is that address,
    and an id that is an address also finds whoever stated it as their e-mail address."""
    texts = {text for text in (customer.id, customer.email) if text}
    addresses = {text for text in (customer.email, customer.id) if text and is_address(text)}
    ids = texts | {form for address in addresses for form in (address.strip(), normalize_email(address))}
    return {pseudonym_of_id(key, value) for value in ids} | {pseudonym_of_email(key, address) for address in addresses}


def text_digest(key: bytes, text: str) -> str:
    """A digest by which equal texts of a tenant are recognized, and nothing else: white space and composition don't count."""
    return _keyed(key, "text", unicodedata.normalize("NFC", " ".join(text.split())))[:16]


def _keyed(key: bytes, kind: str, value: str) -> str:
    return hmac.digest(key, f"{kind}:{value}".encode(), "sha256")[:16].hex()
