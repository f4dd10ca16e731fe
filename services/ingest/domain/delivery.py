"""One delivery: the request as received, its verdict, and its statements."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, NamedTuple

from msgspec import Struct

from services.ingest.domain.mapping_use import NO_USE, MappingUse
from services.ingest.domain.pseudonym import FormerId
from services.ingest.domain.reason_codes import ReasonCode
from services.ingest.domain.value_names import ValueName
from shared.events import Alias, Event, encode

Verdict = Literal["accepted", "quarantined", "ignored", "held", "pending", "erased"]
"""`held`: the connection is paused, so the delivery is kept unread until it is active again. `pending`: a thin event; its content
must be fetched from the tool's API. `erased`: it was quarantined, held or pending and named a customer who was erased; its body
is deleted and it is never read."""

Outcome = Literal["accepted", "duplicate", "quarantined", "ignored", "held", "pending", "erased"]


class Statement(Struct, frozen=True):
    """An event about one subject before it is stored. The inbox assigns the event's `seq` and `statement`.

    `fingerprint` is equal for equal content; it identifies duplicates among deliveries without an id. `email` is the pseudonym of
    an address in the record, even if the customer is known by an id.
    """

    event: Event
    fingerprint: bytes
    email: str | None = None

    @property
    def aliases(self) -> list[Alias]:
        """The aliases of the event except `email`."""
        return [alias for alias in self.event.aliases if alias.pseudonym != self.email]

    @property
    def pseudonyms(self) -> set[str]:
        """All pseudonyms of the customer."""
        names = (self.event.customer, self.email, *(alias.pseudonym for alias in self.event.aliases))
        return {name for name in names if name}


class Delivery(Struct, frozen=True):
    """`id` is the tool's own (a webhook's, an Idempotency-Key), the same for every retry. None: duplicates are found by content.

    `raw` is the body as received, `headers` those that parsing needs, without secrets. `erases` holds the pseudonyms of a
    customer to erase, `former_ids` both forms of those that may be a tool's ids, `placeholders` those of ids that stand for
    nobody, and `erases_linked` says whether everything that links reach is erased too. `subjects`, of a delivery without
    statements, are its subjects as far as its body can be read.
    `use` says how its payload fits the mapping, `names` are those that it states for values of dimensions; neither is stored
    with the delivery. `fetch` is the key of a pending one: waiting deliveries of one connection with the same key are completed
    by one fetch. `reason_code` is that of a quarantined one. `historical`: it is of an import or a back-fill, so its feedback may
    be older than an erasure of its customer.
    """

    tenant: str
    connection: str
    id: str | None
    received_at: datetime
    revision: int
    raw: bytes
    headers: dict[str, str] = {}
    verdict: Verdict = "accepted"
    reason: str | None = None
    statements: tuple[Statement, ...] = ()
    erases: tuple[str, ...] = ()
    former_ids: tuple[FormerId, ...] = ()
    erases_linked: bool = False
    placeholders: frozenset[str] = frozenset()
    subjects: tuple[str, ...] = ()
    use: MappingUse = NO_USE
    names: tuple[ValueName, ...] = ()
    fetch: str | None = None
    reason_code: ReasonCode | None = None
    historical: bool = False


@dataclass(frozen=True, slots=True)
class StoredDelivery:
    """A delivery that is loaded from the inbox to be read again. `delivery` is the tool's id of it, if any. `raw` is empty if the
    body is deleted, or if it is unreadable: it can't be decrypted."""

    seq: int
    connection: str
    delivery: str | None
    received_at: datetime
    headers: dict[str, str]
    raw: bytes
    reason: str
    revision: int
    is_unreadable: bool = False


ENCRYPTED_HEADERS = '{"encrypted":"'
"""The beginning of encrypted headers. An earlier version reads them as headers that it does not know."""

SQL_IS_PLAIN = (
    f"octet_length(raw) > 0 AND (body_key IS NULL OR headers <> '{{}}' AND NOT starts_with(headers, '{ENCRYPTED_HEADERS}'))"
)
"""Whether a row of `inbox` has a body, and it or its headers are not encrypted: the condition of the index
`inbox_plain_bodies`."""


class StorableBody(NamedTuple):
    """A body and its headers as they are to be stored: the columns `raw`, `body_key` and `headers`. `key` is the id of the key
    that encrypts both; None: they are plain."""

    raw: bytes
    key: int | None
    headers: str

    @classmethod
    def plain(cls, delivery: Delivery) -> "StorableBody":
        """The body of a delivery as it is."""
        return cls(delivery.raw, None, encode(delivery.headers).decode())


@dataclass(frozen=True, slots=True)
class StoredBody:
    """A body as the inbox stores it. `key` is the id of the key that encrypts `raw`; None: `raw` is plain. `connection` and
    `delivery`, the tool's id of the delivery, are those of its row. `headers` are a JSON object, plain or encrypted."""

    connection: str
    delivery: str | None
    raw: bytes
    key: int | None
    headers: str = "{}"


@dataclass(frozen=True, slots=True)
class DecryptedBody:
    """A body and its headers, decrypted. `raw` is None if it is unreadable: its key is lost, or is that of another body."""

    raw: bytes | None
    headers: dict[str, str]

    @property
    def is_unreadable(self) -> bool:
        """Whether it can't be decrypted."""
        return self.raw is None


def split_at_erasures(deliveries: Mapping[int, Delivery]) -> Sequence[Mapping[int, Delivery]]:
    """The deliveries in parts, in their order. An erasure is alone in its part, since it needs a transaction of its own."""
    parts: list[dict[int, Delivery]] = [{}]
    for seq, delivery in deliveries.items():
        if delivery.erases:
            parts += [{seq: delivery}, {}]
        else:
            parts[-1][seq] = delivery
    return [part for part in parts if part]
