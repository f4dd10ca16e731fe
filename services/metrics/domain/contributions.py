"""What a subject contributes to each measure: rows of integers, a pure function of its view and its scores.

A measure names all that makes bins comparable; the part before the colon is its family. Rows that only
count have bin 1 and amount 1.
"""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True, order=False)
class Contribution:
    """One row: `amount` in `bin` of `measure`, filed at `at` under the values `dims` of `shared.events.DIMENSIONS`."""

    measure: str
    at: datetime
    bin: int
    amount: int
    dims: tuple[str | None, ...]
    customer: str | None
