"""What travels on the topics: statements about subjects, scores of comments, announcements of changed KPIs.

These structs are the contract between the services; each topic carries one of them as JSON (see `shared.topics`). They hold no
identities: a customer is a pseudonym, comments are redacted before they get here. All times are UTC with microseconds.
"""

from datetime import datetime
from hashlib import blake2b
from typing import Literal

import msgspec
from msgspec import UNSET, Struct, UnsetType

Status = Literal["new", "open", "pending", "on_hold", "solved", "closed"]
Party = Literal["customer", "agent", "bot"]
Label = Literal["positive", "neutral", "negative"]

DIMENSIONS = (
    "source", "connection", "channel", "survey", "product", "region", "language", "team", "agent", "segment", "priority",
)  # fmt: skip
"""Every dimension a contribution carries, in the order of its columns. `source` is the provider."""


# --- a response's answers -------------------------------------------------------------------------------------------------
class Answer(Struct, frozen=True, omit_defaults=True, kw_only=True):
    """One answered question. A rating has `value` on its `scale`; a comment has `text`; neither: the answer is withdrawn."""

    question: str
    kind: Literal["nps", "csat", "ces", "comment"]
    value: int | None = None
    scale: tuple[int, int] | None = None
    positive_from: int | None = None
    polarity: Literal["easy_is_high", "easy_is_low"] | None = None
    raw: str | None = None
    text: str | None = None
    language: str | None = None


# --- a ticket's facts, each with the time at which it was true ------------------------------------------------------------
class Opened(Struct, frozen=True, omit_defaults=True, kw_only=True, tag="opened", tag_field="fact"):
    """The opening. `public`: whether the customer sees it; UNSET: as stated before, else yes.

    `text_digest` identifies the text of an agent or a bot, which is not published: a keyed digest, equal for equal text.
    """

    at: datetime
    by: Party = "customer"
    agent: str | None = None
    public: bool | UnsetType = UNSET
    text: str | None = None
    text_digest: str | None = None
    language: str | None = None


class Message(Struct, frozen=True, omit_defaults=True, kw_only=True, tag="message", tag_field="fact"):
    """A message. With an `id` a later statement of the same id replaces it; without one its time and author are its identity.

    `text_digest` is as in `Opened`.
    """

    at: datetime
    by: Party
    agent: str | None = None
    public: bool = True
    auto: bool = False
    id: str | None = None
    text: str | None = None
    text_digest: str | None = None
    language: str | None = None


class StatusSet(Struct, frozen=True, omit_defaults=True, kw_only=True, tag="status", tag_field="fact"):
    at: datetime
    status: Status


class Assigned(Struct, frozen=True, omit_defaults=True, kw_only=True, tag="assigned", tag_field="fact"):
    """An assignment. UNSET: as before; None: nobody."""

    at: datetime
    team: str | None | UnsetType = UNSET
    agent: str | None | UnsetType = UNSET


class PrioritySet(Struct, frozen=True, omit_defaults=True, kw_only=True, tag="priority", tag_field="fact"):
    at: datetime
    priority: str | None


class Rating(Struct, frozen=True, omit_defaults=True, kw_only=True, tag="rating", tag_field="fact"):
    """A rating given on a ticket. With an `id` a later statement replaces it; `value: None` withdraws it."""

    at: datetime
    kind: Literal["csat"] = "csat"
    value: int | None = None
    scale: tuple[int, int] | None = None
    positive_from: int | None = None
    raw: str | None = None
    id: str | None = None
    text: str | None = None
    language: str | None = None


class Merged(Struct, frozen=True, omit_defaults=True, kw_only=True, tag="merged", tag_field="fact"):
    at: datetime
    into: str | None = None
    value: bool = True


class Spam(Struct, frozen=True, omit_defaults=True, kw_only=True, tag="spam", tag_field="fact"):
    at: datetime
    value: bool = True


class Deleted(Struct, frozen=True, omit_defaults=True, kw_only=True, tag="deleted", tag_field="fact"):
    at: datetime
    value: bool = True


Fact = Opened | Message | StatusSet | Assigned | PrioritySet | Rating | Merged | Spam | Deleted


# --- what one statement says of its subject -------------------------------------------------------------------------------
class Response(Struct, frozen=True, omit_defaults=True, kw_only=True, tag="response", tag_field="type"):
    """A survey response; with `sent_at` and no answers, an invitation not yet answered."""

    at: datetime
    sent_at: datetime | None = None
    answers: tuple[Answer, ...] = ()


class Review(Struct, frozen=True, omit_defaults=True, kw_only=True, tag="review", tag_field="type"):
    at: datetime
    stars: int | None = None
    title: str | None = None
    text: str | None = None
    language: str | None = None


class Ticket(Struct, frozen=True, omit_defaults=True, kw_only=True, tag="ticket", tag_field="type"):
    facts: tuple[Fact, ...] = ()


class Override(Struct, frozen=True, omit_defaults=True, kw_only=True, tag="override", tag_field="type"):
    """A human's judgement of one comment of the subject, named by the hash of its text; it beats every model."""

    comment: str
    label: Label | None = None
    themes: tuple[str, ...] = ()


class Tombstone(Struct, frozen=True, omit_defaults=True, kw_only=True, tag="tombstone", tag_field="type"):
    """The subject was erased. Dominates whatever else is said of it, before or after."""


Body = Response | Review | Ticket | Override | Tombstone


class Event(Struct, frozen=True, omit_defaults=True, kw_only=True):
    """One statement: what one delivery says of one subject. Written by ingest to `feedback.events`.

    `subject` is `<connection>/<type>/<id>`, unique in its tenant. `statement` is unique in its subject: of two with one statement
    id the higher `revision` (of the mapping) stands. The stamp that orders statements is (`at`, `seq`, `position`): `at` is what
    the tool states of its edit, else the receipt; `seq` is given once by the inbox and survives every replay. `dimensions` maps a
    name of DIMENSIONS (but source and connection, which have fields of their own) to its value, None to take it back.
    """

    tenant: str
    subject: str
    statement: str
    revision: int = 1
    seq: int
    position: int = 0
    at: datetime
    received_at: datetime
    connection: str
    source: str
    customer: str | None = None
    dimensions: dict[str, str | None] = {}
    body: Body


# --- scores ---------------------------------------------------------------------------------------------------------------
class Theme(Struct, frozen=True):
    """A theme that a text speaks of, by its id in the taxonomy, and how: −1..1, from where it speaks of it alone."""

    theme: str
    score: float


Urgency = Literal["legal_threat", "safety", "cancellation", "outage", "money_taken", "repeated_contact"]
"""Why a comment should not wait, most pressing first."""


UNSUPPORTED_LANGUAGE = "unsupported_language"
"""The flag of a score whose text is in a language that models aren't trained for; no KPI counts it."""


class Score(Struct, frozen=True, omit_defaults=True, kw_only=True):
    """What a model says of one text; `label` and `score` (−1..1) are None for a non-answer such as "n/a".

    `urgency` holds each reason once, most pressing first: legal_threat, safety, cancellation, outage, money_taken,
    repeated_contact; none: it can wait. `taxonomy` is the revision of the tenant's taxonomy that `themes` are of, 0 for the one
    that ships. The rest of a score doesn't depend on it.
    """

    label: Label | None
    score: float | None
    confidence: float
    language: str | None = None
    mixed: bool = False
    themes: tuple[Theme, ...] = ()
    taxonomy: int = 0
    urgency: tuple[Urgency, ...] = ()
    flags: tuple[str, ...] = ()
    text_hash: str


class ScoreEvent(Struct, frozen=True, omit_defaults=True, kw_only=True):
    """The score of one comment of a subject, by one model. Written by sentiment to `feedback.scores`."""

    tenant: str
    subject: str
    model: str
    received_at: datetime
    score: Score


# --- announcements --------------------------------------------------------------------------------------------------------
class KpiChange(Struct, frozen=True, omit_defaults=True, kw_only=True):
    """KPIs of a tenant that a batch touched, changed or not. Written by metrics to `kpi.changes`."""

    tenant: str
    kpis: tuple[str, ...]
    at: datetime


def text_hash(text: str) -> str:
    """The name of a comment's text: 128 bits of BLAKE2b over its UTF-8, in hexadecimal."""
    return blake2b(text.encode(), digest_size=16).hexdigest()


def comments(body: Body) -> list[tuple[str, str | None]]:
    """The (text, language) of every comment that a statement makes, empty ones left out; agents' words are never comments."""
    return [(text, language) for text, language in _texts(body) if text and text.strip()]


def _texts(body: Body) -> list[tuple[str | None, str | None]]:
    match body:
        case Response():
            return [(a.text, a.language) for a in body.answers if a.kind == "comment"]
        case Review():
            return [(review_text(body), body.language)]
        case Ticket():
            return [
                (fact.text, fact.language)
                for fact in body.facts
                if isinstance(fact, Rating) or (isinstance(fact, Opened | Message) and fact.by == "customer")
            ]
        case _:
            return []


def review_text(review: Review) -> str:
    """A review's title and text as the one comment that they are."""
    return "\n".join(part for part in (review.title, review.text) if part)


encode = msgspec.json.Encoder().encode
decode_event = msgspec.json.Decoder(Event).decode
decode_score = msgspec.json.Decoder(ScoreEvent).decode
decode_change = msgspec.json.Decoder(KpiChange).decode
