"""Parameters that calls share. One that can't be understood raises BadQuery with its name, which `refusing` turns into a 400."""

from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from services.metrics.domain.windows import BadQuery
from services.metrics.store.cursors import Cursor
from shared.problems import BadRequest

PAGE, LARGEST_PAGE = 50, 500
LONGEST_NUMBER = 9
"""Digits that are read at all."""

Place = TypeVar("Place", bound=Cursor)


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


def scalars(params: Iterable[tuple[str, str]], known: Collection[str]) -> dict[str, str]:
    """The parameters by name, each of which may be given once; raises BadQuery for another, and for one that is repeated."""
    found: dict[str, str] = {}
    for name, value in params:
        only([name], known)
        if name in found:
            raise BadQuery(name, "is given more than once")
        found[name] = value
    return found


def limit_of(text: str | None) -> int:
    """How much a page may hold; raises BadQuery."""
    if text is None:
        return PAGE
    if not (text.isascii() and text.isdigit() and len(text) <= LONGEST_NUMBER and 1 <= int(text) <= LARGEST_PAGE):
        raise BadQuery("limit", f"is not a number from 1 to {LARGEST_PAGE}")
    return int(text)


def cursor_of(text: str | None, kind: type[Place]) -> Place | None:
    """Where a page begins; raises BadQuery for what was never given."""
    try:
        return None if text is None else kind.read(text)
    except ValueError:
        raise BadQuery("cursor", "is not one that was given") from None
