"""SLA policies: which target a ticket has for its first reply, and whether it was met.

The first policy whose conditions hold applies, from the moment at which they first hold; later changes of the ticket make no
difference. The time runs from the opening. A target is in all seconds, or in those of the tenant's business hours.

The policies of a tenant are append-only: each version counts for the tickets opened from its beginning on, and of several that
count for a ticket the last one added does.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from services.metrics.domain.business_hours import BusinessHours
from services.metrics.domain.ticket import UNASSIGNED, Assignments, TicketView
from services.metrics.domain.view import PRIORITY, SubjectView
from shared.events import DIMENSIONS

MOST_POLICIES = 64
"""Policies of a version."""
MOST_SECONDS = 90 * 24 * 60 * 60
"""Of a target."""
LATEST_OPENING = datetime(9000, 1, 1, tzinfo=UTC)
"""A ticket of a later time has no target: the deadline may be no time of the calendar."""

CHANNEL, SEGMENT = (DIMENSIONS.index(name) for name in ("channel", "segment"))

Values = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Conditions:
    """The values that a ticket must have one of, for each dimension; None: any value, and none."""

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
    """One policy of a version."""

    id: str
    name: str
    when: Conditions
    first_reply: Target


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
        """The number of the version that counts for tickets of this opening; None if there is none."""
        return next((n for n in range(len(self.versions), 0, -1) if self.versions[n - 1].starts <= opened), None)


NO_POLICIES = Policies()
"""The policies of a tenant that has none."""


class Applied(NamedTuple):
    """The policy that applies to a ticket, and the ticket's priority when it first did."""

    key: PolicyKey
    policy: Policy
    priority: str | None


@dataclass(frozen=True, slots=True)
class FirstReply:
    """The target of a ticket's first reply: met by the reply at `at`, or exceeded at the deadline `at`.

    A deadline may lie in the future; until then the target is neither met nor exceeded. `replied`: when a reply came too late.
    """

    applied: Applied
    at: datetime
    met: bool
    replied: datetime | None = None


def applied_policy(policies: Policies, subject: SubjectView, ticket: TicketView) -> Applied | None:
    """The policy that applies to a ticket; None if the conditions of none ever held."""
    version = policies.version_for(ticket.opened)
    if version is None:
        return None
    changes = {at for at in (*ticket.priorities.times, *ticket.teams.times) if at > ticket.opened}
    for at in (ticket.opened, *sorted(changes)):
        priority = subject.dims[PRIORITY] if ticket.priorities == UNASSIGNED else ticket.priorities.set_by(at)
        values = priority, ticket.teams.at(at), subject.dims[CHANNEL], subject.dims[SEGMENT]
        for place, policy in enumerate(policies.versions[version - 1].policies):
            if policy.when.hold(*values):
                return Applied(PolicyKey(version, place), policy, priority)
    return None


def first_reply(policies: Policies, hours: BusinessHours, subject: SubjectView, ticket: TicketView) -> FirstReply | None:
    """The target of a ticket's first reply, and how it ended.

    None without a target: no policy applied, an agent opened the ticket, or there was no calendar for a part of the time. Also
    None if the ticket was solved without a reply by the deadline: that cancels the target for good.
    """
    if ticket.by_agent or ticket.opened >= LATEST_OPENING:
        return None
    applied = applied_policy(policies, subject, ticket)
    if applied is None:
        return None
    target = applied.policy.first_reply
    solved = ticket.solves[0].at if ticket.solves else None
    ended = min((at for at in (ticket.first_reply, solved) if at is not None), default=None)
    if ended is not None:
        elapsed = elapsed_time(target, hours, ticket.opened, ended, ticket.teams)
        if elapsed is None:
            return None
        if elapsed <= timedelta(seconds=target.seconds):
            return FirstReply(applied, ended, met=True) if ended == ticket.first_reply else None
    deadline = deadline_of(target, hours, ticket.opened, ticket.teams)
    return None if deadline is None else FirstReply(applied, deadline, met=False, replied=ticket.first_reply)


def elapsed_time(target: Target, hours: BusinessHours, start: datetime, end: datetime, teams: Assignments) -> timedelta | None:
    """The time in [start, end) that counts for a target; None if there was no calendar for a part of it."""
    return hours.open_time(start, end, teams) if target.business else end - start


def deadline_of(target: Target, hours: BusinessHours, start: datetime, teams: Assignments) -> datetime | None:
    """The last instant at which a target that runs from `start` isn't exceeded; None if there is no calendar until then."""
    if target.business:
        return hours.deadline(start, target.seconds, teams)
    return start + timedelta(seconds=target.seconds)
