"""A customer's pseudonym: the same person gets the same one within a tenant, and nobody without the tenant's key can tell who."""

import hmac
import unicodedata

from services.ingest.domain.fields import Customer


def pseudonym(key: bytes, customer: Customer) -> str:
    """The name under which everything of this customer is kept: by id where one is given, else by e-mail address."""
    if customer.id is not None:
        return _keyed(key, "id", customer.id)
    return of_email(key, customer.email or "")


def of_email(key: bytes, email: str) -> str:
    """The pseudonym of an address, whatever its case and composition."""
    return _keyed(key, "email", unicodedata.normalize("NFC", email.strip()).casefold())


def _keyed(key: bytes, kind: str, value: str) -> str:
    return hmac.digest(key, f"{kind}:{value}".encode(), "sha256")[:16].hex()
