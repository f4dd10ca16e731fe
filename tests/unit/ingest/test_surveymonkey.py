"""SurveyMonkey: its webhooks, and the calls that complete them."""

from typing import Any

import pytest

from services.ingest.domain.connection import FieldMapping
from services.ingest.domain.providers import PROVIDERS, NotVerified
from services.ingest.domain.providers.payload import Unusable
from services.ingest.domain.providers.tool_api import Fetch
from tests import signing
from tests.unit.ingest.making import NOW, request
from tests.unit.ingest.surveymonkey_documents import (
    EVENT,
    MAPPING,
    NPS_9,
    documents,
    event,
    reply,
    response,
    survey,
)

PROVIDER = PROVIDERS["surveymonkey"]
API = PROVIDER.api
assert API
MAPPED = FieldMapping.model_validate(MAPPING)


# --- webhooks


def test_the_key_is_client_id_and_secret_and_covers_the_raw_body() -> None:
    body = b'{"event_id":"LtWXD3crgy","event_type":"form_response"}'
    sent = request(body, {"Sm-Signature": "/3jm1I6p79BPJox7lurLgQN6v4Q="})
    PROVIDER.verify(sent, ["other-id&other-secret", "client-id&client-secret"], NOW)
    with pytest.raises(NotVerified, match="wrong"):
        PROVIDER.verify(sent, ["client-secret"], NOW)
    with pytest.raises(NotVerified, match="sm-signature is needed"):
        PROVIDER.verify(request(body), ["client-id&client-secret"], NOW)


@pytest.mark.parametrize("secret", ["client-secret", "client-id&", "&client-secret", "client-id& secret", "a&b&c"])
def test_a_secret_without_both_parts_is_refused(secret: str) -> None:
    assert PROVIDER.refuse_secret(secret) == "the client id, `&` and the client secret of the app, without spaces"


def test_the_content_type_of_the_tool_is_accepted() -> None:
    assert PROVIDER.accepts(request(EVENT, signing.surveymonkey("client&secret", EVENT)))


def test_a_webhook_names_the_response_to_fetch() -> None:
    parsed = PROVIDER.parse(request(EVENT), MAPPED)
    assert (parsed.fetch, parsed.about) == ("response/5007154325", ("response/5007154325",))
    assert parsed.id == "response_completed:10123456789:5007154325:2026-11-20T10:00:31.182613+00:00"
    assert not parsed.records


def test_a_retry_has_the_same_id_and_each_edit_its_own_although_the_event_id_repeats() -> None:
    edits = [event("response_updated", event_datetime=f"2026-11-20T10:0{minute}:00+00:00") for minute in (1, 2, 2)]
    first, second, retry = (PROVIDER.parse(request(body), MAPPED).id for body in edits)
    assert first != second == retry


@pytest.mark.parametrize(
    "kind", ["response_created", "response_deleted", "response_disqualified", "response_overquota", "survey_updated"]
)
def test_other_events_are_ignored_without_a_call(kind: str) -> None:
    parsed = PROVIDER.parse(request(event(kind)), MAPPED)
    assert (parsed.ignored, parsed.fetch) == (kind, None)


@pytest.mark.parametrize(
    "changed",
    [
        {"object_id": "../users/me"},
        {"object_id": None},
        {"resources": {"survey_id": "1/2"}},
        {"resources": []},
        {"object_id": "1?x=2"},
    ],
)
def test_an_id_that_is_no_part_of_a_path_is_never_fetched(changed: dict[str, Any]) -> None:
    parsed = PROVIDER.parse(request(event(**changed)), MAPPED)
    assert (parsed.fetch, parsed.problem) == (None, "object_id and resources.survey_id are needed, of letters and digits")


# --- calls


def fetches(fetched: dict[str, Any]) -> list[Fetch]:
    assert API
    return list(API.fetches(request(EVENT), fetched, FieldMapping()))


def test_the_response_and_its_survey_are_fetched_first_then_collector_and_recipient() -> None:
    assert fetches({}) == [
        Fetch("response", "/v3/surveys/405723396/responses/5007154325/details"),
        Fetch("survey", "/v3/surveys/405723396/details", shared=True),
    ]
    assert fetches({"response": response(), "survey": survey()}) == [
        Fetch("collector", "/v3/collectors/50253586", shared=True, optional=True),
        Fetch("recipient", "/v3/collectors/50253586/recipients/712", optional=True),
    ]
    assert fetches(documents()) == []


@pytest.mark.parametrize("recipient", ["", "0", None, "../1"])
def test_a_response_without_a_recipient_needs_no_call_for_one(recipient: str | None) -> None:
    names = [fetch.name for fetch in fetches({"response": response(recipient_id=recipient), "survey": survey()})]
    assert names == ["collector"]


@pytest.mark.parametrize(
    "new", [reply("299", {"text": "x"}), reply("203", {"choice_id": "c99"}), reply("201", {"row_id": "r99"})]
)
def test_a_cached_survey_without_an_answered_question_is_fetched_anew_once(new: dict[str, Any]) -> None:
    fetched = documents(NPS_9, new)
    assert fetches(fetched) == [Fetch("new_survey", "/v3/surveys/405723396/details")]
    assert fetches(fetched | {"new_survey": survey()}) == []


@pytest.mark.parametrize("answer", [[], None, "x", {"collector_id": 5.5}])
def test_an_answer_of_another_shape_ends_the_calls(answer: Any) -> None:
    with pytest.raises(Unusable, match="collector_id"):
        fetches({"response": answer, "survey": {}})


def test_the_host_is_that_of_the_data_center_and_the_token_is_sent() -> None:
    assert API
    credentials = API.credentials.model_validate({"access_token": "the-token", "data_center": "eu"})
    assert API.base_url(credentials) == "https://api.eu.surveymonkey.com"
    assert API.headers(credentials) == {"authorization": "Bearer the-token"}
    with pytest.raises(ValueError, match="data_center"):
        API.credentials.model_validate({"access_token": "the-token", "data_center": "https://evil.example"})
    with pytest.raises(ValueError, match="access_token"):
        API.credentials.model_validate({"access_token": "the-token\r\nHost: evil"})
