"""SLA targets, by going through the events of a ticket in order."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from tests.e2e.model.business import TeamAt, open_pieces

HOUR = 3600
POLICIES: dict[str, Any] = {
    "from": "2020-01-01",
    "policies": [
        {
            "id": "billing",
            "name": "Billing",
            "when": {"team": ["billing"]},
            "targets": {
                "first_reply": {"seconds": 9 * HOUR, "hours": "business"},
                "next_reply": {"seconds": 5 * HOUR, "hours": "business"},
                "resolution": {"seconds": 40 * HOUR, "hours": "business"},
            },
            "pause": ["pending"],
        },
        {
            "id": "high",
            "name": "High",
            "when": {"priority": ["high"]},
            "targets": {"first_reply": {"seconds": 30 * HOUR}, "next_reply": {"seconds": 20 * HOUR}},
        },
        {
            "id": "chat",
            "name": "Chat",
            "when": {"channel": ["chat"]},
            "targets": {"first_reply": {"seconds": 9 * HOUR, "hours": "business"}, "resolution": {"seconds": 100 * HOUR}},
            "pause": ["pending", "on_hold"],
        },
    ],
}
"""As they are put."""

Parts = list[tuple[datetime, datetime | None]]


@dataclass(frozen=True)
class Applied:
    """The policy of a ticket, and the priority at which it applied."""

    policy: dict[str, Any]
    priority: str | None


def applications(
    opened: datetime,
    priorities: dict[datetime, str | None],
    others: list[datetime],
    values_at: Callable[[datetime], dict[str, str | None]],
) -> Iterator[tuple[datetime, Applied]]:
    """The policies of a ticket whose dimensions are `values_at` a time, each with the time at which it applied.

    `others` are the times at which its team or its channel changed.
    Another policy replaces the one before it; while the conditions of none hold, the one before it stays.
    """
    latest = None
    for moment in sorted({opened, *(at for at in (*priorities, *others) if at > opened)}):
        values = values_at(moment)
        for policy in POLICIES["policies"]:
            if all(values.get(name) in listed for name, listed in policy["when"].items()):
                if policy is not latest:
                    yield moment, Applied(policy, values.get("priority"))
                latest = policy
                break


def deadline_in(target: dict[str, Any], parts: Parts, team_at: TeamAt, changes: list[datetime]) -> datetime | None:
    """The last instant at which a target that runs in these parts is not exceeded; None if it never is.

    Raises NoCalendar if a target in business hours has no calendar before that.
    """
    left = timedelta(seconds=target["seconds"])
    for start, end in parts:
        if target.get("hours") == "business":
            pieces = open_pieces(start, end or start + timedelta(days=90), team_at, changes)
        else:
            pieces = iter([(start, end or start + left + timedelta(days=1))])
        for since, until in pieces:
            if until - since > left:
                return since + left
            left -= until - since
    return None
