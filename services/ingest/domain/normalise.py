"""Convert a canonical record to the event that is published: redacted, pseudonymous, in UTC, with all defaults filled in."""

from datetime import UTC, datetime
from hashlib import blake2b

from msgspec.structs import replace

from services.ingest.domain import record_facts as facts
from services.ingest.domain import record_parts as parts
from services.ingest.domain.connection import Connection
from services.ingest.domain.delivery import Statement
from services.ingest.domain.pseudonym import Pseudonyms, pseudonyms_of, text_digest
from services.ingest.domain.record import COMMON_DIMENSIONS, Feedback, Override, Response, Review, Ticket
from services.ingest.domain.redaction import Redactor
from shared import events
from shared.events import Body, Event
from shared.text import nfc

MAX_EVENT_BYTES = 1_500_000
"""Far below the limit of a topic, so that no event is too large to publish."""

NEVER = datetime.fromtimestamp(0, UTC)
NOBODY = Pseudonyms()


class TooLong(ValueError):
    """The event of the record is longer than MAX_EVENT_BYTES."""


def normalise(
    record: Response | Review | Ticket | Override, connection: Connection, received_at: datetime, position: int = 0
) -> Statement:
    """The statement of a record that was received over `connection`. Raises TooLong if its event is too large."""
    names = _pseudonyms(record, connection.key)
    event = Event(
        tenant=connection.tenant,
        subject=record.subject if isinstance(record, Override) else f"{connection.id}/{record.type}/{record.id}",
        statement="",
        revision=connection.revision,
        seq=0,
        position=position,
        at=_edited_at(record) or received_at,
        received_at=received_at,
        connection=connection.id,
        source=connection.provider,
        customer=names.customer,
        aliases=names.aliases,
        dimensions=_dimensions(record, connection),
        body=_body(record, connection.key),
    )
    return Statement(event, _fingerprint(event, _edited_at(record)), names.email)


def _edited_at(record: Response | Review | Ticket | Override) -> datetime | None:
    return record.updated_at if isinstance(record, Feedback) else record.at


def _fingerprint(event: Event, edited_at: datetime | None) -> bytes:
    """A digest that is equal for equal content, at any time of receipt and under any revision."""
    content = events.encode(replace(event, revision=1, at=edited_at or NEVER, received_at=NEVER, position=0))
    if len(content) > MAX_EVENT_BYTES:
        raise TooLong("the record is too long")
    return blake2b(content, digest_size=16).digest()


def _pseudonyms(record: Response | Review | Ticket | Override, key: bytes) -> Pseudonyms:
    return pseudonyms_of(key, record.customer) if isinstance(record, Feedback) and record.customer else NOBODY


def _dimensions(record: Response | Review | Ticket | Override, connection: Connection) -> dict[str, str | None]:
    """The fixed dimensions of the connection, overridden by those of the record.

    Team and agent of a ticket stay dimensions, although they mean an assignment at its opening: the time of the opening may be
    known from another record only.
    """
    if isinstance(record, Override):
        return {}
    values: dict[str, str | None] = {name: nfc(value) for name, value in connection.dimensions.items()}
    its = record.dimensions
    values |= {name: its[name] for name in COMMON_DIMENSIONS if name in its}
    values |= {name: its[name] for name in sorted(its.keys() - COMMON_DIMENSIONS)}
    if record.channel:
        values["channel"] = record.channel
    if isinstance(record, Response) and record.survey:
        values["survey"] = record.survey.id
    if isinstance(record, Review) and record.product:
        values["product"] = record.product
    return values


def _body(record: Response | Review | Ticket | Override, key: bytes) -> Body:
    words = Words(key)
    match record:
        case Response():
            return events.Response(
                at=record.at, sent_at=record.sent_at, answers=tuple([_answer(a, words) for a in record.answers])
            )
        case Review():
            return events.Review(
                at=record.at,
                stars=record.stars,
                title=words(record.title),
                text=words(record.text),
                language=record.language,
                deleted=record.deleted,
            )
        case Ticket():
            return events.Ticket(facts=tuple([_fact(f, words) for f in record.facts]))
        case Override():
            return events.Override(comment=record.comment, label=record.label, themes=tuple(record.themes))


class Words:
    """Makes the texts of one record publishable: customers' are redacted, others' become a digest, blank ones None."""

    def __init__(self, key: bytes) -> None:
        self._redact = Redactor()
        self._key = key

    def __call__(self, text: str | None) -> str | None:
        return self._redact(text) if text else None

    def digest(self, text: str | None) -> str | None:
        """A digest of a text that is not published. None if the text is blank."""
        return text_digest(self._key, text) if text and text.strip() else None


def _answer(answer: parts.Answer, words: Words) -> events.Answer:
    if isinstance(answer, parts.Comment):
        return events.Answer(question=answer.question, kind="comment", text=words(answer.text or None), language=answer.language)
    if answer.value is None:
        return events.Answer(question=answer.question, kind=answer.kind)
    return events.Answer(
        question=answer.question,
        kind=answer.kind,
        value=answer.value,
        scale=answer.scale,
        positive_from=answer.lowest_positive if isinstance(answer, parts.Csat) else None,
        polarity=answer.polarity if isinstance(answer, parts.Ces) else None,
        raw=words(answer.raw),
    )


def _fact(fact: facts.Fact, words: Words) -> events.Fact:
    """The event's form of a fact. Texts of agents and bots are not published, only their digest."""
    match fact:
        case facts.Opened():
            return events.Opened(
                at=fact.at,
                by=fact.by,
                agent=fact.agent,
                public=fact.public,
                text=words(fact.text) if fact.by == "customer" else None,
                text_digest=words.digest(fact.text) if fact.by != "customer" else None,
                language=fact.language,
            )
        case facts.Message():
            return events.Message(
                at=fact.at,
                by=fact.by,
                agent=fact.agent,
                public=fact.public,
                auto=fact.auto,
                id=fact.id,
                text=words(fact.text) if fact.by == "customer" else None,
                text_digest=words.digest(fact.text) if fact.by != "customer" else None,
                language=fact.language,
            )
        case facts.Assigned():
            return events.Assigned(at=fact.at, team=fact.team, agent=fact.agent)
        case facts.Rating():
            return _rating(fact, words)
        case facts.StatusSet():
            return events.StatusSet(at=fact.at, status=fact.status)
        case facts.PrioritySet():
            return events.PrioritySet(at=fact.at, priority=fact.priority)
        case facts.Merged():
            return events.Merged(at=fact.at, into=fact.into, value=fact.value)
        case facts.Spam():
            return events.Spam(at=fact.at, value=fact.value)
        case facts.Deleted():
            return events.Deleted(at=fact.at, value=fact.value)


def _rating(fact: facts.Rating, words: Words) -> events.Rating:
    if fact.value is None:
        return events.Rating(at=fact.at, id=fact.id, text=words(fact.text), language=fact.language)
    return events.Rating(
        at=fact.at,
        value=fact.value,
        scale=fact.scale,
        positive_from=fact.lowest_positive,
        raw=words(fact.raw),
        id=fact.id,
        text=words(fact.text),
        language=fact.language,
    )
