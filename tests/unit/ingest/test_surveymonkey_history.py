"""The history of SurveyMonkey: pages of a survey's responses, which are read like fetched ones."""

from datetime import UTC, datetime
from typing import Any

import pytest

from services.ingest.domain.connection import FieldMapping
from services.ingest.domain.delivery import StoredDelivery
from services.ingest.domain.providers import PROVIDERS
from services.ingest.domain.providers.payload import Unusable
from services.ingest.domain.providers.tool_api import Fetch
from services.ingest.domain.providers.tool_history import Cursor, HistoryPage
from services.ingest.domain.receive import receive_fetched, receive_listed
from tests.unit.ingest.making import NOW, connection
from tests.unit.ingest.surveymonkey_documents import COLLECTOR, EVENT, MAPPING, response, survey

HISTORY = PROVIDERS["surveymonkey"].history
assert HISTORY
TOOL = connection("surveymonkey", mapping=FieldMapping.model_validate(MAPPING))
SINCE = datetime(2026, 1, 1, tzinfo=UTC)
BULK = "/v3/surveys/405723396/responses/bulk"


def begin(*surveys: str, **changed: Any) -> Cursor:
    assert HISTORY
    return {**HISTORY.begin(SINCE, surveys or ("405723396",)), **changed}


def listed(*responses: dict[str, Any], total: int = 0) -> dict[str, Any]:
    return {"data": list(responses), "per_page": 100, "page": 1, "total": total or len(responses), "links": {}}


def read(cursor: Cursor, *responses: dict[str, Any], **documents: Any) -> HistoryPage:
    assert HISTORY
    return HISTORY.read(cursor, {"survey": survey(), "responses": listed(*responses), **documents}, TOOL.mapping)


def test_the_survey_and_a_page_are_fetched_then_the_collectors_that_it_names() -> None:
    assert HISTORY
    query = {
        "per_page": "100",
        "page": "1",
        "start_modified_at": "2026-01-01T00:00:00+00:00",
        "status": "completed",
        "sort_by": "date_modified",
        "sort_order": "ASC",
    }
    details = Fetch("survey", "/v3/surveys/405723396/details", shared=True)
    assert list(HISTORY.fetches(begin(), {}, TOOL.mapping)) == [details, Fetch("responses", BULK, query)]
    named = [response(id="1"), response(id="2"), response(id="3", collector_id="../me"), response(id="4", collector_id="8")]
    documents = {"survey": survey(), "responses": listed(*named)}
    assert list(HISTORY.fetches(begin(), documents, TOOL.mapping)) == [
        Fetch("collector:50253586", "/v3/collectors/50253586", shared=True, optional=True),
        Fetch("collector:8", "/v3/collectors/8", shared=True, optional=True),
    ]
    complete = documents | {"collector:50253586": COLLECTOR, "collector:8": None}
    assert list(HISTORY.fetches(begin(), complete, TOOL.mapping)) == []


def test_no_more_calls_are_made_than_a_page_may_need() -> None:
    assert HISTORY
    documents = {"survey": survey(), "responses": listed(*(response(id=f"{n}", collector_id=f"{n}") for n in range(1, 100)))}
    first = HISTORY.fetches(begin(), documents, TOOL.mapping)
    assert len(first) == 18
    assert list(HISTORY.fetches(begin(), documents | {one.name: None for one in first}, TOOL.mapping)) == []


def test_a_listed_response_is_the_same_statement_as_a_fetched_one() -> None:
    [one] = read(begin(), response(recipient_id=""), **{"collector:50253586": COLLECTOR}).deliveries
    delivery = receive_listed(TOOL, one, NOW)
    assert (delivery.verdict, delivery.id, delivery.reason) == ("accepted", None, None)
    pending = StoredDelivery(1, TOOL.id, "d", NOW, {}, EVENT, "", 1)
    documents = {"response": response(recipient_id=""), "survey": survey(), "collector": COLLECTOR}
    [expected] = receive_fetched(TOOL, pending, documents, NOW).statements
    [statement] = delivery.statements
    assert statement.event.subject == "con_1/response/5007154325"
    assert statement.fingerprint == expected.fingerprint
    assert b"192.0.2.7" not in delivery.raw


def test_the_next_page_begins_at_the_time_of_the_last_response() -> None:
    cursor = begin(size=2)
    times = ("2026-11-20T10:00:00+00:00", "2026-11-20T11:00:00.250000+01:00")
    page = read(cursor, *(response(id=f"{n}", date_modified=at) for n, at in enumerate(times)))
    assert (page.expected, page.cursor) == (2, {**cursor, "since": "2026-11-20T10:00:00+00:00", "begins": False})
    assert page.cursor
    same = read(page.cursor, *(response(id=f"{n}", date_modified=times[1]) for n in range(2)))
    assert (same.expected, same.cursor) == (0, {**page.cursor, "page": 2})


def test_the_next_survey_begins_anew() -> None:
    cursor = begin("one", "two", size=2, since="2026-11-20T10:00:00+00:00", page=3, begins=False)
    page = read(cursor, response(id="1"))
    assert page.cursor == {**begin("two"), "size": 2}
    assert read(begin(), response(id="1")).cursor is None


@pytest.mark.parametrize("answer", [{"error": {}}, [], {"data": "x"}])
def test_an_answer_that_is_no_list_is_unusable(answer: Any) -> None:
    with pytest.raises(Unusable, match="has no `data`"):
        read(begin(), responses=answer)


def test_a_full_page_without_times_is_unusable() -> None:
    with pytest.raises(Unusable, match="has no `date_modified`"):
        read(begin(size=1), response(id="1", date_modified=None))
