"""Zendesk's ticket events: one envelope, `{type, id, time, detail, event}`.

`event` is the change, `detail` the ticket after it. So every delivery yields the opening, the priority and the assignee as facts
with their times: the deliveries of a ticket may arrive in any order, and some may be missing.

It is not documented whether Zendesk sends `comment_added` for the first comment too. If it does, it is read as the opening.
"""

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

from services.ingest.domain.connection import FieldMapping
from services.ingest.domain.fields import parse_time
from services.ingest.domain.mapping_use import MappingUse
from services.ingest.domain.providers.customers import customer_fields, own_id
from services.ingest.domain.providers.payload import (
    Unusable,
    as_text,
    dimensions_of,
    object_in,
    occurring_dimensions,
    type_in,
)
from services.ingest.domain.providers.provider import Parsed
from services.ingest.domain.providers.zendesk.values import (
    RATING_OF,
    UNRATED,
    id_of,
    opener,
    priority_of,
    rating_fact,
    spelling,
    status_fact,
    without_nobody,
)
from services.ingest.domain.value_names import ValueName

PREFIX = "zen:event-type:ticket."

REPEATED_WITHIN = timedelta(seconds=5)
"""The most time between `created_at`, which has no decimals, and a comment that repeats the opening."""

RATED = "csat_received"

OTHER_NAMES = {"comment_created": "comment_added", "spam": "marked_as_spam"}
"""Names of kinds that a public client lists beside the documented ones."""

Facts = list[dict[str, Any]]
Reader = Callable[[dict[str, Any], dict[str, Any], Any], Facts]
"""Takes `detail`, `event` and `time`. Returns the change as facts of the canonical record."""


def parse(payload: dict[str, Any], mapping: FieldMapping, rating: dict[str, Any] | None = None) -> Parsed:
    """The record of an event. Kinds without a reader are ignored. Raises Unusable if the event can't be read.

    `rating`: the fact of the rating that an event is about, if it was fetched. It counts in place of the score in the event.
    """
    delivery, kind = as_text(payload.get("id")), type_in(payload, "type")
    name = name_of(kind)
    reader = READERS.get(name)
    if reader is None:
        return Parsed(delivery, ignored=kind)
    kind = PREFIX + name
    detail, event, time = object_in(payload, "detail"), object_in(payload, "event"), payload.get("time")
    happened = [rating] if rating and name == RATED else reader(detail, event, time)
    if not happened and name == RATED:
        return Parsed(delivery, ignored=kind)
    facts = [*_opening(detail, _is_public(kind, detail, event, time)), *_current(detail, time), *happened]
    return Parsed(
        delivery,
        [_record(detail, time, facts, mapping)],
        use=MappingUse(dimensions=occurring_dimensions(detail, mapping)),
        names=_names(detail, event),
    )


def name_of(kind: str) -> str:
    """The documented name of a kind of event, without its prefix. Empty if it is none about tickets."""
    name = kind.removeprefix(PREFIX) if kind.startswith(PREFIX) else ""
    return OTHER_NAMES.get(name, name)


def is_answer(payload: Mapping[str, Any]) -> bool:
    """Whether an event says that a customer answered a satisfaction survey. Raises Unusable if it doesn't name its kind."""
    score = object_in(object_in(payload, "event"), "satisfaction_score")
    return name_of(type_in(payload, "type")) == RATED and not ("score" in score and spelling(score["score"]) in UNRATED)


def has_score(payload: Mapping[str, Any]) -> bool:
    """Whether an event has a score that can be read."""
    return spelling(object_in(object_in(payload, "event"), "satisfaction_score").get("score")) in RATING_OF


def _names(detail: dict[str, Any], event: dict[str, Any]) -> tuple[ValueName, ...]:
    """The name of the author of a comment, if Zendesk says that this is staff, who is not the customer of the ticket."""
    author = object_in(object_in(event, "comment"), "author")
    agent, name = id_of(author.get("id")), as_text(author.get("name"))
    is_staff = author.get("is_staff") is True and agent != id_of(detail.get("requester_id"))
    return (ValueName("agent", agent, name),) if is_staff and agent and name else ()


def _record(detail: dict[str, Any], time: Any, facts: Facts, mapping: FieldMapping) -> dict[str, Any]:
    fields = dimensions_of(without_nobody(detail), mapping)
    channel = fields.pop("channel", None) or as_text(object_in(detail, "via").get("channel"))
    customer = customer_fields("zendesk", tool_id=id_of(detail.get("requester_id")), own_id=own_id(detail, mapping))
    return {
        "type": "ticket",
        "id": as_text(detail.get("id")),
        "at": detail.get("created_at") or time,
        "updated_at": time,
        "facts": facts,
        "dimensions": fields,
        **({"channel": channel} if channel else {}),
        **({"customer": customer} if customer else {}),
    }


def _opening(detail: dict[str, Any], public: bool | None) -> Facts:
    """The opening. `public` is None if this event does not tell whether the customer sees it."""
    if not detail.get("created_at"):
        return []
    visibility = {"public": public} if public is not None else {}
    by = opener(detail.get("submitter_id"), detail.get("requester_id"))
    return [{"fact": "opened", "at": detail["created_at"], **by, **visibility, **_text_of(detail.get("description"))}]


def _is_public(kind: str, detail: dict[str, Any], event: dict[str, Any], time: Any) -> bool | None:
    """Whether the opening is public; None if the event does not tell.

    `detail.is_public` says whether any comment is public. It tells about the opening if that is the only comment, or if no
    comment is public.
    """
    comment, any_public = object_in(event, "comment"), detail.get("is_public")
    if kind == PREFIX + "comment_added" and _repeats_opening(detail, comment, time):
        return _public(comment)
    return any_public if any_public is False or (any_public is True and kind == PREFIX + "created") else None


def _repeats_opening(detail: dict[str, Any], comment: dict[str, Any], time: Any) -> bool:
    """Whether a comment repeats the opening: same text, same author (submitter, else requester), same time."""
    author = id_of(object_in(comment, "author").get("id"))
    opened_by = id_of(detail.get("submitter_id")) or id_of(detail.get("requester_id"))
    description, body = (" ".join(str(words or "").split()) for words in (detail.get("description"), comment.get("body")))
    return author is not None and author == opened_by and description == body != "" and _close(detail.get("created_at"), time)


def _close(created_at: Any, time: Any) -> bool:
    try:
        return abs(parse_time(time) - parse_time(created_at)) <= REPEATED_WITHIN
    except ValueError:
        return False


def _public(comment: dict[str, Any]) -> bool:
    return comment.get("is_public") is not False


def _current(detail: dict[str, Any], time: Any) -> Facts:
    """The assignment and the priority in `detail`, which are those after the event."""
    assignment = {name: id_of(detail[key]) for name, key in (("team", "group_id"), ("agent", "assignee_id")) if key in detail}
    facts: Facts = [{"fact": "assigned", "at": time, **assignment}] if assignment else []
    return facts + (_priority(detail["priority"], time) if "priority" in detail else [])


def _created(detail: dict[str, Any], event: dict[str, Any], time: Any) -> Facts:
    """The assignment, the priority and the status at the opening, with its time."""
    at = detail.get("created_at")
    return [*_current(detail, at), *([status_fact(detail["status"], at)] if detail.get("status") else [])]


def _status_changed(detail: dict[str, Any], event: dict[str, Any], time: Any) -> Facts:
    return [status_fact(event.get("current"), time)]


def _comment_added(detail: dict[str, Any], event: dict[str, Any], time: Any) -> Facts:
    comment = object_in(event, "comment")
    if not comment:
        raise Unusable("event.comment is missing")
    if _repeats_opening(detail, comment, time):
        return []
    author = object_in(comment, "author")
    name = id_of(author.get("id"))
    by_agent = author["is_staff"] if isinstance(author.get("is_staff"), bool) else name != id_of(detail.get("requester_id"))
    return [
        {
            "fact": "message",
            "at": time,
            "by": "agent" if by_agent else "customer",
            "public": _public(comment),
            **({"id": identity} if (identity := as_text(comment.get("id"))) else {}),
            **({"agent": name} if by_agent and name else {}),
            **_text_of(comment.get("body")),
        }
    ]


def _priority_changed(detail: dict[str, Any], event: dict[str, Any], time: Any) -> Facts:
    return _priority(event.get("current"), time)


def _agent_changed(detail: dict[str, Any], event: dict[str, Any], time: Any) -> Facts:
    return [{"fact": "assigned", "at": time, "agent": id_of(event.get("current"))}]


def _group_changed(detail: dict[str, Any], event: dict[str, Any], time: Any) -> Facts:
    return [{"fact": "assigned", "at": time, "team": id_of(event.get("current"))}]


def _assignment_changed(detail: dict[str, Any], event: dict[str, Any], time: Any) -> Facts:
    """Nothing beside the assignment in `detail`: the name of this kind does not tell whether the agent or the group changed."""
    return []


def _merged(detail: dict[str, Any], event: dict[str, Any], time: Any) -> Facts:
    into = id_of(event.get("target_ticket_id"))
    return [{"fact": "merged", "at": time, **({"into": into} if into else {})}]


def _deleted(detail: dict[str, Any], event: dict[str, Any], time: Any) -> Facts:
    return [{"fact": "deleted", "at": time}]


def _undeleted(detail: dict[str, Any], event: dict[str, Any], time: Any) -> Facts:
    return [{"fact": "deleted", "at": time, "value": False}]


def _spam(detail: dict[str, Any], event: dict[str, Any], time: Any) -> Facts:
    return [{"fact": "spam", "at": time}]


def _rated(detail: dict[str, Any], event: dict[str, Any], time: Any) -> Facts:
    score = object_in(event, "satisfaction_score")
    if "score" not in score:
        raise Unusable("event.satisfaction_score.score is missing: `fetch_surveys` of the mapping fetches the answer to a survey")
    fact = rating_fact(score.get("score"), time, score.get("comment"))
    return [fact] if fact else []


def _priority(word: object, at: Any) -> Facts:
    return [{"fact": "priority", "at": at, "priority": priority_of(word)}]


def _text_of(value: object) -> dict[str, str]:
    return {"text": value} if isinstance(value, str) and value.strip() else {}


READERS: dict[str, Reader] = {
    "created": _created,
    "status_changed": _status_changed,
    "comment_added": _comment_added,
    "priority_changed": _priority_changed,
    "agent_assignment_changed": _agent_changed,
    "group_assignment_changed": _group_changed,
    "assignment_changed": _assignment_changed,
    "merged": _merged,
    "soft_deleted": _deleted,
    "permanently_deleted": _deleted,
    "undeleted": _undeleted,
    "marked_as_spam": _spam,
    RATED: _rated,
}
