"""The parts of a text that are redacted, and the budget within which candidates are examined."""

from collections.abc import Iterable
from typing import NamedTuple


class Span(NamedTuple):
    """text[start:end] is replaced by `placeholder`."""

    start: int
    end: int
    placeholder: str


class Budget:
    """How many candidates may still be examined. A candidate beyond it is redacted without examination."""

    def __init__(self, candidates: int) -> None:
        self.left = candidates

    def spend(self) -> bool:
        """Count one candidate; False if the budget is spent."""
        self.left -= 1
        return self.left >= 0


UNEXAMINED = "[number]"
"""The placeholder of a candidate beyond the budget."""


def replace(text: str, spans: Iterable[Span]) -> str:
    """`text` with each span replaced. The spans are in order and do not overlap."""
    parts: list[str] = []
    end = 0
    for span in spans:
        parts += (text[end : span.start], span.placeholder)
        end = span.end
    return "".join(parts) + text[end:] if parts else text
