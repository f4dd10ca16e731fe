"""The events of the topics: statements about subjects, scores of comments, changes of KPIs.

The structs are the contract between the services. Each topic carries one of them as JSON (`shared.topics`). They hold no
identities: a customer is a pseudonym, and comments are redacted. Times are UTC with microseconds.
"""

import re
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
"""The dimensions of every contribution, in the order of its columns. `source` is the provider."""

NAMED_DIMENSIONS = ("team", "agent", "survey")
"""The dimensions whose values are often ids of a tool, so that they can have names."""

MULTI_VALUED_DIMENSIONS = ("theme", "urgency")
"""The further dimensions of scored comments, which may have several values of each."""

MOST_OWN_DIMENSIONS = 10
"""How many dimensions of its own a tenant, and further dimensions a record, may have."""

OWN_DIMENSION = re.compile(r"[a-z][a-z0-9_]{0,39}")
"""The name of a dimension of a tenant's own."""


def is_common_dimension(name: str) -> bool:
    """Whether every tenant has a dimension of this name."""
    return name in DIMENSIONS or name in MULTI_VALUED_DIMENSIONS


def can_be_own_dimension(name: str) -> bool:
    """Whether a tenant can have a dimension of its own with this name."""
    return not is_common_dimension(name) and OWN_DIMENSION.fullmatch(name) is not None


class Answer(Struct, frozen=True, omit_defaults=True, kw_only=True):
    """The answer to a question: a rating has `value` on its `scale`, a comment `text`. With neither, the answer is withdrawn."""

    question: str
    kind: Literal["nps", "csat", "ces", "comment"]
    value: int | None = None
    scale: tuple[int, int] | None = None
    positive_from: int | None = None
    polarity: Literal["easy_is_high", "easy_is_low"] | None = None
    raw: str | None = None
    text: str | None = None
    language: str | None = None


class Opened(Struct, frozen=True, omit_defaults=True, kw_only=True, tag="opened", tag_field="fact"):
    """The opening. `public`: whether the customer can see it; UNSET: unchanged, at first true.

    `text_digest` is a keyed digest of the text of an agent or a bot, which is not published: equal for equal texts.
    """

    at: datetime
    by: Party = "customer"
    agent: str | None = None
    public: bool | UnsetType = UNSET
    text: str | None = None
    text_digest: str | None = None
    language: str | None = None


class Message(Struct, frozen=True, omit_defaults=True, kw_only=True, tag="message", tag_field="fact"):
    """A message. A later message with the same `id` replaces it; without an `id`, one with the same time and author.

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
    """An assignment. UNSET: unchanged; None: nobody."""

    at: datetime
    team: str | None | UnsetType = UNSET
    agent: str | None | UnsetType = UNSET


class PrioritySet(Struct, frozen=True, omit_defaults=True, kw_only=True, tag="priority", tag_field="fact"):
    at: datetime
    priority: str | None


class Rating(Struct, frozen=True, omit_defaults=True, kw_only=True, tag="rating", tag_field="fact"):
    """The rating of a ticket. A later rating with the same `id` replaces it; `value: None` withdraws it."""

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


class Response(Struct, frozen=True, omit_defaults=True, kw_only=True, tag="response", tag_field="type"):
    """A survey response; with `sent_at` and without answers, an unanswered invitation."""

    at: datetime
    sent_at: datetime | None = None
    answers: tuple[Answer, ...] = ()


class Review(Struct, frozen=True, omit_defaults=True, kw_only=True, tag="review", tag_field="type"):
    at: datetime
    stars: int | None = None
    title: str | None = None
    text: str | None = None
    language: str | None = None
    deleted: bool = False


class Ticket(Struct, frozen=True, omit_defaults=True, kw_only=True, tag="ticket", tag_field="type"):
    facts: tuple[Fact, ...] = ()


class Override(Struct, frozen=True, omit_defaults=True, kw_only=True, tag="override", tag_field="type"):
    """A human's label and themes for a comment, identified by `text_hash`. It overrides every model."""

    comment: str
    label: Label | None = None
    themes: tuple[str, ...] = ()


class Tombstone(Struct, frozen=True, omit_defaults=True, kw_only=True, tag="tombstone", tag_field="type"):
    """The subject was erased. It overrides every other statement, earlier or later."""


Body = Response | Review | Ticket | Override | Tombstone


class Alias(Struct, frozen=True, kw_only=True):
    """Another pseudonym of a statement's customer: of an id or of an e-mail address."""

    pseudonym: str
    kind: Literal["id", "email"]


class Event(Struct, frozen=True, omit_defaults=True, kw_only=True):
    """One delivery's statement about one subject. Written by ingest to `feedback.events`.

    `subject` is `<connection>/<type>/<id>`, unique within the tenant. `statement` is unique within the subject: of two events
    with the same statement id, the one with the higher `revision` (of the mapping) counts. Statements are ordered by the stamp
    (`at`, `seq`, `position`): `at` is the tool's time of the edit, else the time of receipt; `seq` is assigned once by the
    inbox and is the same in every replay. `dimensions` maps names of DIMENSIONS, except source and connection, and names of the
    tenant's own to values; None removes a value. A name that the tenant hasn't declared counts nowhere until it is declared.
    `customer` is the pseudonym of the customer's id, else of the address; the statement links it to each of `aliases`. All links
    are published. A reader decides from all of them which count: an address with over 5 ids of one connection links nothing.
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
    aliases: tuple[Alias, ...] = ()
    dimensions: dict[str, str | None] = {}
    body: Body


class ThemeScore(Struct, frozen=True):
    """A theme of a text, by its id in the taxonomy, with the sentiment −1..1 of the passages about it."""

    theme: str
    score: float


Urgency = Literal["legal_threat", "safety", "cancellation", "outage", "money_taken", "repeated_contact"]
"""Reasons why a comment is urgent, most pressing first."""

UNSUPPORTED_LANGUAGE = "unsupported_language"
"""The flag of a text in a language that no model is trained for; no KPI counts its score."""


class Score(Struct, frozen=True, omit_defaults=True, kw_only=True):
    """A model's score of one text. `label` and `score` (−1..1) are None for a non-answer such as "n/a".

    `urgency` holds each reason once, most pressing first. `taxonomy` is the revision of the taxonomy of `themes`, 0 for the
    default one; the other fields do not depend on it.
    """

    label: Label | None
    score: float | None
    confidence: float
    language: str | None = None
    mixed: bool = False
    themes: tuple[ThemeScore, ...] = ()
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


class KpiChange(Struct, frozen=True, omit_defaults=True, kw_only=True):
    """KPIs of a tenant that a batch may have changed. Written by metrics to `kpi.changes`."""

    tenant: str
    kpis: tuple[str, ...]
    at: datetime


def text_hash(text: str) -> str:
    """The identifier of a comment's text: 128 bits of BLAKE2b over its UTF-8, in hex."""
    return blake2b(text.encode(), digest_size=16).hexdigest()


def comments(body: Body) -> list[tuple[str, str | None]]:
    """The (text, language) of every non-empty comment in a statement. Agents' texts are not comments."""
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
    """The title and the text of a review as one comment."""
    return "\n".join(part for part in (review.title, review.text) if part)


encode = msgspec.json.Encoder().encode
decode_event = msgspec.json.Decoder(Event).decode
decode_score = msgspec.json.Decoder(ScoreEvent).decode
decode_change = msgspec.json.Decoder(KpiChange).decode
