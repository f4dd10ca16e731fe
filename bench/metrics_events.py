"""Realistic events for benchmarks of metrics: tickets in several events, responses with ratings and comments, their scores."""

import random
from collections.abc import Iterator
from datetime import datetime, timedelta

import msgspec

from shared.events import (
    Answer,
    Assigned,
    Event,
    Fact,
    Label,
    Message,
    Opened,
    Rating,
    Response,
    Score,
    ScoreEvent,
    StatusSet,
    ThemeScore,
    Ticket,
    comments,
    text_hash,
)

MODEL = "vader-3.3.2"
TEAMS = [f"team-{number}" for number in range(8)]
AGENTS = [f"a-{number}" for number in range(60)]
CHANNELS = ["email", "chat", "phone", "web"]
REGIONS = ["DE", "FR", "GB", "US", "ES"]
MORE = {
    "survey": [f"s-{number}" for number in range(12)],
    "segment": ["free", "pro", "enterprise"],
    "product": [f"product-{number}" for number in range(15)],
    "priority": ["low", "normal", "high", "urgent"],
}
THEMES = ["delivery", "price", "support", "app", "billing", "quality", "returns", "onboarding"]


class Story:
    """A tenant's events over `days` days that end at `until`: three in five belong to tickets, others are survey responses.

    `tickets` is the share of tickets among its subjects. `more` also gives them surveys, segments, products and priorities.
    Subjects are numbered from `first` on; `last` is the number of the last one. Stories whose numbers differ share no subject.
    """

    def __init__(
        self, tenant: str, seed: int, until: datetime, days: float, *, tickets: float = 0.32, more: bool = False, first: int = 1
    ) -> None:
        self._tenant = tenant
        self._tickets = tickets
        self._more = more
        self._random = random.Random(seed)
        self._until = until
        self._days = days
        self._seq = 0
        self.last = first - 1

    def events(self, count: int) -> list[Event]:
        """`count` events in the order of their times."""
        made: list[Event] = []
        while len(made) < count:
            self.last += 1
            number = self.last
            at = self._until - timedelta(days=self._random.random() * self._days)
            of_subject = self._ticket(number, at) if self._random.random() < self._tickets else self._response(number, at)
            made.extend(event for event in of_subject if event.at <= self._until)
        return [self._numbered(event) for event in sorted(made, key=lambda event: event.at)[:count]]

    def _numbered(self, event: Event) -> Event:
        self._seq += 1
        return msgspec.structs.replace(event, seq=self._seq)

    def _response(self, number: int, at: datetime) -> Iterator[Event]:
        chance = self._random
        answers = [Answer(question="q1", kind="nps", value=chance.choice([10, 9, 9, 8, 8, 7, 6, 3]))]
        if chance.random() < 0.5:
            answers.append(Answer(question="q2", kind="csat", value=chance.randint(1, 5), scale=(1, 5), positive_from=4))
        if chance.random() < 0.4:
            answers.append(Answer(question="q3", kind="comment", text=f"Comment {number} about the delivery, which was fine"))
        yield self._event("response", number, at, Response(at=at, answers=tuple(answers)))

    def _ticket(self, number: int, opened: datetime) -> Iterator[Event]:
        chance = self._random
        team, agent = chance.choice(TEAMS), chance.choice(AGENTS)
        replied = opened + timedelta(seconds=chance.expovariate(1 / 7200))
        solved = replied + timedelta(seconds=chance.expovariate(1 / 80000))
        text = f"Ticket {number}: the app doesn't start"
        yield self._fact(number, opened, Opened(at=opened, text=text), Assigned(at=opened, team=team, agent=agent))
        yield self._fact(number, replied, Message(at=replied, by="agent", agent=agent, id=f"m-{number}"))
        yield self._fact(number, solved, StatusSet(at=solved, status="solved"))
        if chance.random() < 0.3:
            rated = solved + timedelta(hours=1)
            yield self._fact(number, rated, Rating(at=rated, value=chance.randint(1, 5), scale=(1, 5), id="r"))

    def _fact(self, number: int, at: datetime, *facts: Fact) -> Event:
        return self._event("ticket", number, at, Ticket(facts=facts))

    def _event(self, kind: str, number: int, at: datetime, body: Response | Ticket) -> Event:
        chance = random.Random(number)
        return Event(
            tenant=self._tenant,
            subject=f"{'c-help' if kind == 'ticket' else 'c-survey'}/{kind}/{number}",
            statement=f"d-{number}-{at.timestamp()}",
            seq=0,
            at=at,
            received_at=at,
            connection="c-help" if kind == "ticket" else "c-survey",
            source="zendesk" if kind == "ticket" else "typeform",
            customer=f"p-{chance.randrange(20_000)}",
            dimensions={
                "channel": chance.choice(CHANNELS),
                "region": chance.choice(REGIONS),
                "language": "en",
                **({name: chance.choice(values) for name, values in MORE.items()} if self._more else {}),
            },
            body=body,
        )


def scores(events: list[Event], *, themes: bool = False) -> Iterator[ScoreEvent]:
    """A score for each comment of `events`, with up to two themes if `themes`."""
    for event in events:
        for text, language in comments(event.body):
            value = random.Random(text).uniform(-1, 1)
            label: Label = "positive" if value > 0.3 else "negative" if value < -0.3 else "neutral"
            names = random.Random(text).sample(THEMES, random.Random(text).randrange(3)) if themes else ()
            score = Score(
                label=label,
                score=round(value, 4),
                confidence=0.8,
                language=language,
                text_hash=text_hash(text),
                themes=tuple(ThemeScore(name, 0.0) for name in names),
            )
            yield ScoreEvent(tenant=event.tenant, subject=event.subject, model=MODEL, received_at=event.received_at, score=score)
