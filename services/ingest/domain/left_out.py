"""Names that a search for a customer did not follow, and why: what a find, an export and a receipt of an erasure list."""

from dataclasses import dataclass
from typing import Literal

from services.ingest.domain.identity import MOST_OTHERS

Reason = Literal["shared", "placeholder", "too_many_links", "not_recorded"]

EXPLANATIONS: dict[Reason, str] = {
    "shared": f"More than {MOST_OTHERS} ids or addresses of one connection share it, so it links nobody. Records that state only "
    "it may be of others and were left out. If it is this customer's own, name their other ids and addresses one by one",
    "placeholder": "It stands for everybody without an id, so it links nobody. Records that state only it may be of others and "
    "were left out. Name the customer by an address or another id",
    "too_many_links": "Links reach more ids and addresses than are followed. Name the customer once more by another of their ids "
    "and addresses, until nothing is left out",
    "not_recorded": "An earlier version carried the erasure out and did not record which names it left out. Find the customer: "
    "if something is found, erase it under another Idempotency-Key",
}
"""For people: the consequence, and what to do."""


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A name that was not followed. `pseudonym` and `kind` are None if the reason is about no single name."""

    reason: Reason
    pseudonym: str | None = None
    kind: Literal["id", "email"] | None = None
