"""The demo's company, which sells a weekly food box: its teams, agents, products and customers."""

import random
from collections.abc import Mapping
from dataclasses import dataclass
from zoneinfo import ZoneInfo

ZONE = ZoneInfo("Europe/Berlin")

TEAMS: Mapping[str, tuple[str, ...]] = {
    "delivery": ("Aylin", "Jonas", "Mateo", "Wiebke"),
    "quality": ("Clara", "Emre", "Priya"),
    "technical": ("Dmitri", "Lena", "Samuel"),
    "billing": ("Fatima", "Henrik", "Olivia"),
    "membership": ("Noah", "Paula", "Yuki"),
}
"""Team → its agents."""

TEAM_OF: Mapping[str, str] = {
    "delivery": "delivery", "quality": "quality", "app": "technical", "web": "technical", "billing": "billing",
    "membership": "membership",
}  # fmt: skip
"""Topic of a ticket → its team."""

PRODUCTS: Mapping[str, float] = {"box": 0.42, "app": 0.28, "shop": 0.18, "market": 0.12}
"""Product → its share of the surveys."""

TOPICS: Mapping[str, Mapping[str, float]] = {
    "box": {"quality": 0.5, "delivery": 0.35, "billing": 0.15},
    "app": {"app": 0.75, "membership": 0.25},
    "shop": {"web": 0.6, "billing": 0.4},
    "market": {"quality": 0.5, "delivery": 0.3, "web": 0.2},
}
"""Product → shares of the topics of its comments."""

PRODUCT_OF: Mapping[str, tuple[str, ...]] = {
    "delivery": ("box", "box", "box", "market"), "quality": ("box", "box", "market"), "app": ("app",), "web": ("shop",),
    "billing": ("box", "shop", "market"), "membership": ("box", "app"),
}  # fmt: skip

REGIONS: Mapping[str, Mapping[str, float]] = {
    "en": {"UK": 0.45, "IE": 0.12, "US": 0.2, "DE": 0.15, "CH": 0.08},
    "de": {"DE": 0.7, "AT": 0.2, "CH": 0.1},
    "es": {"ES": 0.85, "US": 0.15},
}
LANGUAGES: Mapping[str, float] = {"en": 0.76, "de": 0.16, "es": 0.08}
SEGMENTS: Mapping[str, float] = {"trial": 0.2, "regular": 0.6, "premium": 0.2}
PLANS = ("monthly", "monthly", "yearly")
"""The plans that customers have, in turn. Surveys in the app state them as the demo's own dimension."""
CUSTOMERS = 2400


@dataclass(frozen=True, slots=True)
class Person:
    """A customer. `temper` is added to the probability of a good rating; its mean is 0."""

    id: str
    language: str
    region: str
    segment: str
    plan: str
    temper: float


def customer(seed: int, number: int) -> Person:
    """The customer with this number: the same for the same seed."""
    rng = random.Random(f"{seed}/customer/{number}")
    language = pick(rng, LANGUAGES)
    return Person(
        id=str(700_000 + number),
        language=language,
        region=pick(rng, REGIONS[language]),
        segment=pick(rng, SEGMENTS),
        plan=PLANS[number % len(PLANS)],
        temper=rng.gauss(0, 0.08),
    )


def pick(rng: random.Random, weights: Mapping[str, float]) -> str:
    """A random key, by weight."""
    return rng.choices(list(weights), list(weights.values()))[0]
