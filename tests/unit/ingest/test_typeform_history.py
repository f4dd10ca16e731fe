"""The history of Typeform: pages of a form's responses, which are read like webhooks."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from services.ingest.domain.delivery import Delivery
from services.ingest.domain.providers import PROVIDERS
from services.ingest.domain.providers.payload import Unusable
from services.ingest.domain.providers.tool_api import Fetch
from services.ingest.domain.providers.tool_history import Cursor, HistoryPage
from services.ingest.domain.receive import receive_listed
from tests.unit.ingest.making import NOW, connection, receive_body
from tests.unit.ingest.typeform_forms import FORM, listed, page

HISTORY = PROVIDERS["typeform"].history
assert HISTORY
SINCE = datetime(2026, 1, 1, 1, tzinfo=UTC)
TOOL = connection("typeform")


def begin(*forms: str, **changed: Any) -> Cursor:
    assert HISTORY
    return {**HISTORY.begin(SINCE, forms or ("lT4Z3j",)), **changed}


def read(cursor: Cursor, responses: Any, form: Any = FORM) -> HistoryPage:
    assert HISTORY
    return HISTORY.read(cursor, {"form": form, "responses": responses}, TOOL.mapping)


def received(read_page: HistoryPage) -> list[Delivery]:
    return [receive_listed(TOOL, one, NOW) for one in read_page.deliveries]


def webhook(response: dict[str, Any]) -> Delivery:
    """The delivery of the webhook for a response."""
    definition = {
        "id": "lT4Z3j",
        "title": "Webhooks example",
        "fields": [
            {"id": "q1", "ref": "nps", "type": "nps", "title": "Would you recommend us?"},
            {"id": "q2", "ref": "why", "type": "short_text", "title": "Why?"},
        ],
    }
    form = {name: response[name] for name in ("token", "landed_at", "submitted_at", "hidden", "answers")}
    value = {
        "event_id": "e-1",
        "event_type": "form_response",
        "form_response": form | {"form_id": "lT4Z3j", "definition": definition},
    }
    return receive_body(TOOL, {}, json.dumps(value).encode(), NOW)


def test_the_form_and_a_page_of_its_responses_are_fetched() -> None:
    assert HISTORY
    query = {"page_size": "100", "since": "2026-01-01T01:00:00", "response_type": "completed"}
    form = Fetch("form", "/forms/lT4Z3j", shared=True)
    assert list(HISTORY.fetches(begin(), {}, TOOL.mapping)) == [form, Fetch("responses", "/forms/lT4Z3j/responses", query)]
    [_, further] = HISTORY.fetches(begin(before="t-9", size=50), {}, TOOL.mapping)
    assert further.query == query | {"page_size": "50", "before": "t-9"}
    assert list(HISTORY.fetches(begin(), {"form": FORM, "responses": page()}, TOOL.mapping)) == []


def test_a_listed_response_is_the_same_statement_as_its_webhook() -> None:
    [delivery] = received(read(begin(), page(listed("t-1"))))
    assert (delivery.verdict, delivery.id, delivery.reason) == ("accepted", None, None)
    [statement], [expected] = delivery.statements, webhook(listed("t-1")).statements
    assert statement.event.subject == "con_1/response/t-1"
    assert statement.fingerprint == expected.fingerprint
    assert delivery.names == (("survey", "lT4Z3j", "Webhooks example"),)
    assert delivery.use.unmapped == ()


def test_pages_go_on_before_the_last_response_then_with_the_next_form() -> None:
    cursor = begin("one", "two", size=2)
    first = read(cursor, page(listed("t-3"), listed("t-2"), total=3))
    assert (first.cursor, first.expected) == ({**cursor, "before": "t-2"}, 3)
    assert first.cursor
    second = read(first.cursor, page(listed("t-1"), total=1))
    assert (second.cursor, second.expected) == ({**cursor, "forms": ["two"], "before": None}, 0)
    assert second.cursor
    last = read(second.cursor, page())
    assert (last.cursor, last.deliveries, last.expected) == (None, [], 0)


@pytest.mark.parametrize("submitted", [None, "", "0001-01-01T00:00:00Z"])
def test_a_response_that_was_only_begun_is_left_out(submitted: str | None) -> None:
    assert read(begin(), page(listed("t-1", submitted_at=submitted))).deliveries == []


def test_a_page_can_be_halved_until_it_has_one_response() -> None:
    assert HISTORY
    assert HISTORY.shrink(begin()) == begin(size=50)
    assert HISTORY.shrink(begin(size=1)) is None


@pytest.mark.parametrize(
    ("responses", "problem"),
    [
        ({"code": "x"}, "the answer of the tool's API has no `items`"),
        ([], "the answer of the tool's API has no `items`"),
        (page(listed("t-2"), listed("t-9")), "the tool's API returned the same page again"),
    ],
)
def test_an_answer_that_is_no_further_page_is_unusable(responses: Any, problem: str) -> None:
    with pytest.raises(Unusable, match=problem):
        read(begin(before="t-9"), responses)


def test_a_response_of_another_shape_is_quarantined_and_the_others_are_read() -> None:
    deliveries = received(read(begin(), page(listed("t-1", answers="x"), {"submitted_at": 5}, listed("t-2")), form=None))
    assert [one.verdict for one in deliveries] == ["quarantined", "accepted"]
    assert deliveries[0].reason == "form_response.answers is no list"


def test_the_token_and_the_data_centre_are_in_the_call() -> None:
    assert HISTORY
    values = HISTORY.credentials.model_validate({"access_token": "tfp_a-token", "data_center": "eu"})
    assert HISTORY.base_url(values) == "https://api.eu.typeform.com"
    assert HISTORY.headers(values) == {"authorization": "Bearer tfp_a-token"}
