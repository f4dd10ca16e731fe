"""Random records as tools might send them: in pieces, in any order, repeated, edited back and forth, withdrawn."""

import random
from datetime import UTC, datetime, timedelta
from hashlib import blake2b
from typing import Any
from zoneinfo import ZoneInfo

from tests.e2e.model.facts import Record

ZONES = ("Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "UTC")
BEGIN, END = datetime(2025, 9, 25, tzinfo=UTC), datetime(2025, 11, 21, tzinfo=UTC)
MICRO = timedelta(microseconds=1)
EDGES = [
    datetime(2025, month, day, *clock, tzinfo=ZoneInfo(zone)).astimezone(UTC)
    for zone in ZONES
    for month, day in ((10, 1), (10, 5), (10, 26), (10, 27), (11, 2), (11, 3))
    for clock in ((0, 0), (1, 30), (2, 0), (3, 0))
]
"""Instants at which days begin and clocks change."""

TEAMS, AGENTS, REGIONS = ("billing", "delivery", "tech"), ("a-1", "a-2", "a-3"), ("DE", "FR")
FORMS: tuple[Record, ...] = (
    {"scale": [1, 5]},
    {"scale": [1, 5], "positive_from": 5},
    {"scale": [1, 7], "positive_from": 6},
    {"scale": [0, 1]},
    {"scale": [1, 3]},
)
TEXTS = (
    "I love it, wonderful service!", "Terrible. I hate waiting.", "It arrived on Tuesday.", "Good app, but search is broken.",
    "Awful, rude, never again!!!", "n/a", "   ", "Not bad at all", "I will sue you.",
    "The site is down again, I cancel my contract.",
)  # fmt: skip
OPENERS = ("customer", "customer", "agent", "agent", "bot")
THEMES = ("delivery", "billing", "search")
QUESTIONS = (("q1", "nps"), ("q2", "csat"), ("q3", "ces"), ("q4", "comment"), ("q5", "comment"))


class Streams:
    """Random records; equal seeds make equal ones."""

    def __init__(self, seed: int) -> None:
        self.r = random.Random(seed)

    def records(self, subjects: int) -> list[Record]:
        makers = (self.response, self.response, self.ticket, self.ticket, self.review)
        made = [record for number in range(subjects) for record in self.with_overrides(self.r.choice(makers)(str(number)))]
        made += self.r.sample(made, len(made) // 8)
        self.r.shuffle(made)
        return made

    def some(self, share: float) -> bool:
        return self.r.random() < share

    def time(self) -> datetime:
        if self.some(0.3):
            return self.r.choice(EDGES) + MICRO * self.r.choice((-1, 0, 0, 1))
        return BEGIN + (END - BEGIN) * self.r.random()

    def later(self, at: datetime) -> datetime:
        """A time from a second to days later."""
        return at + timedelta(seconds=10 ** self.r.uniform(0, 5.5)) if at < END - timedelta(days=5) else at + MICRO

    def format(self, at: datetime) -> str:
        return at.astimezone(ZoneInfo(self.r.choice(ZONES))).isoformat()

    def with_options(self, record: Record) -> Record:
        """The record with optional fields that any record may have."""
        if self.some(0.6):
            record["updated_at"] = self.format(self.time())
        if self.some(0.5):
            record["channel"] = self.r.choice(("email", "chat"))
        offered: dict[str, tuple[str | None, ...]] = {"region": (*REGIONS, None), "team": TEAMS, "agent": AGENTS}
        return record | {"dimensions": {name: self.r.choice(values) for name, values in offered.items() if self.some(0.3)}}

    def person(self) -> Record:
        return {"customer": {"id": f"c-{self.r.randrange(30)}"}} if self.some(0.7) else {}

    def with_overrides(self, records: list[Record]) -> list[Record]:
        """The records of a subject, and some overrides. `subject` lacks the connection, which is not known yet."""
        subject = f"{records[0]['type']}/{records[0]['id']}"
        return [*records, *(self.override(subject, n) for n in range(self.r.choice((0, 0, 1, 2))))]

    def override(self, subject: str, number: int) -> Record:
        comment = blake2b(self.r.choice(TEXTS).encode(), digest_size=16).hexdigest()
        judged: Record = {"label": self.r.choice((None, "positive", "neutral", "negative"))}
        judged |= {"themes": self.r.sample(THEMES, self.r.choice((0, 1, 2)))}
        record = {"type": "override", "id": f"{subject}/{number}", "at": self.format(self.time())}
        return record | {"subject": subject, "comment": comment, **judged}

    # --- responses and reviews
    def response(self, number: str) -> list[Record]:
        first, person, made = self.time(), self.person(), []
        for _ in range(self.r.choice((1, 1, 2, 3))):
            at = first if self.some(0.7) else self.later(first)
            answers = [self.answer(*question) for question in QUESTIONS if self.some(0.5)]
            record = {"type": "response", "id": number, "at": self.format(at), "answers": answers, **person}
            if self.some(0.2):
                record["sent_at"] = self.format(first - timedelta(days=1))
            made.append(self.with_options(record))
        return [*made, made[0]] if len(made) > 1 else made  # A, B, and A again

    def answer(self, question: str, kind: str) -> Record:
        withdrawn = self.some(0.15)
        if kind == "comment":
            return {"question": question, "kind": kind, "text": None if withdrawn else self.r.choice(TEXTS)}
        form = self.r.choice(FORMS) if kind == "csat" else {}
        low, high = {"nps": (0, 10), "ces": (1, 7)}.get(kind) or form["scale"]
        return {"question": question, "kind": kind, "value": None if withdrawn else self.r.randint(low, high), **form}

    def review(self, number: str) -> list[Record]:
        record = {"type": "review", "id": number, "at": self.format(self.time()), "text": self.r.choice(TEXTS[:5])}
        return [self.with_options(record | {"stars": self.r.randint(1, 5)}) for _ in range(self.r.choice((1, 2)))]

    # --- tickets
    def ticket(self, number: str) -> list[Record]:
        """A ticket in pieces, some facts repeated. Two versions of one fact are never in one piece."""
        opened, person = self.time(), self.person()
        opening: Record = {"fact": "opened", "at": self.format(opened), "by": self.r.choice(OPENERS)}
        opening |= {"text": self.r.choice(TEXTS)} if opening["by"] == "customer" else {"public": self.some(0.8)}
        facts, changes, at = [opening], [], opened
        for n in range(self.r.choice((0, 2, 5, 9))):
            at = at if n and self.some(0.2) else self.later(at) + MICRO
            fact = self.happening(self.format(at)) | ({"id": f"f-{n}"} if n % 2 else {})
            if "id" in fact and fact["fact"] not in ("message", "rating"):
                del fact["id"]
            facts.append(fact)
            if "id" in fact and self.some(0.3):
                changes.append([fact | ({"value": None} if fact["fact"] == "rating" else {"public": False})])
        facts += self.drop(at)
        pieces: list[list[Record]] = [[] for _ in range(self.r.choice((1, 2, 4)))]
        for fact in facts[1:] if self.some(0.05) else facts:
            for piece in {self.r.randrange(len(pieces)) for _ in range(self.r.choice((1, 1, 2)))}:
                pieces[piece].append(fact)
        return [self.with_options(self.piece(number, opened, piece) | person) for piece in (*pieces, *changes)]

    def piece(self, number: str, opened: datetime, facts: list[Record]) -> Record:
        at = opened if self.some(0.5) else self.later(opened)
        return {"type": "ticket", "id": number, "at": self.format(at), "facts": facts}

    def drop(self, at: datetime) -> list[Record]:
        if not self.some(0.15):
            return []
        kind = self.r.choice(("merged", "spam", "deleted"))
        undone = [{"fact": kind, "at": self.format(at + MICRO), "value": False}] if self.some(0.5) else []
        return [{"fact": kind, "at": self.format(at)}, *undone]

    def happening(self, at: str) -> Record:
        choose = self.r.choice
        happenings: tuple[Any, ...] = (
            {"fact": "status", "status": choose(("open", "solved", "pending", "solved", "on_hold", "closed"))},
            {"fact": "message", "by": "agent", "agent": choose(AGENTS), "public": self.some(0.8), "auto": self.some(0.2)},
            {"fact": "message", "by": "customer", "text": choose(TEXTS)},
            {"fact": "message", "by": "bot", "public": self.some(0.8)},
            {"fact": "assigned", "team": choose(TEAMS)} | ({"agent": choose((*AGENTS, None))} if self.some(0.5) else {}),
            {"fact": "rating", "text": choose(TEXTS), **(form := choose(FORMS)), "value": self.r.randint(*form["scale"])},
            {"fact": "priority", "priority": choose(("high", "low", None))},
        )
        return dict(choose((happenings[0], *happenings))) | {"at": at}


def fresh_tickets() -> list[Record]:
    """Tickets without a reply, whose deadlines are ahead."""
    opened = (datetime.now(UTC) - timedelta(hours=1)).isoformat()
    priority = {"fact": "priority", "at": opened, "priority": "high"}
    assigned = [{"fact": "assigned", "at": opened, "team": team} for team in TEAMS[1:]]
    opening = {"fact": "opened", "at": opened, "by": "customer", "text": TEXTS[2]}
    return [
        {"type": "ticket", "id": f"fresh-{number}", "at": opened, "facts": [opening, priority, one]}
        for number, one in enumerate(assigned)
    ]
