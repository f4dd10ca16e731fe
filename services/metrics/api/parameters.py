"""Parameters that calls share. What one can't mean is told with its name: as BadQuery, which `refusing` makes the answer."""

from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from services.metrics.domain.windows import BadQuery
from shared.problems import BadRequest

PAGE, LARGEST_PAGE = 50, 500
LONGEST_NUMBER = 9
"""Digits that are read at all."""

Cursor = TypeVar("Cursor")


@contextmanager
def refusing() -> Iterator[None]:
    """Tell what can't be meant with its name, as BadRequest."""
    try:
        yield
    except BadQuery as bad:
        raise BadRequest(f"{bad.name} {bad.reason}", invalid_params=[{"name": bad.name, "reason": bad.reason}]) from bad


def only(given: Iterable[str], known: Collection[str] = ()) -> None:
    """Raises BadQuery for the first of the names `given` that the call doesn't have."""
    if (stranger := next((name for name in given if name not in known), None)) is not None:
        raise BadQuery(stranger, "is not a parameter of this call")


def limit_of(text: str | None) -> int:
    """How much a page may hold; raises BadQuery."""
    if text is None:
        return PAGE
    if not (text.isascii() and text.isdigit() and len(text) <= LONGEST_NUMBER and 1 <= int(text) <= LARGEST_PAGE):
        raise BadQuery("limit", f"is not a number from 1 to {LARGEST_PAGE}")
    return int(text)


def cursor_of(text: str | None, read: Callable[[str], Cursor]) -> Cursor | None:
    """Where a page begins, by `read`, which raises ValueError for what was never given; raises BadQuery."""
    try:
        return None if text is None else read(text)
    except ValueError:
        raise BadQuery("cursor", "is not one that was given") from None
