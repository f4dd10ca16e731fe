"""Values in Zendesk's payloads: ids, and the words for statuses, priorities and ratings.

Events carry constants (`SOLVED`). A trigger's placeholders come in the requester's language (`Gelöst`), and Zendesk has no
untranslated placeholders for status, priority and rating. `words.json` therefore lists Zendesk's words by language: those of its
help center theme in every language it is translated to, and those of its documentation. Words are compared without case, accents
and punctuation. No word has two meanings in any languages (checked on import), so the language of a payload does not matter. An
unknown word, such as an account's own status, is never guessed.
"""

import unicodedata
from collections.abc import Mapping
from importlib import resources
from typing import Any

from services.ingest.domain.providers.payload import Unusable, as_text
from shared import strict_json

WORDS = strict_json.parse(resources.files(__package__).joinpath("words.json").read_bytes())

TRIGGER_IDS = ("group", "assignee", "requester", "submitter")
"""The keys of our trigger's body that hold an id."""

STATUSES = {"hold": "on_hold", "archived": "closed"} | {
    name: name for name in ("new", "open", "pending", "on_hold", "solved", "closed")
}
DELETED = ("deleted", "scrubbed")
"""Statuses of a deleted ticket."""

RATINGS = {
    f"{score}{comment}": int(score == "good")
    for score in ("good", "bad")
    for comment in ("", "_with_comment", "_without_comment")
}
RATING_ID = "satisfaction"
"""The id of every rating of a ticket, so that a changed rating replaces the former one."""
UNRATED = ("", "offered", "unoffered")
"""Words for a ticket without a rating."""

PRIORITIES = {name: name for name in ("low", "normal", "high", "urgent")}


def id_of(value: object) -> str | None:
    """The id as text. None for null, "" and 0, which is Zendesk's id of nobody."""
    id_text = as_text(value)
    return id_text if id_text != "0" else None


def opener(submitter: object, requester: object) -> dict[str, str]:
    """The author of the opening: an agent if the submitter is not the requester, else the customer."""
    agent, customer = id_of(submitter), id_of(requester)
    by_agent = agent is not None and customer is not None and agent != customer
    return {"by": "agent", "agent": agent} if agent and by_agent else {"by": "customer"}


def without_nobody(fields: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of a payload, with None in place of the id of nobody."""
    return {name: id_of(value) if name.endswith("_id") or name in TRIGGER_IDS else value for name, value in fields.items()}


def spelling(word: object) -> str:
    """Fold a word for comparison: no case, accents or punctuation."""
    letters = unicodedata.normalize("NFKD", str(word or "").casefold().replace("ı", "i"))
    letters_and_spaces = (" " if unicodedata.category(c).startswith("P") else c for c in letters if not unicodedata.combining(c))
    return " ".join("".join(letters_and_spaces).split())


def _meanings(kind: str, constants: Mapping[str, Any]) -> dict[str, Any]:
    """The meaning of each spelling: `constants` of the API, and the words of `kind` in every language."""
    meanings = {spelling(word): meaning for word, meaning in constants.items()}
    for words in WORDS[kind].values():
        for constant, several in words.items():
            for word in several:
                meaning = constants[constant]
                if meanings.setdefault(spelling(word), meaning) != meaning:
                    raise ValueError(f"words.json: {word!r} means two {kind}")
    return meanings


STATUS_OF = _meanings("statuses", STATUSES)
PRIORITY_OF = _meanings("priorities", PRIORITIES)
RATING_OF = _meanings("ratings", RATINGS)


def status_fact(word: object, at: object) -> dict[str, Any]:
    """The status fact. Raises Unusable if the word is not one of Zendesk's statuses in a known language."""
    name = spelling(word)
    if name in DELETED:
        return {"fact": "deleted", "at": at}
    if name not in STATUS_OF:
        raise Unusable(
            "status: unknown word; known are Zendesk's own statuses, in its languages (an account's own status: write the status"
            ' itself in the trigger\'s body, such as "solved")',
            "unknown_value",
        )
    return {"fact": "status", "at": at, "status": STATUS_OF[name]}


def priority_of(word: object) -> str | None:
    """The English name of a priority. An unknown word is returned in lower case, an empty one as None."""
    name = spelling(word)
    return PRIORITY_OF.get(name, str(word).lower()) if name else None


def rating_fact(word: object, at: object, comment: object) -> dict[str, Any] | None:
    """The rating fact; None if the ticket is not rated.

    Raises Unusable if the word is not one of Zendesk's ratings in a known language.
    """
    name = spelling(word)
    if name in UNRATED:
        return None
    if name not in RATING_OF:
        raise Unusable(
            "rating: unknown word; known are good, bad, offered, unoffered, and the texts of satisfaction.current_rating",
            "unknown_value",
        )
    fact = {"fact": "rating", "at": at, "id": RATING_ID, "scale": [0, 1], "value": RATING_OF[name], "raw": str(word)}
    return fact | ({"text": comment} if isinstance(comment, str) and comment.strip() else {})
