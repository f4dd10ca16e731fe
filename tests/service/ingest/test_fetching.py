"""Thin events end to end: a webhook of SurveyMonkey is stored, completed by its API, read and published."""

import asyncio

from shared.events import Response
from tests import signing
from tests.contract.inbox import until
from tests.fake_tool_api import Answer
from tests.service.ingest.fetching import COLLECTOR_PATH, SECRET, SURVEY, TOKEN, Fetching, details
from tests.unit.ingest.surveymonkey_documents import MAPPING, event, response


async def test_a_thin_event_is_acknowledged_then_completed_and_published(fetching: Fetching) -> None:
    assert await fetching.deliver() == "pending"
    await until(fetching.has_events)
    [stored] = await fetching.ingest.events()
    assert stored.subject == f"{fetching.connection['id']}/response/{fetching.response}"
    assert isinstance(stored.body, Response)
    assert [answer.kind for answer in stored.body.answers] == ["nps", "csat", "comment"]
    assert stored.customer
    assert {authorization for _, authorization in fetching.api.calls} == {f"Bearer {TOKEN}"}
    await until(fetching.is_idle)
    health = await fetching.health()
    assert health["accepted_24h"] == 1
    assert health["api"]["last_success"]
    assert health["api"]["stopped"] is None


async def test_an_edit_by_a_second_webhook_with_a_query_in_its_url_is_about_the_same_response(fetching: Fetching) -> None:
    hook = f"/v1/hooks/{fetching.connection['id']}"
    await fetching.deliver()
    await until(fetching.has_events)
    body = event("response_updated", object_id=fetching.response, event_datetime="2026-11-20T10:05:00+00:00")
    assert (await fetching.ingest.http.head(f"{hook}?edits")).status_code == 200
    answer = await fetching.ingest.http.post(f"{hook}?edits", content=body, headers=signing.surveymonkey(SECRET, body))
    assert (answer.status_code, answer.json()) == (202, {"status": "pending"})
    await until(lambda: fetching.has_events(2))
    assert len({stored.subject for stored in await fetching.ingest.events()}) == 1


async def test_ten_updates_while_a_fetch_runs_are_one_further_fetch_of_the_newest_state(fetching: Fetching) -> None:
    fetching.api.released.clear()
    assert await fetching.deliver() == "pending"
    await until(fetching.is_called)
    fetching.api.documents[fetching.path] = response(id=fetching.response, custom_variables={"plan": "free"})
    statuses = [await fetching.deliver("response_updated", second) for second in range(1, 11)]
    assert statuses == ["pending", *["duplicate"] * 9]
    assert await fetching.deliver() == "duplicate"
    fetching.api.released.set()
    await until(lambda: fetching.has_events(2))
    await until(fetching.is_idle)
    assert fetching.api.paths().count(fetching.path) == 2
    assert [stored.dimensions["segment"] for stored in await fetching.ingest.events()][-1] == "free"


async def test_a_document_that_many_responses_share_is_cached(fetching: Fetching) -> None:
    others = [f"{fetching.response}{i}" for i in range(10)]
    for other in others:
        fetching.api.documents[details(other)] = response(id=other)
    await asyncio.gather(*(fetching.deliver(response=other) for other in others))
    await until(lambda: fetching.has_events(10))
    for shared in (SURVEY, COLLECTOR_PATH):
        assert fetching.api.paths().count(shared) <= 4  # two processes, each with two calls at the same time


async def test_a_rate_limit_is_honoured_for_the_whole_connection(fetching: Fetching) -> None:
    fetching.api.queue(fetching.path, Answer(429, {}, {"retry-after": "2"}))
    other = f"{fetching.response}0"
    fetching.api.documents[details(other)] = response(id=other)
    await fetching.deliver()
    await until(fetching.is_called)
    await until(fetching.is_blocked)
    calls = len(fetching.api.calls)
    await fetching.deliver(response=other)
    await asyncio.sleep(0.5)
    assert len(fetching.api.calls) == calls
    await until(lambda: fetching.has_events(2))
    assert (await fetching.health())["api"]["last_error"] == "the tool's API answered 429"


async def test_a_revoked_token_stops_the_calls_until_there_are_new_credentials(fetching: Fetching) -> None:
    fetching.api.queue(fetching.path, Answer(401, {"error": {"id": "1011"}}))
    await fetching.deliver()
    await until(fetching.is_stopped)
    calls = len(fetching.api.calls)
    assert await fetching.deliver(response=f"{fetching.response}0") == "pending"
    await asyncio.sleep(0.5)
    health = (await fetching.health())["api"]
    assert (len(fetching.api.calls), health["waiting"]) == (calls, 2)
    assert health["stopped"] == "the tool's API answered 401: it refuses the credentials"
    changed = await fetching.change(credentials={"access_token": "a-new-token"})
    assert "credentials" not in changed
    await until(fetching.has_events)
    await until(fetching.is_idle)
    assert (await fetching.health())["api"]["stopped"] is None
    assert fetching.api.calls[-1][1] == "Bearer a-new-token"


async def test_without_credentials_nothing_is_called_and_nothing_is_lost(fetching: Fetching) -> None:
    await fetching.change(credentials=None)
    assert await fetching.deliver() == "pending"
    await asyncio.sleep(0.3)
    health = (await fetching.health())["api"]
    assert (health["stopped"], health["waiting"]) == ("the connection has no credentials of the tool's API", 1)
    assert fetching.api.calls == []
    await fetching.change(credentials={"access_token": TOKEN})
    await until(fetching.has_events)


async def test_a_response_that_was_deleted_at_the_tool_is_ignored(fetching: Fetching) -> None:
    del fetching.api.documents[fetching.path]
    await fetching.deliver()
    await until(fetching.is_idle)
    assert (await fetching.health())["ignored_24h"] == 1
    assert (await fetching.ingest.events(), await fetching.quarantined()) == ([], [])


async def test_a_fetched_answer_is_read_again_under_a_new_mapping_without_a_call(fetching: Fetching) -> None:
    await fetching.deliver()
    await until(fetching.is_idle)
    calls = len(fetching.api.calls)
    await fetching.change(mapping={"questions": {"201": {"kind": "ces", "scale": [1, 5]}}})
    replay = {"connection": fetching.connection["id"], "reread": True}
    assert (await fetching.ingest.call("POST", "/v1/replay", json=replay)).json()["deliveries"] == 1
    await until(lambda: has_effort(fetching))
    assert len(fetching.api.calls) == calls


async def has_effort(fetching: Fetching) -> bool:
    bodies = [stored.body for stored in await fetching.ingest.events()]
    return any(isinstance(body, Response) and any(answer.kind == "ces" for answer in body.answers) for body in bodies)


async def test_a_fetched_answer_that_does_not_fit_the_mapping_is_retried_without_a_call(fetching: Fetching) -> None:
    await fetching.change(mapping={"questions": {"201": {"kind": "csat", "scale": [1, 3]}}})
    await fetching.deliver()
    await until(fetching.is_quarantined)
    [item] = await fetching.quarantined()
    calls = len(fetching.api.calls)
    await fetching.change(mapping=MAPPING)
    retried = (await fetching.ingest.call("POST", f"/v1/quarantine/{item['id']}:retry")).json()
    assert (retried["status"], len(fetching.api.calls)) == ("accepted", calls)


async def test_a_paused_connection_is_not_called_until_it_is_active(fetching: Fetching) -> None:
    await fetching.change(paused=True)
    assert await fetching.deliver() == "held"
    await asyncio.sleep(0.3)
    assert fetching.api.calls == []
    await fetching.change(paused=False)
    await until(fetching.has_events)


async def test_a_connection_that_is_paused_meanwhile_is_not_called(fetching: Fetching) -> None:
    await fetching.change(credentials=None)
    assert await fetching.deliver() == "pending"
    await fetching.change(credentials={"access_token": TOKEN}, paused=True)
    await asyncio.sleep(0.3)
    assert (fetching.api.calls, (await fetching.health())["api"]["waiting"]) == ([], 1)
    await fetching.change(paused=False)
    await until(fetching.has_events)


async def test_metrics_count_calls_by_provider_and_outcome_and_what_waits(fetching: Fetching) -> None:
    fetching.api.queue(fetching.path, Answer(401, {}))
    await fetching.deliver()
    await until(fetching.is_stopped)
    lines = (await fetching.ingest.http.get("/metrics")).text.splitlines()
    assert any(line.startswith("earshot_ingest_fetches_waiting ") for line in lines)
    calls = [line for line in lines if line.startswith("earshot_ingest_api_call_seconds_count")]
    assert any('outcome="unauthorized",provider="surveymonkey"' in line for line in calls)
    fetched = [line for line in lines if line.startswith("earshot_ingest_fetches_total")]
    assert any('provider="surveymonkey",result="postponed"' in line for line in fetched)


async def test_pending_deliveries_of_a_deleted_connection_are_dropped(fetching: Fetching) -> None:
    await fetching.change(credentials=None)
    await fetching.deliver()
    answer = await fetching.ingest.call("DELETE", f"/v1/connections/{fetching.connection['id']}")
    assert answer.status_code == 204
    await asyncio.sleep(0.3)
    assert fetching.api.calls == []


async def test_the_request_id_of_the_webhook_is_on_what_is_published(fetching: Fetching) -> None:
    body = event(object_id=fetching.response)
    headers = {**signing.surveymonkey(SECRET, body), "x-request-id": "from-the-tool"}
    await fetching.ingest.http.post(f"/v1/hooks/{fetching.connection['id']}", content=body, headers=headers)
    await until(fetching.has_events)
    await until(lambda: is_published(fetching))


async def is_published(fetching: Fetching) -> bool:
    return any(("request_id", b"from-the-tool") in message.headers for message in fetching.ingest.broker.sent)


async def test_credentials_are_checked_and_never_shown(fetching: Fetching) -> None:
    listed = await fetching.ingest.call("GET", "/v1/connections")
    assert TOKEN not in listed.text
    assert [one["has_credentials"] for one in listed.json()["connections"]] == [False, True]
    path = f"/v1/connections/{fetching.connection['id']}"
    answer = await fetching.ingest.call("PATCH", path, json={"credentials": {"access_token": "a-secret-token", "host": "x"}})
    assert answer.status_code == 422
    assert answer.json()["invalid_params"][0]["name"] == "credentials.host"
    assert "a-secret-token" not in answer.text
    wrong = {"access_token": "a-secret-token", "data_center": "https://evil.example"}
    answer = await fetching.ingest.call("PATCH", path, json={"credentials": wrong})
    assert (answer.status_code, "evil" in answer.text) == (422, False)
    other = await fetching.ingest.connect("tally")
    answer = await fetching.ingest.call(
        "PATCH", f"/v1/connections/{other['id']}", json={"credentials": {"access_token": "12345678"}}
    )
    assert answer.status_code == 422
    assert answer.json()["invalid_params"] == [
        {"name": "credentials", "reason": "the API of tally is not called: its deliveries are complete"}
    ]


async def test_head_is_answered_before_the_webhook_exists(fetching: Fetching) -> None:
    answer = await fetching.ingest.http.head(f"/v1/hooks/{fetching.connection['id']}")
    assert answer.status_code == 200
