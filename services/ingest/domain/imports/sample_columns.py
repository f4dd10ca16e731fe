"""The columns of a sample of a CSV file, and the names by which they are recognised."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

MOSTLY = 0.95
"""The share of the cells of a column that must fit."""

WORDS = {
    "id": r"#|id|token|(response|respondent|submission|survey response|answer|review|record)[ _-]?(id|token|number|no)",
    "at": r".*\b(submit|submitted|completed|responded|answered|created|date|time|timestamp|at)\b.*",
    "updated_at": r".*\b(updated|modified|edited)\b.*",
    "email": r".*\be-?mail\b.*",
    "customer": r"(customer|user|client|contact|person|member|account|external)[ _-]?(id|number|no)",
    "nps": r".*\b(nps|net promoter( score)?)\b.*|.*\blikely\b.*\brecommend\b.*|.*\brecommend\b.*\blikely\b.*",
    "csat": r".*\b(csat|satisf\w*|zufrieden\w*|conversation rating)\b.*",
    "ces": r".*\b(ces|effort|easy|ease)\b.*",
    "comment": r".*\b(comments?|feedback|why|reason|tell us|suggestions?|improve|remarks?|verbatim|kommentar|warum)\b.*",
    "satisfaction": r"satisfaction[ _](score|rating)",
    "survey_type": r"survey[ _-]?type",
    "score": r"score",
    "region": r"region|country|market|land",
    "language": r"language|locale|sprache",
    "team": r"team|group|department|support group",
    "agent": r"agent|assignee|agent[ _-]?(id|name)",
    "segment": r"segment|tier",
}
"""The name of a column as a regular expression, by the part of the record that it is."""
NAMED = {part: re.compile(pattern, re.IGNORECASE) for part, pattern in WORDS.items()}


@dataclass(frozen=True, slots=True)
class Note:
    """A decision that the proposal leaves open, or makes on weak grounds."""

    column: str
    text: str


@dataclass(frozen=True, slots=True)
class Column:
    """A column of the sample with its cells that are not blank."""

    name: str
    cells: Sequence[str]

    def is_named(self, part: str) -> bool:
        """Whether its name is one for this part of a record."""
        return NAMED[part].fullmatch(self.name) is not None

    def mostly(self, fits: Callable[[str], bool]) -> bool:
        """Whether nearly all of its cells fit. False for a blank column."""
        return bool(self.cells) and sum(map(fits, self.cells)) >= MOSTLY * len(self.cells)

    @property
    def numbers(self) -> list[int]:
        """Its cells as whole numbers, if nearly all are; else none."""
        return [int(float(cell)) for cell in self.cells if is_whole(cell)] if self.mostly(is_whole) else []


def is_whole(cell: str) -> bool:
    """Whether the cell is a whole number of up to four digits."""
    return re.fullmatch(r"-?\d{1,4}(\.0+)?", cell, re.ASCII) is not None
