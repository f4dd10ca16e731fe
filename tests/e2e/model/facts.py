"""The countable facts of records, each with its time, its dimensions and its customer."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import blake2b
from typing import Any

Record = dict[str, Any]
Dims = Mapping[str, str | None]

POSITIVE_FROM = {(1, 5): 4, (1, 7): 6, (1, 4): 3, (1, 3): 3, (1, 2): 2, (0, 1): 1}


@dataclass(frozen=True)
class Scored:
    """The score of a text as the service returns it. The model does not score."""

    label: str | None
    value: float | None
    themes: frozenset[str] = frozenset()
    urgency: frozenset[str] = frozenset()


Scorer = Callable[[str], Scored]


def when(text: str) -> datetime:
    return datetime.fromisoformat(text)


@dataclass(frozen=True)
class Fact:
    """`lists` are the dimensions of which it may have several values."""

    kind: str
    at: datetime
    value: Any
    dims: Dims
    customer: str | None
    subject: str
    lists: Mapping[str, frozenset[str]] = field(default_factory=dict)

    def values(self, dimension: str) -> tuple[str | None, ...]:
        """The groups that it is in."""
        if dimension in ("theme", "urgency"):
            return tuple(self.lists.get(dimension, ())) or (None,)
        return (self.dims.get(dimension),)


@dataclass
class Subject:
    """The accepted records of one subject, each with its stamp."""

    name: str
    stamped: list[tuple[tuple[datetime, int], Record]] = field(default_factory=list)
    overrides: list[tuple[tuple[datetime, int], Record]] = field(default_factory=list)

    @property
    def records(self) -> list[Record]:
        return [record for _, record in sorted(self.stamped, key=lambda pair: pair[0])]

    @property
    def channels(self) -> list[tuple[datetime, str]]:
        """The channels, each with the time of its record."""
        return [(at, r["channel"]) for (at, _), r in sorted(self.stamped, key=lambda pair: pair[0]) if "channel" in r]

    def channel_at(self, at: datetime) -> str | None:
        """The last channel up to a time, else the first one."""
        before = [channel for since, channel in self.channels if since <= at]
        return before[-1] if before else next((channel for _, channel in self.channels), None)

    @property
    def type(self) -> str:
        return self.name.split("/")[1]

    def override(self, text: str) -> Record:
        """The latest override of the comment with this text; empty if there is none."""
        comment = blake2b(text.encode(), digest_size=16).hexdigest()
        of_comment = [pair for pair in self.overrides if pair[1]["comment"] == comment]
        return max(of_comment, key=lambda pair: pair[0])[1] if of_comment else {}


def customer(records: Iterable[Record]) -> str | None:
    ids = [record["customer"]["id"] for record in records if "customer" in record]
    return ids[-1] if ids else None


def dimensions(records: Iterable[Record]) -> dict[str, str | None]:
    """The subject's latest values; None removes one."""
    latest: dict[str, str | None] = {}
    for record in records:
        latest |= record.get("dimensions", {})
        latest |= {name: record[name] for name in ("channel", "product") if name in record}
        if "survey" in record:
            latest["survey"] = record["survey"]["id"]
        latest |= {"source": record["_source"], "connection": record["_connection"]}
    return latest


def form_and_value(rating: Record) -> tuple[tuple[int, ...], int, int]:
    """A CSAT rating: its scale, the lowest positive value, and its value."""
    scale = tuple(rating["scale"])
    return scale, rating.get("positive_from") or POSITIVE_FROM[scale], rating["value"]


Counted = tuple[str, Any, Mapping[str, frozenset[str]]]
"""The kind of a fact, its value, and its values of dimensions of which it may have several."""


def counted_of_comment(subject: Subject, text: str, score: Scorer) -> list[Counted]:
    """The facts of a comment. A human's label and themes replace those of the service."""
    scored, override = score(text), subject.override(text)
    label, value = scored.label, scored.value
    if override.get("label"):
        label = override["label"]
        value = {"positive": 1.0, "neutral": 0.0, "negative": -1.0}[label]
    lists = {"theme": frozenset(override.get("themes") or scored.themes), "urgency": scored.urgency}
    counted: list[Counted] = [("comments", 1, {}), ("scored", 1, lists)]
    if label is not None and value is not None:
        counted += [("label", label, lists), ("sentiment", value, lists)]
    if scored.urgency:
        counted.append(("urgent", 1, lists))
    return counted


def of_response(subject: Subject, score: Scorer) -> list[Fact]:
    responses = [r for r in subject.records if r.get("answers") or "sent_at" not in r]  # the others are invitations
    sent = [of_invitation(subject, responded=bool(responses))] if any("sent_at" in r for r in subject.records) else []
    if not responses:
        return sent
    answers = {a["question"]: a for r in responses for a in r["answers"]}
    texts = [a["text"] for a in answers.values() if a["kind"] == "comment" and (a["text"] or "").strip()]
    counted: list[Counted] = [("responses", int(bool(texts)), {})]
    for a in answers.values():
        if a.get("value") is not None:
            counted.append((a["kind"], form_and_value(a) if a["kind"] == "csat" else a["value"], {}))
    return sent + _filed(subject, min(when(r["at"]) for r in responses), counted, texts, score)


def of_invitation(subject: Subject, *, responded: bool) -> Fact:
    """The invitation, with the dimensions that were known when it was sent."""
    at = min(when(r["sent_at"]) for r in subject.records if "sent_at" in r)
    invitations = [r for r in subject.records if "sent_at" in r and not r.get("answers")]
    first = min((when(r["sent_at"]) for r in invitations), default=None)
    before = [r for r in invitations if when(r["sent_at"]) == first] or [next(r for r in subject.records if "sent_at" in r)]
    return Fact("sent", at, responded, dimensions(before), customer(subject.records), subject.name)


def of_review(subject: Subject, score: Scorer) -> list[Fact]:
    records = subject.records
    last = records[-1]
    text = "\n".join(part for part in (last.get("title"), last["text"]) if part)
    return _filed(subject, min(when(r["at"]) for r in records), [("stars", last["stars"], {})], [text], score)


def _filed(subject: Subject, at: datetime, counted: list[Counted], texts: list[str], score: Scorer) -> list[Fact]:
    dims, owner = dimensions(subject.records), customer(subject.records)
    rows = [*counted, *(row for text in texts for row in counted_of_comment(subject, text, score))]
    return [Fact(kind, at, value, dims, owner, subject.name, lists) for kind, value, lists in rows]
