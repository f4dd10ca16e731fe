"""SLA targets for the first reply, by going through the events of a ticket in order."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from tests.e2e.model.business import deadline

HOUR = 3600
POLICIES: dict[str, Any] = {
    "from": "2020-01-01",
    "policies": [
        {
            "id": "billing",
            "name": "Billing",
            "when": {"team": ["billing"]},
            "targets": {"first_reply": {"seconds": 9 * HOUR, "hours": "business"}},
        },
        {"id": "high", "name": "High", "when": {"priority": ["high"]}, "targets": {"first_reply": {"seconds": 30 * HOUR}}},
        {
            "id": "chat",
            "name": "Chat",
            "when": {"channel": ["chat"]},
            "targets": {"first_reply": {"seconds": 9 * HOUR, "hours": "business"}},
        },
    ],
}
"""As they are put."""


@dataclass(frozen=True)
class Target:
    """The target of a ticket, and the priority at which its policy applied."""

    deadline: datetime
    priority: str | None


def target_of(
    opened: datetime,
    priorities: dict[datetime, str | None],
    teams: list[datetime],
    values_at: Callable[[datetime], dict[str, str | None]],
) -> Target | None:
    """The target of a ticket whose dimensions are `values_at` a time, with the priority of that time."""
    for moment in sorted({opened, *(at for at in (*priorities, *teams) if at > opened)}):
        values = values_at(moment)
        for policy in POLICIES["policies"]:
            if all(values.get(name) in listed for name, listed in policy["when"].items()):
                target = policy["targets"]["first_reply"]
                allowed = timedelta(seconds=target["seconds"])
                if target.get("hours") != "business":
                    return Target(opened + allowed, values.get("priority"))
                return Target(deadline(opened, allowed, lambda at: values_at(at)["team"], teams), values.get("priority"))
    return None
