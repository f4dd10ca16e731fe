"""Zendesk's words for statuses, priorities and ratings.

Events carry constants (`SOLVED`). A trigger's placeholders are rendered in the language of the ticket's requester (`Gelöst`), and
Zendesk has no untranslated ones for these three. `words.json` therefore holds, by language, the words that Zendesk shows: those
of its own help center theme in every language that is translated there, and those of its documentation. Words are compared
without case, accents and punctuation. No word means two things, in whichever languages (this module refuses to load otherwise),
so the language needn't be known. An unknown word, such as the name of an account's own status, is never guessed.
"""

import unicodedata
from collections.abc import Mapping
from importlib import resources
from typing import Any

from services.ingest.domain.providers.provider import Unusable
from shared import strict_json as json

WORDS = json.parse(resources.files(__package__).joinpath("words.json").read_bytes())

STATUSES = {"hold": "on_hold", "archived": "closed"} | {
    name: name for name in ("new", "open", "pending", "on_hold", "solved", "closed")
}
GONE = ("deleted", "scrubbed")
"""Statuses of a ticket that no longer exists."""

RATINGS = {
    f"{score}{comment}": int(score == "good")
    for score in ("good", "bad")
    for comment in ("", "_with_comment", "_without_comment")
}
UNRATED = ("", "offered", "unoffered")
"""Ratings that nobody has given (yet)."""

PRIORITIES = {name: name for name in ("low", "normal", "high", "urgent")}


def spelling(word: object) -> str:
    """A word without what doesn't tell two words apart: case, accents, punctuation."""
    letters = unicodedata.normalize("NFKD", str(word or "").casefold().replace("ı", "i"))
    kept = (" " if unicodedata.category(c).startswith("P") else c for c in letters if not unicodedata.combining(c))
    return " ".join("".join(kept).split())


def _meanings(kind: str, constants: Mapping[str, Any]) -> dict[str, Any]:
    """What each spelling of a word means: `constants` of the API, and the words of `kind` in every language."""
    found = {spelling(word): meaning for word, meaning in constants.items()}
    for words in WORDS[kind].values():
        for constant, several in words.items():
            for word in several:
                meaning = constants[constant]
                if found.setdefault(spelling(word), meaning) != meaning:
                    raise ValueError(f"words.json: {word!r} means two {kind}")
    return found


STATUS_OF = _meanings("statuses", STATUSES)
PRIORITY_OF = _meanings("priorities", PRIORITIES)
RATING_OF = _meanings("ratings", RATINGS)


def status_fact(word: object, at: object) -> dict[str, Any]:
    """The fact that a ticket's status was set. Raises Unusable if the word is no status of Zendesk's in a known language."""
    name = spelling(word)
    if name in GONE:
        return {"fact": "deleted", "at": at}
    if name not in STATUS_OF:
        raise Unusable(
            "status: unknown word; known are Zendesk's own statuses, in its languages (an account's own status: write the status"
            ' itself in the trigger\'s body, such as "solved")'
        )
    return {"fact": "status", "at": at, "status": STATUS_OF[name]}


def priority_of(word: object) -> str | None:
    """The priority that a word names, in English; an unknown word as it is, in lower case; None for none."""
    name = spelling(word)
    return PRIORITY_OF.get(name, str(word).lower()) if name else None


def rating_fact(word: object, at: object, comment: object) -> dict[str, Any] | None:
    """The fact that a ticket was rated good or bad, None if it wasn't. A ticket has one such rating, which may be changed.

    Raises Unusable if the word is no rating of Zendesk's in a known language.
    """
    name = spelling(word)
    if name in UNRATED:
        return None
    if name not in RATING_OF:
        raise Unusable(
            "rating: unknown word; known are good, bad, offered, unoffered, and the texts of satisfaction.current_rating"
        )
    fact = {"fact": "rating", "at": at, "id": "satisfaction", "scale": [0, 1], "value": RATING_OF[name], "raw": str(word)}
    return fact | ({"text": comment} if isinstance(comment, str) and comment.strip() else {})
