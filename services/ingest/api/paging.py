"""Pages of lists whose entries have numbers, the highest first; and these numbers as ids in URLs."""

from collections.abc import Sequence
from typing import Annotated

from fastapi import Query

from services.ingest.store.event_log import MAX_SEQ
from shared.problems import BadRequest

PAGE = 100
"""Entries on a page, at most."""

MOST_DIGITS = 18

Cursor = Annotated[str | None, Query(pattern=f"^[0-9]{{1,{MOST_DIGITS}}}$", description="`cursor` of the page before")]


def upper_bound(cursor: str | None) -> int:
    """A number that is higher than all numbers of the page."""
    return MAX_SEQ if cursor is None else int(cursor)


def next_cursor(numbers: Sequence[int], limit: int) -> str | None:
    """The cursor of the page after one with these `numbers`. None if it was the last."""
    return str(numbers[-1]) if len(numbers) == limit else None


def parse_number(text: str) -> int:
    """The number that an id in a URL states. Raises BadRequest if the id is not a number."""
    if not (text.isascii() and text.isdigit() and len(text) <= MOST_DIGITS):
        raise BadRequest(invalid_params=[{"name": "id", "reason": f"must be a whole number of at most {MOST_DIGITS} digits"}])
    return int(text)
