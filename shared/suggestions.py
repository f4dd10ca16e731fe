"""Suggest the allowed value that a client probably meant, for the reasons in problem documents."""

from collections.abc import Iterable
from difflib import get_close_matches

COMPARED_CHARACTERS = 100
"""Longer texts are cut before they are compared."""

LIKENESS = 0.6
"""The least ratio of `difflib.SequenceMatcher` for a suggestion."""


def closest(text: str, allowed: Iterable[str], count: int = 1, likeness: float = LIKENESS) -> list[str]:
    """Up to `count` of `allowed` that `text` may be a misspelling of, the closest first. Case is ignored."""
    by_spelling: dict[str, str] = {}
    for name in allowed:
        by_spelling.setdefault(name.casefold(), name)
    matches = get_close_matches(text[:COMPARED_CHARACTERS].casefold(), by_spelling, count, likeness)
    return [by_spelling[match] for match in matches]


def refusal(reason: str, text: str, allowed: Iterable[str]) -> str:
    """`reason`, then the closest of `allowed`, then all of them: `unknown; did you mean "team"? Allowed: team, agent`.

    The closest one comes first, since a long reason is cut.
    """
    names = list(allowed)
    suggestion = "".join(f'; did you mean "{match}"?' for match in closest(text, names))
    if not names:
        return reason
    return f"{reason}{suggestion or '.'} Allowed: {', '.join(names)}"
