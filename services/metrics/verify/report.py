"""What verification has to say: per step what was compared, and every difference."""

import sys
from collections.abc import Iterable
from dataclasses import dataclass, field

SHOWN = 10
"""Differences of a step that are told one by one."""


CONTRIBUTIONS = "subjects + scores → contributions"
"""The name of the step that a change of definitions makes unequal until the contributions are computed again."""

REBUILD = "After an upgrade: run `python -m services.metrics.rebuild` (docs/deployment.md, Upgrades), then verify again."


@dataclass(slots=True)
class Step:
    """One comparison. `compared` says of what and how much; a difference names what differs, never what a customer said."""

    name: str
    compared: str = ""
    differences: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        found = len(self.differences)
        verdict = f"{found:,} {'DIFFERENCE' if found == 1 else 'DIFFERENCES'}" if found else "equal"
        more = found - SHOWN
        told = [f"      {difference}" for difference in self.differences[:SHOWN]]
        return "\n".join(
            [f"  {self.name}: {self.compared}: {verdict}", *told, *([f"      … and {more:,} more"] if more > 0 else [])]
        )


def advice(steps: Iterable[Step]) -> str | None:
    """What may make the steps equal; None where that is not known."""
    return REBUILD if any(step.name == CONTRIBUTIONS and step.differences for step in steps) else None


def say(text: str) -> None:
    """Tell whoever runs the verification."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()
