"""What records come to: countable facts, each with its time, its dimensions and its customer."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

Record = dict[str, Any]
Dims = Mapping[str, str | None]
Scorer = Callable[[str], tuple[str | None, float | None]]
"""The label and score of a text; the model takes them as they are served."""

POSITIVE_FROM = {(1, 5): 4, (1, 7): 6, (1, 4): 3, (1, 3): 3, (1, 2): 2, (0, 1): 1}


def when(text: str) -> datetime:
    return datetime.fromisoformat(text)


@dataclass(frozen=True)
class Fact:
    kind: str
    at: datetime
    value: Any
    dims: Dims
    customer: str | None
    subject: str


@dataclass
class Subject:
    """All that was accepted of one subject: stamp, and record."""

    name: str
    said: list[tuple[tuple[datetime, int], Record]] = field(default_factory=list)

    @property
    def records(self) -> list[Record]:
        return [record for _, record in sorted(self.said, key=lambda pair: pair[0])]

    @property
    def type(self) -> str:
        return self.name.split("/")[1]


def customer(records: Iterable[Record]) -> str | None:
    stated = [record["customer"]["id"] for record in records if "customer" in record]
    return stated[-1] if stated else None


def dimensions(records: Iterable[Record]) -> dict[str, str | None]:
    """The subject's latest; None takes one back."""
    found: dict[str, str | None] = {}
    for record in records:
        found |= record.get("dimensions", {})
        found |= {name: record[name] for name in ("channel", "product") if name in record}
        if "survey" in record:
            found["survey"] = record["survey"]["id"]
        found |= {"source": record["_source"], "connection": record["_connection"]}
    return found


def form_and_value(rating: Record) -> tuple[tuple[int, ...], int, int]:
    """A CSAT rating: its scale, the first positive value, and what was given."""
    scale = tuple(rating["scale"])
    return scale, rating.get("positive_from") or POSITIVE_FROM[scale], rating["value"]


def judged(text: str, score: Scorer) -> list[tuple[str, Any]]:
    """What a comment counts as: (kind, value)."""
    label, value = score(text)
    nothing = label is None or value is None
    return [("comments", 1)] if nothing else [("comments", 1), ("label", label), ("sentiment", value)]


def of_response(subject: Subject, score: Scorer) -> list[Fact]:
    told = [r for r in subject.records if r.get("answers") or "sent_at" not in r]  # the others are invitations
    if not told:
        return []
    answers = {a["question"]: a for r in told for a in r["answers"]}
    texts = [a["text"] for a in answers.values() if a["kind"] == "comment" and (a["text"] or "").strip()]
    counted: list[tuple[str, Any]] = [("responses", int(bool(texts)))]
    for a in answers.values():
        if a.get("value") is not None:
            counted.append((a["kind"], form_and_value(a) if a["kind"] == "csat" else a["value"]))
    return _filed(subject, min(when(r["at"]) for r in told), counted, texts, score)


def of_review(subject: Subject, score: Scorer) -> list[Fact]:
    records = subject.records
    last = records[-1]
    text = "\n".join(part for part in (last.get("title"), last["text"]) if part)
    return _filed(subject, min(when(r["at"]) for r in records), [("stars", last["stars"])], [text], score)


def _filed(subject: Subject, at: datetime, counted: list[tuple[str, Any]], texts: list[str], score: Scorer) -> list[Fact]:
    dims, who = dimensions(subject.records), customer(subject.records)
    rows = [*counted, *(row for text in texts for row in judged(text, score))]
    return [Fact(kind, at, value, dims, who, subject.name) for kind, value in rows]
