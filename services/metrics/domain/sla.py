"""SLA policies: which one applies to a ticket.

The first policy whose conditions hold applies, from the moment at which they first hold; later changes of the ticket make no
difference. A target is in all seconds, or in those of the tenant's business hours (`services.metrics.domain.sla_targets`).

The policies of a tenant are append-only: each version applies to the tickets opened from its beginning on, and of several that
apply to a ticket, the last one added is used.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from services.metrics.domain.ticket import UNASSIGNED, TicketView
from services.metrics.domain.view import PRIORITY, SubjectView
from shared.events import DIMENSIONS, Status

MOST_POLICIES = 64
"""Policies of a version."""
MOST_SECONDS = 90 * 24 * 60 * 60
"""Of a target."""

CHANNEL, SEGMENT = (DIMENSIONS.index(name) for name in ("channel", "segment"))

Values = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Conditions:
    """For each dimension the values of which a ticket must have one; None: any value, or none."""

    priority: Values | None = None
    team: Values | None = None
    channel: Values | None = None
    segment: Values | None = None

    def hold(self, priority: str | None, team: str | None, channel: str | None, segment: str | None) -> bool:
        """Whether a ticket with these values meets them."""
        return (
            (self.priority is None or priority in self.priority)
            and (self.team is None or team in self.team)
            and (self.channel is None or channel in self.channel)
            and (self.segment is None or segment in self.segment)
        )


@dataclass(frozen=True, slots=True)
class Target:
    """A time that must not be exceeded. `business`: only business hours count."""

    seconds: int
    business: bool = False


@dataclass(frozen=True, slots=True)
class Policy:
    """One policy of a version. The time of a resolution is paused while a ticket has a status of `pause`."""

    id: str
    name: str
    when: Conditions
    first_reply: Target | None = None
    next_reply: Target | None = None
    resolution: Target | None = None
    pause: tuple[Status, ...] = ()


@dataclass(frozen=True, slots=True)
class PolicyVersion:
    """The policies for tickets opened from `starts` on, in the order in which they are tried."""

    starts: datetime
    policies: tuple[Policy, ...]


class PolicyKey(NamedTuple):
    """A policy of a tenant: the number of its version, from 1, and its place in it, from 0."""

    version: int
    place: int

    @property
    def number(self) -> int:
        """The key as one number."""
        return self.version * MOST_POLICIES + self.place

    @classmethod
    def of_number(cls, number: int) -> "PolicyKey":
        """The key with this number."""
        return cls(*divmod(number, MOST_POLICIES))


class Policies:
    """The SLA policies of a tenant: all versions, in the order in which they were added."""

    def __init__(self, versions: Sequence[PolicyVersion] = ()) -> None:
        self.versions = tuple(versions)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Policies) and self.versions == other.versions

    def __hash__(self) -> int:
        return hash(self.versions)

    def version_for(self, opened: datetime) -> int | None:
        """The number of the version that applies to tickets opened then; None if there is none."""
        return next((n for n in range(len(self.versions), 0, -1) if self.versions[n - 1].starts <= opened), None)


NO_POLICIES = Policies()
"""The policies of a tenant that has none."""


class AppliedPolicy(NamedTuple):
    """The policy that applies to a ticket, and the ticket's priority when it first did."""

    key: PolicyKey
    policy: Policy
    priority: str | None


def applied_policy(policies: Policies, subject: SubjectView, ticket: TicketView) -> AppliedPolicy | None:
    """The policy that applies to a ticket; None if the conditions of none ever held."""
    return next((applied for _, applied in applications_of(policies, subject, ticket)), None)


def applications_of(policies: Policies, subject: SubjectView, ticket: TicketView) -> Iterator[tuple[datetime, AppliedPolicy]]:
    """The policies whose conditions hold, one after the other, each with the time from which it replaces the one before it."""
    version = policies.version_for(ticket.opened)
    if version is None:
        return
    last: Policy | None = None
    histories = (ticket.priorities, ticket.teams, subject.channels, subject.segments)
    changes = {at for history in histories for at in history.times if at > ticket.opened}
    for at in (ticket.opened, *sorted(changes)):
        priority = subject.dims[PRIORITY] if ticket.priorities == UNASSIGNED else ticket.priorities.set_by(at)
        channel = subject.channels.at(at) if subject.channels.times else subject.dims[CHANNEL]
        segment = subject.segments.at(at) if subject.segments.times else subject.dims[SEGMENT]
        values = priority, ticket.teams.at(at), channel, segment
        for place, policy in enumerate(policies.versions[version - 1].policies):
            if policy.when.hold(*values):
                if policy is not last:
                    yield at, AppliedPolicy(PolicyKey(version, place), policy, priority)
                last = policy
                break
