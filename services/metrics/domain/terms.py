"""The terms of a tenant: its own settings on which its numbers depend. Immutable; a change makes a new revision."""

from dataclasses import dataclass

from services.metrics.domain.business_hours import NO_HOURS, BusinessHours
from services.metrics.domain.presets import Preset
from services.metrics.domain.sla import NO_POLICIES, Policies
from shared.events import MOST_OWN_DIMENSIONS, OWN_DIMENSION, is_common_dimension


@dataclass(frozen=True, slots=True)
class Terms:
    """`revision` counts from 1. `zone` is an IANA zone: no contribution depends on it, only where days begin.

    `dimensions` are the names of the tenant's own dimensions, sorted. `hours` are its calendars, `policies` its SLA policies,
    `presets` those that it has switched on, sorted by id.
    """

    revision: int = 1
    zone: str = "UTC"
    dimensions: tuple[str, ...] = ()
    hours: BusinessHours = NO_HOURS
    policies: Policies = NO_POLICIES
    presets: tuple[Preset, ...] = ()


FIRST_TERMS = Terms()
"""The terms of a tenant that has set none."""


def own_dimensions(names: list[str]) -> tuple[str, ...]:
    """The names of a tenant's own dimensions, in the order in which contributions hold their values.

    Raises ValueError if they are too many, or one is given twice, is no name, or is a dimension that every tenant has.
    """
    if len(names) > MOST_OWN_DIMENSIONS:
        raise ValueError(f"at most {MOST_OWN_DIMENSIONS} dimensions are allowed, got {len(names)}")
    for name in names:
        if not OWN_DIMENSION.fullmatch(name):
            raise ValueError(f"{name!r} is not a name: a lower-case letter, then up to 39 lower-case letters, digits or _")
        if is_common_dimension(name):
            raise ValueError(f"{name!r} is a dimension that every tenant has")
    if len(set(names)) < len(names):
        raise ValueError("a name is given more than once")
    return tuple(sorted(names))
