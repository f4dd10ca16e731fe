"""The history of surveys by SurveyMonkey's API (api.surveymonkey.com/v3/docs).

`GET /v3/surveys/{id}/responses/bulk` lists responses with their answers, by the time of their last change. Each becomes the thin
event of its completion with the documents that complete it, so it is read like a fetched one. The next page begins at the time of
the last response of this one: an edit moves a response to the end of the list, so page numbers alone would skip some.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from services.ingest.domain.connection import FieldMapping
from services.ingest.domain.fields import parse_time
from services.ingest.domain.providers.payload import Unusable, as_objects, as_text
from services.ingest.domain.providers.surveymonkey_documents import condense
from services.ingest.domain.providers.tool_api import MOST_FETCHES, Documents, Fetch, is_path_id
from services.ingest.domain.providers.tool_history import Cursor, HistoryPage, ListedDelivery, as_fetched

PAGE = 100
"""Responses on a page, the most that SurveyMonkey allows."""
PAUSE_SECONDS = 1.0
"""A private app may make 120 calls a minute."""
COLLECTOR = "collector:"
"""Begins the name of a collector's document."""


def begin(since: datetime, surveys: Sequence[str]) -> Cursor:
    """The cursor of the first page."""
    first = _text(since)
    return {"surveys": [*surveys], "first": first, "since": first, "page": 1, "size": PAGE, "begins": True}


def fetches(cursor: Cursor, documents: Documents, mapping: FieldMapping) -> Sequence[Fetch]:
    """The survey and a page of its responses; then the collectors that these name."""
    survey = cursor["surveys"][0]
    if not documents:
        query = {
            "per_page": str(cursor["size"]),
            "page": str(cursor["page"]),
            "start_modified_at": cursor["since"],
            "status": "completed",
            "sort_by": "date_modified",
            "sort_order": "ASC",
        }
        return (
            Fetch("survey", f"/v3/surveys/{survey}/details", shared=True),
            Fetch("responses", f"/v3/surveys/{survey}/responses/bulk", query),
        )
    collectors = dict.fromkeys(as_text(response.get("collector_id")) for response in _responses(documents))
    named = [collector for collector in collectors if collector is not None and is_path_id(collector)]
    missing = [collector for collector in named if COLLECTOR + collector not in documents]
    free = MOST_FETCHES - len(documents)
    return [
        Fetch(COLLECTOR + collector, f"/v3/collectors/{collector}", shared=True, optional=True) for collector in missing[:free]
    ]


def read(cursor: Cursor, documents: Documents, mapping: FieldMapping) -> HistoryPage:
    """The page. Raises Unusable if it is no list of responses."""
    responses = _responses(documents)
    deliveries = [
        _delivery(cursor["surveys"][0], response, documents) for response in responses if is_path_id(as_text(response.get("id")))
    ]
    listed = documents["responses"]
    total = listed.get("total") if cursor["begins"] else 0
    return HistoryPage(deliveries, _next(cursor, responses), total if type(total) is int else len(deliveries))


def _responses(documents: Documents) -> list[dict[str, Any]]:
    listed = documents["responses"].get("data") if isinstance(documents["responses"], dict) else None
    if not isinstance(listed, list):
        raise Unusable("the answer of the tool's API has no `data`")
    return as_objects(listed)


def _next(cursor: Cursor, responses: Sequence[Mapping[str, Any]]) -> Cursor | None:
    """The cursor after this page: from the time of its last response, or the next survey.

    If all of a page is of one second, the next page number follows. Raises Unusable if a response has no time.
    """
    if len(responses) >= cursor["size"]:
        last = _modified(responses[-1])
        if last != cursor["since"]:
            return {**cursor, "since": last, "page": 1, "begins": False}
        return {**cursor, "page": cursor["page"] + 1, "begins": False}
    left = cursor["surveys"][1:]
    return {**cursor, "surveys": left, "since": cursor["first"], "page": 1, "begins": True} if left else None


def _modified(response: Mapping[str, Any]) -> str:
    """The time of the last change, in whole seconds."""
    try:
        return _text(parse_time(response.get("date_modified")))
    except ValueError:
        raise Unusable("a response in the list has no `date_modified`") from None


def _text(at: datetime) -> str:
    return at.astimezone(UTC).replace(microsecond=0).isoformat()


def _delivery(survey: str, response: Mapping[str, Any], documents: Documents) -> ListedDelivery:
    """The event of the response's completion, with its documents as a fetch stores them."""
    identity, collector = as_text(response.get("id")), as_text(response.get("collector_id"))
    event = {"event_type": "response_completed", "object_id": identity, "resources": {"survey_id": survey}}
    known = {"response": response, "survey": documents["survey"], "collector": documents.get(f"{COLLECTOR}{collector}")}
    return as_fetched(event, condense(known))
