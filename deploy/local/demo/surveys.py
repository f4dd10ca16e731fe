"""Survey responses of the demo, as canonical records."""

import random
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from deploy.local.demo.company import CUSTOMERS, PRODUCTS, TOPICS, Person, customer, pick
from deploy.local.demo.story import Story
from deploy.local.demo.words import Mood, comment

Record = dict[str, Any]

QUALITY: Mapping[str, tuple[float, float]] = {
    "box": (0.52, 0.18),
    "app": (0.34, 0.32),
    "shop": (0.47, 0.2),
    "market": (0.44, 0.22),
}
"""Product → share of promoters and of detractors."""
APP_AFTER_RELEASE = (0.57, 0.15)

PROMOTERS, PASSIVES, DETRACTORS = (
    {"10": 55, "9": 45},
    {"8": 62, "7": 38},
    {"6": 30, "5": 22, "4": 14, "3": 12, "2": 8, "1": 5, "0": 9},
)
STARS: Mapping[Mood, Mapping[str, float]] = {
    "good": {"5": 68, "4": 32},
    "mixed": {"3": 65, "4": 35},
    "bad": {"1": 42, "2": 40, "3": 18},
}
EASE: Mapping[Mood, Mapping[str, float]] = {
    "good": {"7": 55, "6": 33, "5": 12},
    "mixed": {"5": 40, "4": 45, "3": 15},
    "bad": {"1": 25, "2": 35, "3": 30, "4": 10},
}
COMMENTED = 0.58
"""Share of responses with a comment."""

SURVEYS: Mapping[str, tuple[str, float]] = {
    "in-app": ("standard", 0.45),
    "first-steps": ("standard", 0.15),
    "last-box": ("typeform", 0.4),
}
"""Survey → the provider of its connection, and its share."""

TITLES = {"in-app": "How do you like us?", "first-steps": "Your first steps", "last-box": "Your last box"}


def response(seed: int, number: int, at: datetime, story: Story) -> tuple[str, Record]:
    """The provider and the record of a survey that is answered at `at`."""
    rng = random.Random(f"{seed}/response/{number}")
    person = customer(seed, rng.randrange(CUSTOMERS))
    survey = pick(rng, {name: share for name, (_, share) in SURVEYS.items()})
    product = "box" if survey == "last-box" else pick(rng, PRODUCTS)
    dimensions = {"product": product, "region": person.region, "language": person.language, "segment": person.segment}
    record: Record = {
        "type": "response",
        "id": f"r{number:05d}",
        "at": at.isoformat(),
        "updated_at": at.isoformat(),
        "survey": {"id": survey, "name": TITLES[survey]},
        "channel": "survey" if survey == "last-box" else "app" if product == "app" else "web",
        "customer": {"id": person.id},
        "answers": answers(rng, survey, product, person, story, at),
        "dimensions": dimensions,
    }
    provider = SURVEYS[survey][0]
    if provider == "standard":
        record["dimensions"] = {**dimensions, "plan": person.plan}
    return provider, record


def answers(rng: random.Random, survey: str, product: str, person: Person, story: Story, at: datetime) -> list[Record]:
    """The answers of a person, all in one mood."""
    late_boxes = product == "box" and story.overloaded("delivery", at)
    promoters, detractors = APP_AFTER_RELEASE if story.improved(product, at) else QUALITY[product]
    mood = pick_mood(rng, promoters + person.temper - 0.2 * late_boxes, detractors - person.temper + 0.25 * late_boxes)
    result = ratings(rng, survey, mood)
    if rng.random() < COMMENTED:
        topic = "delivery" if late_boxes and mood == "bad" else pick(rng, TOPICS[product])
        text = comment(rng, person.language, topic, mood)
        result.append({"question": "reason", "kind": "comment", "text": text, "language": person.language})
    return result


def ratings(rng: random.Random, survey: str, mood: Mood) -> list[Record]:
    """The ratings of a survey in a mood."""
    nps: Record = {"question": "recommend", "kind": "nps", "value": score(rng, mood)}
    match survey:
        case "first-steps":
            value = int(pick(rng, EASE[mood]))
            return [{"question": "easy", "kind": "ces", "value": value, "scale": [1, 7], "polarity": "easy_is_high"}]
        case "last-box":
            stars = int(pick(rng, STARS[mood]))
            return [nps, {"question": "satisfied", "kind": "csat", "value": stars, "scale": [1, 5], "positive_from": 4}]
        case _:
            return [nps]


def pick_mood(rng: random.Random, good: float, bad: float) -> Mood:
    """A random mood; `good` and `bad` are probabilities, the rest is mixed."""
    chance = rng.random()
    if chance < good:
        return "good"
    return "bad" if chance > 1 - bad else "mixed"


def score(rng: random.Random, mood: Mood) -> int:
    """An NPS answer: of promoters in a good mood, passives in a mixed one, detractors in a bad one."""
    return int(pick(rng, {"good": PROMOTERS, "mixed": PASSIVES, "bad": DETRACTORS}[mood]))
