"""The report of a verification: for each step the things compared, and every difference."""

import sys
from collections.abc import Iterable
from dataclasses import dataclass, field

LISTED = 10
"""Differences of a step that are listed one by one."""


CONTRIBUTIONS = "subjects + scores → contributions"
"""The name of the step that a change of definitions makes unequal until the contributions are computed again."""

REBUILD = (
    "After an upgrade the contributions are built again in the background: verify again when `GET /v1/terms` shows no build,"
    " or run `python -m services.metrics.rebuild` (docs/deployment.md, Upgrades)."
)


@dataclass(slots=True)
class VerifyStep:
    """One comparison. `compared` names the compared things and their number; a difference never holds a customer's words."""

    name: str
    compared: str = ""
    differences: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        count = len(self.differences)
        verdict = f"{count:,} {'DIFFERENCE' if count == 1 else 'DIFFERENCES'}" if count else "equal"
        more = count - LISTED
        lines = [f"      {difference}" for difference in self.differences[:LISTED]]
        return "\n".join(
            [f"  {self.name}: {self.compared}: {verdict}", *lines, *([f"      … and {more:,} more"] if more > 0 else [])]
        )


def advice(steps: Iterable[VerifyStep]) -> str | None:
    """How to make the steps equal; None if that is not known."""
    return REBUILD if any(step.name == CONTRIBUTIONS and step.differences for step in steps) else None


def say(text: str) -> None:
    """Print a line at once."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()
