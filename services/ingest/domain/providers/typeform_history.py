"""The history of forms by Typeform's Responses API (typeform.com/developers/responses).

`GET /forms/{id}/responses` lists the responses of a form, the newest first; `before` a token goes on from there. A listed
response has the fields of `form_response` in a webhook, except the form and its definition, which are added. So both are read
alike.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Annotated, Any, Literal

from pydantic import Field, StringConstraints

from services.ingest.domain.connection import FieldMapping
from services.ingest.domain.fields import parse_time
from services.ingest.domain.providers.payload import Unusable, as_object, as_objects, as_text, object_in, objects_in
from services.ingest.domain.providers.provider import ToolHistory
from services.ingest.domain.providers.tool_api import Credentials, Documents, Fetch
from services.ingest.domain.providers.tool_history import Cursor, HistoryPage, as_webhook, halve_page

PAGE = 100
"""Responses on a page. Typeform allows 1,000, but so many may have more values than we read at once."""
PAUSE_SECONDS = 0.5
"""Typeform allows two requests a second."""

HOSTS = {"us": "https://api.typeform.com", "eu": "https://api.eu.typeform.com"}
"""The API of each data centre. An account is in one of them."""

RESPONSE_FIELDS = ("token", "landed_at", "submitted_at", "hidden", "answers")
FIELD_FIELDS = ("id", "ref", "type", "title")


class TypeformCredentials(Credentials):
    """A personal access token of Typeform, and the data centre of the account."""

    access_token: Annotated[str, StringConstraints(min_length=8, max_length=1000, pattern=r"^[\x21-\x7e]+$")] = Field(
        description="A personal access token with the scopes `forms:read` and `responses:read`", examples=["tfp_the-access-token"]
    )
    data_center: Literal["us", "eu"] = Field("us", description="Where the account is")


def _begin(since: datetime, forms: Sequence[str]) -> Cursor:
    return {"forms": [*forms], "since": since.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S"), "before": None, "size": PAGE}


def _fetches(cursor: Cursor, documents: Documents, mapping: FieldMapping) -> Sequence[Fetch]:
    """The form with the titles of its questions, and a page of its responses."""
    if documents:
        return ()
    form, before = cursor["forms"][0], cursor["before"]
    query = {"page_size": str(cursor["size"]), "since": cursor["since"], "response_type": "completed"}
    return (
        Fetch("form", f"/forms/{form}", shared=True),
        Fetch("responses", f"/forms/{form}/responses", query | ({"before": before} if before else {})),
    )


def _read(cursor: Cursor, documents: Documents, mapping: FieldMapping) -> HistoryPage:
    """The page. Raises Unusable if it is no list of responses, or does not go on from the page before."""
    listed = documents["responses"].get("items") if isinstance(documents["responses"], dict) else None
    if not isinstance(listed, list):
        raise Unusable("the answer of the tool's API has no `items`")
    form = cursor["forms"][0]
    definition = _definition(documents["form"])
    responses = as_objects(listed)
    deliveries = [as_webhook(_event(form, response, definition)) for response in responses if _is_submitted(response)]
    last = as_text(responses[-1].get("token")) if responses else None
    if last is not None and last == cursor["before"]:
        raise Unusable("the tool's API returned the same page again")
    total = documents["responses"].get("total_items") if cursor["before"] is None else 0
    return HistoryPage(deliveries, _next(cursor, len(listed), last), total if type(total) is int else len(deliveries))


def _next(cursor: Cursor, count: int, last: str | None) -> Cursor | None:
    """The cursor after a page with `count` responses: further down this form's list, or the next form."""
    if last is not None and count >= cursor["size"]:
        return {**cursor, "before": last}
    left = cursor["forms"][1:]
    return {**cursor, "forms": left, "before": None} if left else None


def _is_submitted(response: Mapping[str, Any]) -> bool:
    """Whether the response has a time of submission. One that was only begun has the year 1."""
    try:
        return parse_time(response.get("submitted_at")) is not None
    except ValueError:
        return False


def _event(form: str, response: Mapping[str, Any], definition: Mapping[str, Any]) -> dict[str, Any]:
    """The body of the webhook for this response. It has no `event_id`."""
    fields = {name: response[name] for name in RESPONSE_FIELDS if name in response}
    return {"event_type": "form_response", "form_response": {"form_id": form, **fields, "definition": definition}}


def _definition(form: Any) -> dict[str, Any]:
    """The definition of the form as webhooks have it: titles, ids and refs of its fields, also of those in groups."""
    known = as_object(form)
    return {"id": known.get("id"), "title": known.get("title"), "fields": [*_fields(known)]}


def _fields(value: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    for field in objects_in(value, "fields"):
        inner = [*_fields(object_in(field, "properties"))]
        yield {
            **{name: field.get(name) for name in FIELD_FIELDS},
            **({"properties": {"fields": inner}} if inner else {}),
        }


HISTORY = ToolHistory(
    credentials=TypeformCredentials,
    base_url=lambda credentials: HOSTS[credentials.data_center],
    headers=lambda credentials: {"authorization": f"Bearer {credentials.access_token}"},
    needs_surveys=True,
    begin=_begin,
    fetches=_fetches,
    read=_read,
    shrink=halve_page,
    pause=PAUSE_SECONDS,
)
