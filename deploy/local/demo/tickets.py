"""Tickets of the demo with their whole lives, as canonical records."""

import random
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from deploy.local.demo.company import CUSTOMERS, PRODUCT_OF, TEAM_OF, TEAMS, Person, customer, pick
from deploy.local.demo.story import RELEASED_PRODUCT, Story, after_working
from deploy.local.demo.words import Mood, comment, line

Record = dict[str, Any]

CHANNELS: Mapping[str, tuple[float, float]] = {"email": (0.46, 95), "chat": (0.3, 5), "web": (0.16, 80), "voice": (0.08, 2)}
"""Channel → its share, and the median working minutes until a reply."""
PRIORITIES: Mapping[str, tuple[float, float]] = {
    "low": (0.2, 1.8),
    "normal": (0.55, 1.0),
    "high": (0.2, 0.5),
    "urgent": (0.05, 0.25),
}
"""Priority → its share, and the factor of the time until a reply."""
TOPICS: Mapping[str, float] = {"delivery": 0.26, "quality": 0.18, "app": 0.22, "web": 0.1, "billing": 0.14, "membership": 0.1}
OVERLOAD, RELIEF = 1.9, 0.4
"""Factors of the number of tickets: about delivery in the bad week, and about the app after the release."""

OVERLOADED_REPLY = 9.0
FIRST_NUMBER = 41_000


@dataclass
class Case:
    """A ticket that is being generated: its people, and its facts so far.

    `pace` scales all durations. Below 1, support has no closing hours.
    """

    rng: random.Random
    story: Story
    person: Person
    topic: str
    channel: str
    priority: str
    team: str
    agent: str
    opened: datetime
    pace: float = 1.0
    facts: list[Record] = field(default_factory=list)
    messages: int = 0

    def __post_init__(self) -> None:
        self.at = self.opened
        self.overloaded = self.story.overloaded(self.team, self.opened)

    def note(self, fact: str, after: timedelta = timedelta(0), **content: Any) -> None:
        """Add a fact that happens `after` the previous one."""
        self.at += after * self.pace
        self.facts.append({"fact": fact, "at": self.at.isoformat(), **content})

    def customer_says(self, after: timedelta, purpose: str) -> None:
        """Add a customer's message, with a text for `purpose`, `after` the previous fact."""
        text = line(self.rng, self.person.language, "conversation", purpose, self.agent)
        self._message(after, by="customer", text=text, language=self.person.language)

    def agent_says(self, after: timedelta, *, public: bool = True) -> None:
        """Add an agent's message `after` the previous fact."""
        self._message(after, by="agent", agent=self.agent, public=public)

    def _message(self, after: timedelta, **content: Any) -> None:
        self.messages += 1
        self.note("message", after, id=f"m{self.messages}", **content)

    def work(self, median_minutes: float) -> timedelta:
        """How long support takes for about `median_minutes` of work, including closed hours."""
        minutes = self.rng.lognormvariate(0, 0.75) * median_minutes
        span = timedelta(minutes=minutes)
        return span if self.pace < 1 else after_working(self.at, span) - self.at

    def rest(self, low: float, high: float) -> timedelta:
        """How long the customer takes: `low` to `high` minutes."""
        return timedelta(minutes=self.rng.uniform(low, high))


def choose_topic(rng: random.Random, at: datetime, story: Story) -> str | None:
    """The topic of a ticket opened at `at`. None: the release fixed its cause."""
    weights = dict(TOPICS)
    if story.overloaded("delivery", at):
        weights["delivery"] *= OVERLOAD
    topic = pick(rng, weights)
    fixed = story.improved(RELEASED_PRODUCT, at) and topic == "app" and rng.random() > RELIEF
    return None if fixed else topic


def ticket(seed: int, number: int, at: datetime, story: Story, *, channel: str | None = None, pace: float = 1.0) -> Record | None:
    """The record of the ticket opened at `at`, with all its future facts. None: there is no such ticket."""
    rng = random.Random(f"{seed}/ticket/{number}")
    topic = choose_topic(rng, at, story)
    if topic is None:
        return None
    team = TEAM_OF[topic]
    case = Case(
        rng=rng,
        story=story,
        person=customer(seed, rng.randrange(CUSTOMERS)),
        topic=topic,
        channel=channel or pick(rng, {name: share for name, (share, _) in CHANNELS.items()}),
        priority=pick(rng, {name: share for name, (share, _) in PRIORITIES.items()}),
        team=team,
        agent=rng.choice(TEAMS[team]),
        opened=at,
        pace=pace,
    )
    simulate(case)
    return to_record(case, number)


def to_record(case: Case, number: int) -> Record:
    """The case as a canonical ticket."""
    person = case.person
    return {
        "type": "ticket",
        "id": str(FIRST_NUMBER + number),
        "at": case.opened.isoformat(),
        "channel": case.channel,
        "customer": {"id": person.id},
        "dimensions": {
            "product": case.rng.choice(PRODUCT_OF[case.topic]),
            "region": person.region,
            "language": person.language,
            "segment": person.segment,
        },
        "facts": case.facts,
    }


def as_of(record: Record, until: datetime) -> Record:
    """The ticket with its facts until `until`."""
    facts = [fact for fact in record["facts"] if datetime.fromisoformat(fact["at"]) <= until]
    return record | {"facts": facts, "updated_at": facts[-1]["at"]}


def simulate(case: Case) -> None:
    """Add the facts from the opening to the closing; some tickets are reopened, some rated."""
    rng = case.rng
    text = line(rng, case.person.language, case.topic, "issue")
    case.note("opened", by="customer", text=text, language=case.person.language)
    case.note("priority", priority=case.priority)
    if rng.random() < 0.015:
        return case.note("spam", case.rest(5, 300))
    assign(case)
    converse(case)
    if rng.random() < (0.22 if case.overloaded else 0.07):
        reopen(case)
    rate(case)
    return case.note("status", timedelta(days=4), status="closed")


def assign(case: Case) -> None:
    """Assign the ticket to its team, sometimes to a wrong one first. E-mails get an automatic reply."""
    if case.channel in ("email", "web"):
        case.note("message", timedelta(seconds=20), by="bot", auto=True, id="m0")
    if case.rng.random() < 0.07:
        wrong = case.rng.choice([team for team in TEAMS if team != case.team])
        case.note("assigned", timedelta(minutes=1), team=wrong)
        case.note("assigned", case.work(20), team=case.team)
    else:
        case.note("assigned", timedelta(minutes=1), team=case.team)


def converse(case: Case) -> None:
    """A first reply, some more messages, and the solution."""
    rng = case.rng
    stretch = (OVERLOADED_REPLY if case.overloaded else 1.0) * PRIORITIES[case.priority][1]
    reply = CHANNELS[case.channel][1] * stretch
    first = case.work(reply + (240 if case.overloaded else 0))
    if first > timedelta(hours=20):
        case.customer_says(first / 2, "chase")
        first = first / 2
    case.note("assigned", first, agent=case.agent)
    case.note("status", status="open")
    case.agent_says(timedelta(seconds=rng.randint(30, 240)))
    for _ in range(rng.choices((0, 1, 2, 3), (35, 35, 20, 10))[0]):
        case.note("status", timedelta(seconds=1), status="pending")
        case.customer_says(case.rest(4, 60) if case.channel == "chat" else case.rest(20, 900), "answer")
        case.note("status", timedelta(seconds=1), status="open")
        if rng.random() < 0.15:
            case.agent_says(case.work(reply / 2), public=False)
        case.agent_says(case.work(reply))
    case.note("status", case.work(reply / 3), status="solved")


def reopen(case: Case) -> None:
    """The customer asks again, and the agent solves it again."""
    case.customer_says(case.rest(60, 2000), "again")
    case.note("status", timedelta(seconds=1), status="open")
    case.agent_says(case.work(CHANNELS[case.channel][1]))
    case.note("status", case.work(60), status="solved")


def rate(case: Case) -> None:
    """Some customers say thanks, some rate the ticket, worse after a long wait."""
    rng = case.rng
    if rng.random() < 0.3:
        case.customer_says(case.rest(5, 200), "thanks")
    if rng.random() > 0.42:
        return
    good = rng.random() < (0.3 if case.overloaded else 0.86) + case.person.temper
    mood: Mood = "good" if good else "bad"
    content: Record = {"kind": "csat", "value": int(good), "scale": [0, 1], "raw": mood, "id": "satisfaction"}
    if rng.random() < 0.65:
        topic = "waiting" if case.overloaded and not good else "support"
        content |= {"text": comment(rng, case.person.language, topic, mood, case.agent), "language": case.person.language}
    case.note("rating", case.rest(20, 1800), **content)
