"""The dimensions by which KPIs are grouped and filtered: those of every tenant, and a tenant's own."""

from collections.abc import Collection
from dataclasses import dataclass

from shared.events import DIMENSIONS, MULTI_VALUED_DIMENSIONS, NAMED_DIMENSIONS

ABOUT = {
    "source": ("Source", "The kind of tool that the record came from"),
    "connection": ("Connection", "The connected tool that the record came from"),
    "channel": ("Channel", "The channel in which the customer was in touch"),
    "survey": ("Survey", "The survey that was answered"),
    "product": ("Product", "The product that the record is about"),
    "region": ("Region", "The region of the customer"),
    "language": ("Language", "The language of the customer"),
    "team": ("Team", "The team that a ticket is assigned to, or that served the customer"),
    "agent": ("Agent", "The person of your staff who served the customer"),
    "segment": ("Segment", "The segment of the customer"),
    "priority": ("Priority", "The priority of a ticket"),
    "theme": ("Theme", "The themes of a comment; only for KPIs of scored comments"),
    "urgency": ("Urgency", "The reasons why a comment is urgent; only for KPIs of scored comments"),
}
"""The title and the description of each dimension that every tenant has."""


@dataclass(frozen=True, slots=True)
class Dimension:
    """One dimension. `available`: results can be grouped and filtered by it; else its contributions are still being computed."""

    name: str
    title: str
    description: str
    own: bool = False
    available: bool = True

    @property
    def multi_valued(self) -> bool:
        """Whether a record may have several values of it."""
        return self.name in MULTI_VALUED_DIMENSIONS

    @property
    def named(self) -> bool:
        """Whether its values can have names."""
        return self.name in NAMED_DIMENSIONS


def all_dimensions(own: Collection[str], available: Collection[str]) -> list[Dimension]:
    """The dimensions of every tenant, then the tenant's own. Of these, results have those in `available`."""
    common = [Dimension(name, *ABOUT[name]) for name in (*DIMENSIONS, *MULTI_VALUED_DIMENSIONS)]
    return common + [Dimension(name, title_of(name), "A dimension of your own", True, name in available) for name in own]


def title_of(name: str) -> str:
    """The title of a dimension of a tenant's own: `plan_tier` is `Plan tier`."""
    return name.replace("_", " ").strip().capitalize()
