"""A ticket in the making: who is in it, what has happened so far, and how long things take."""

import random
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from deploy.local.demo.company import Person
from deploy.local.demo.story import Story, after_working
from deploy.local.demo.words import line

Record = dict[str, Any]

CHANNELS: Mapping[str, tuple[float, float]] = {"email": (0.46, 95), "chat": (0.3, 5), "web": (0.16, 80), "voice": (0.08, 2)}
"""Channel → its share, and the median of working minutes until a reply."""
PRIORITIES: Mapping[str, tuple[float, float]] = {
    "low": (0.2, 1.8),
    "normal": (0.55, 1.0),
    "high": (0.2, 0.5),
    "urgent": (0.05, 0.25),
}
"""Priority → its share, and by how much it stretches the time until a reply."""


@dataclass
class Case:
    """A ticket while its life is made up: who is in it, what has happened, and when the last thing was.

    At a `pace` below 1 everything goes that much faster, and support never closes.
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
        """`fact` happens `after` the last one."""
        self.at += after * self.pace
        self.facts.append({"fact": fact, "at": self.at.isoformat(), **content})

    def customer_says(self, after: timedelta, purpose: str) -> None:
        text = line(self.rng, self.person.language, "conversation", purpose, self.agent)
        self._message(after, by="customer", text=text, language=self.person.language)

    def agent_says(self, after: timedelta, *, public: bool = True) -> None:
        self._message(after, by="agent", agent=self.agent, public=public)

    def _message(self, after: timedelta, **content: Any) -> None:
        self.messages += 1
        self.note("message", after, id=f"m{self.messages}", **content)

    def work(self, median_minutes: float) -> timedelta:
        """How long support takes for something that it works on for about so many minutes, closed hours included."""
        minutes = self.rng.lognormvariate(0, 0.75) * median_minutes
        span = timedelta(minutes=minutes)
        return span if self.pace < 1 else after_working(self.at, span) - self.at

    def rest(self, low: float, high: float) -> timedelta:
        """How long the customer takes, in minutes."""
        return timedelta(minutes=self.rng.uniform(low, high))
