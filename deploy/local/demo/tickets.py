"""Tickets of the demo's history with their whole lives, as canonical records."""

import random
from collections.abc import Mapping
from datetime import datetime, timedelta

from deploy.local.demo.case import CHANNELS, PRIORITIES, Case, Record
from deploy.local.demo.company import CUSTOMERS, PRODUCT_OF, TEAM_OF, TEAMS, customer, pick
from deploy.local.demo.story import RELEASED_PRODUCT, Story
from deploy.local.demo.words import Mood, comment, line

TOPICS: Mapping[str, float] = {"delivery": 0.26, "quality": 0.18, "app": 0.22, "web": 0.1, "billing": 0.14, "membership": 0.1}
OVERLOAD, RELIEF = 1.9, 0.4
"""What the bad week and the release make of the number of tickets about delivery and about the app."""

OVERLOADED_REPLY = 9.0
FIRST_NUMBER = 41_000


def wanted(rng: random.Random, at: datetime, story: Story) -> str | None:
    """What a ticket opened at `at` is about. None: the release has made it needless."""
    weights = dict(TOPICS)
    if story.overloaded("delivery", at):
        weights["delivery"] *= OVERLOAD
    topic = pick(rng, weights)
    needless = story.improved(RELEASED_PRODUCT, at) and topic == "app" and rng.random() > RELIEF
    return None if needless else topic


def ticket(seed: int, number: int, at: datetime, story: Story, *, channel: str | None = None, pace: float = 1.0) -> Record | None:
    """The record of the ticket opened at `at`, with all that will ever happen to it. None: it was never written."""
    rng = random.Random(f"{seed}/ticket/{number}")
    topic = wanted(rng, at, story)
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
    live(case)
    return record(case, number)


def record(case: Case, number: int) -> Record:
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
    """The ticket as it stands at `until`."""
    facts = [fact for fact in record["facts"] if datetime.fromisoformat(fact["at"]) <= until]
    return record | {"facts": facts, "updated_at": facts[-1]["at"]}


def live(case: Case) -> None:
    """From the opening to the rating, and sometimes round again."""
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
    """To the team, at times to a wrong one first; mails get an automatic reply at once."""
    if case.channel in ("email", "web"):
        case.note("message", timedelta(seconds=20), by="bot", auto=True, id="m0")
    if case.rng.random() < 0.07:
        wrong = case.rng.choice([team for team in TEAMS if team != case.team])
        case.note("assigned", timedelta(minutes=1), team=wrong)
        case.note("assigned", case.work(20), team=case.team)
    else:
        case.note("assigned", timedelta(minutes=1), team=case.team)


def converse(case: Case) -> None:
    """First reply, some going to and fro, solved."""
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
    """The customer comes back, the agent has another go."""
    case.customer_says(case.rest(60, 2000), "again")
    case.note("status", timedelta(seconds=1), status="open")
    case.agent_says(case.work(CHANNELS[case.channel][1]))
    case.note("status", case.work(60), status="solved")


def rate(case: Case) -> None:
    """Some thank, some rate it good or bad and say why: the longer they waited, the worse."""
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
