"""Zendesk's words for statuses and ratings, whichever case and mode they come in."""

from typing import Any

from services.ingest.domain.providers.provider import Unusable

STATUSES = {
    "new": "new",
    "open": "open",
    "pending": "pending",
    "hold": "on_hold",
    "on-hold": "on_hold",
    "on hold": "on_hold",
    "solved": "solved",
    "closed": "closed",
    "archived": "closed",
}
GONE = {"deleted", "scrubbed"}
"""Statuses of a ticket that is no more."""

RATINGS = {"good": 1, "good_with_comment": 1, "bad": 0, "bad_with_comment": 0}
UNRATED = {"", "offered", "unoffered"}
"""What stands for a rating that nobody gave."""


def status_fact(word: object, at: object) -> dict[str, Any]:
    """The fact that a ticket's status was set. Unusable: a word that Zendesk's English doesn't have."""
    name = str(word).strip().lower()
    if name in GONE:
        return {"fact": "deleted", "at": at}
    if name not in STATUSES:
        raise Unusable("a status that we don't know (statuses are read in English)")
    return {"fact": "status", "at": at, "status": STATUSES[name]}


def rating_fact(word: object, at: object, comment: object) -> dict[str, Any] | None:
    """The fact that a ticket was rated good or bad, None where it wasn't. A ticket has one such rating, which may be changed."""
    name = str(word or "").strip().lower().replace(" ", "_")
    if name in UNRATED:
        return None
    if name not in RATINGS:
        raise Unusable("a satisfaction rating other than good or bad")
    fact = {"fact": "rating", "at": at, "id": "satisfaction", "scale": [0, 1], "value": RATINGS[name], "raw": str(word)}
    return fact | ({"text": comment} if isinstance(comment, str) and comment.strip() else {})
