"""Jira Service Management Cloud (developer.atlassian.com/cloud/jira): system webhooks about issues and their comments.

`X-Hub-Signature: sha256=<hex HMAC-SHA256 of the raw body>`, without a timestamp. `X-Atlassian-Webhook-Identifier` is the same for
each attempt. A payload is the issue after the event; a change of a field is an item of `changelog`, at `timestamp`. People are
account ids: the Cloud states no e-mail addresses.

Statuses are named by each project. The category of the status after the event is part of the issue; a change of status is read
by it, unless the connection's `statuses` names the status.
"""

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from pydantic import Field

from services.ingest.domain.fields import GroupName, parse_time
from services.ingest.domain.mapping_use import MappingUse
from services.ingest.domain.providers.adf_text import text_of
from services.ingest.domain.providers.customers import customer_fields, own_id
from services.ingest.domain.providers.help_desk import HelpDeskMapping
from services.ingest.domain.providers.payload import (
    DeliveryIdentity,
    Unusable,
    as_text,
    dimensions_of,
    object_in,
    objects_in,
    occurring_dimensions,
    parse_payload,
    type_in,
)
from services.ingest.domain.providers.provider import Parsed, Provider, Request
from services.ingest.domain.signatures import verify_named_hmac
from services.ingest.domain.value_names import ValueName
from shared.events import Status

CREATED, UPDATED, DELETED = "jira:issue_created", "jira:issue_updated", "jira:issue_deleted"
COMMENTED = ("comment_created", "comment_updated", "comment_deleted")
EVENTS = (CREATED, UPDATED, DELETED, *COMMENTED)

CATEGORIES: dict[str, Status] = {"new": "new", "indeterminate": "open", "done": "solved"}
"""Statuses by the key of a status category. Every status belongs to one."""

OFFSET = re.compile(r"([+-]\d\d)(\d\d)$", re.ASCII)
LAST_MILLISECOND = 9_999_999_999_999

Facts = list[dict[str, Any]]


class JiraSettings(HelpDeskMapping):
    """`dimensions` name fields of issues, such as `customfield_10020`, and `project`, `issuetype` and `labels`."""

    statuses: dict[GroupName, Status] = Field(
        default_factory=dict, max_length=500, description="Jira: statuses by the names of your own; default: by their category"
    )


def _verify(request: Request, secrets: Sequence[str], now: datetime) -> None:
    verify_named_hmac(
        request.headers.get("x-hub-signature"),
        request.body,
        secrets,
        "sha256",
        "hex",
        missing="x-hub-signature is needed: set a secret in the webhook",
    )


def _parse(request: Request, settings: JiraSettings) -> Parsed:
    delivery = as_text(request.headers.get("x-atlassian-webhook-identifier"))

    def identify(payload: dict[str, Any]) -> DeliveryIdentity:
        return DeliveryIdentity(delivery, "ticket", as_text(object_in(payload, "issue").get("id")))

    return parse_payload(request, identify, lambda identity, payload: _read(identity, payload, settings), delivery=delivery)


def _read(identity: DeliveryIdentity, payload: dict[str, Any], settings: JiraSettings) -> Parsed:
    """The record of an event. Raises Unusable if its issue has no id, or its times can't be read."""
    event, issue = type_in(payload, "webhookEvent"), object_in(payload, "issue")
    if event not in EVENTS:
        return Parsed(identity.delivery, ignored=event)
    if identity.id is None:
        raise Unusable("issue.id is missing")
    fields, at = object_in(issue, "fields"), _timestamp(payload.get("timestamp"))
    created = _time(fields, "created")
    reporter = _account(fields.get("reporter"))
    usable = _fields(fields)
    dimensions = dimensions_of(usable, settings)
    channel = dimensions.pop("channel", None)
    customer = customer_fields("jira", tool_id=reporter, own_id=own_id(usable, settings))
    record = {
        "type": "ticket",
        "id": identity.id,
        "at": created or at,
        "updated_at": at,
        "facts": [
            *([_opening(event, fields, created, reporter)] if created else []),
            *_changes(event, payload, fields, created, at, settings),
            *(_message(event, payload, reporter) if event in COMMENTED or object_in(payload, "comment") else []),
            *([{"fact": "deleted", "at": at}] if event == DELETED else []),
        ],
        "dimensions": dimensions,
        **({"channel": channel} if channel else {}),
        **({"customer": customer} if customer else {}),
    }
    use = MappingUse(dimensions=occurring_dimensions(usable, settings))
    return Parsed(identity.delivery, [record], use=use, names=_names(fields))


def _timestamp(value: object) -> str:
    """The RFC 3339 time of Unix milliseconds. Raises Unusable if it is no such number."""
    text = as_text(value) or ""
    if not (text.isascii() and text.isdecimal() and len(text) <= 13 and int(text) <= LAST_MILLISECOND):
        raise Unusable("timestamp is needed, in Unix milliseconds")
    return datetime.fromtimestamp(int(text) / 1000, UTC).isoformat()


def _time(value: Mapping[str, Any], name: str) -> str | None:
    """A time in RFC 3339; Jira writes its offset without a colon. Raises Unusable if it is none."""
    text = as_text(value.get(name))
    if text is None:
        return None
    text = OFFSET.sub(r"\1:\2", text)
    try:
        parse_time(text)
    except ValueError:
        raise Unusable(f"{name} is no time") from None
    return text


def _account(person: Any) -> str | None:
    """The account id of a person; the name or key of a server's user. None if there is none."""
    account = person if isinstance(person, dict) else {}
    return next((name for key in ("accountId", "key", "name") if (name := as_text(account.get(key)))), None)


def _opening(event: str, fields: dict[str, Any], created: str | None, reporter: str | None) -> dict[str, Any]:
    """The opening: of an agent if somebody other than the reporter created the issue."""
    creator = _account(fields.get("creator"))
    by_agent = creator is not None and reporter is not None and creator != reporter
    text = text_of(fields.get("description")) if event == CREATED else ""
    author = {"by": "agent", "agent": creator} if by_agent else {"by": "customer"}
    return {"fact": "opened", "at": created, **author, **({"text": text} if text.strip() else {})}


def _changes(
    event: str, payload: dict[str, Any], fields: dict[str, Any], created: str | None, at: str, settings: JiraSettings
) -> Facts:
    """Status, assignee and priority: all of a new issue, those that changed of another."""
    changed = {str(change.get("field")) for change in objects_in(object_in(payload, "changelog"), "items")}
    if event == CREATED:
        changed, at = {"status", "assignee", "priority"}, created or at
    facts: Facts = []
    if "status" in changed and (status := _status(object_in(fields, "status"), settings)):
        facts.append({"fact": "status", "at": at, "status": status})
    if "assignee" in changed:
        facts.append({"fact": "assigned", "at": at, "agent": _account(fields.get("assignee"))})
    if "priority" in changed:
        name = as_text(object_in(fields, "priority").get("name"))
        facts.append({"fact": "priority", "at": at, "priority": name.lower() if name else None})
    return facts


def _status(status: Mapping[str, Any], settings: JiraSettings) -> Status | None:
    """The status by its name, else by its category; None if the issue has none. Raises Unusable if neither is known."""
    if not status:
        return None
    category = as_text(object_in(status, "statusCategory").get("key")) or ""
    known = settings.statuses.get(as_text(status.get("name")) or "") or CATEGORIES.get(category)
    if known is None:
        raise Unusable("status: no category; declare it in `statuses` of the mapping", "unknown_value")
    return known


def _message(event: str, payload: dict[str, Any], reporter: str | None) -> Facts:
    """The comment, which an update of the issue may state too. A deleted one loses its text.

    Of a comment that is no request's `jsdPublic` may be missing; `visibility` limits a comment to a role or a group of staff.
    """
    comment = object_in(payload, "comment")
    written, identity = _time(comment, "created"), as_text(comment.get("id"))
    if written is None or identity is None:
        raise Unusable("comment.id and comment.created are needed")
    text = "" if event == "comment_deleted" else text_of(comment.get("body"))
    return [
        {
            "fact": "message",
            "at": written,
            "id": identity,
            "public": comment.get("jsdPublic") is not False and not comment.get("visibility"),
            **_author(object_in(comment, "author"), reporter),
            **({"text": text} if text.strip() else {}),
        }
    ]


def _author(author: dict[str, Any], reporter: str | None) -> dict[str, Any]:
    """The party of a comment's author. Apps, such as rules of Automation, are bots.

    Payloads of comments often lack the reporter. Then an account of the company is an agent's, although it may be the reporter's.
    """
    account, kind = _account(author), author.get("accountType")
    if kind == "customer" or (account is not None and account == reporter):
        return {"by": "customer"}
    if kind == "app":
        return {"by": "bot", "auto": True}
    return {"by": "agent", **({"agent": account} if account else {})}


def _fields(fields: Mapping[str, Any]) -> dict[str, Any]:
    """The fields that `mapping.dimensions` may name. Of an option the value or the name, of labels the first one."""
    read: dict[str, Any] = {}
    for name, value in fields.items():
        first = value[0] if isinstance(value, list) and value else value
        option = first if isinstance(first, dict) else {}
        text = as_text(option.get("value")) or as_text(option.get("key") if name == "project" else option.get("name"))
        read[str(name)] = text if option else as_text(first)
    return read


def _names(fields: Mapping[str, Any]) -> tuple[ValueName, ...]:
    """The name of the assignee, who is staff."""
    assignee = object_in(fields, "assignee")
    account, name = _account(assignee), as_text(assignee.get("displayName"))
    return (ValueName("agent", account, name),) if account and name else ()


PROVIDER = Provider(
    verify=_verify,
    parse=_parse,
    settings=JiraSettings,
    title="Jira Service Management",
    content=(
        "ticket.opened",
        "ticket.message",
        "ticket.status",
        "ticket.assigned",
        "ticket.priority",
        "ticket.deleted",
        "names",
    ),
    stored_headers=("x-atlassian-webhook-identifier",),
)
