"""The hook of a `qualtrics` connection: signed forms, each completed by the API."""

from typing import Any

from services.ingest.domain.api_outcome import MOST_MISSES
from tests.contract.inbox import until
from tests.service.ingest.fetching import Fetching
from tests.unit.ingest.qualtrics_documents import FORM, response, signed_form, survey

RESPONSE_PATH = "/API/v3/surveys/SV_22VlHYNeldrrrkp/responses/R_1l9mcVuXubb4aGm"


async def test_a_signed_form_is_acknowledged_and_its_response_is_fetched_once(fetching: Fetching) -> None:
    ingest = fetching.ingest
    credentials = {"api_token": "the-api-token", "data_center": "fra1"}
    connection = await ingest.connect("qualtrics", credentials=credentials)
    hook, body = f"/v1/hooks/{connection['id']}", signed_form(connection["secret"])
    fetching.api.documents |= {
        RESPONSE_PATH: response(),
        "/API/v3/survey-definitions/SV_22VlHYNeldrrrkp": survey(),
    }
    assert (await ingest.http.get(hook)).status_code == 200
    assert (await ingest.http.post(hook, content=signed_form("another-key"), headers=FORM)).status_code == 401
    assert (await ingest.http.post(hook, content=body, headers=FORM)).json() == {"status": "pending"}
    await until(fetching.has_events)
    assert (await ingest.http.post(hook, content=body, headers=FORM)).json() == {"status": "duplicate"}
    [event] = await ingest.events()
    assert (event.subject, event.dimensions["survey"]) == (f"{connection['id']}/response/R_1l9mcVuXubb4aGm", "SV_22VlHYNeldrrrkp")
    assert len(fetching.api.calls) == 2


async def test_a_response_that_the_api_does_not_have_yet_is_fetched_again_and_then_quarantined(fetching: Fetching) -> None:
    ingest, database = fetching.ingest, fetching.ingest.app.state.reads
    connection = await ingest.connect("qualtrics", credentials={"api_token": "the-api-token", "data_center": "fra1"})
    fetching.api.documents.pop(RESPONSE_PATH, None)
    fetching.api.documents["/API/v3/survey-definitions/SV_22VlHYNeldrrrkp"] = survey()
    body = signed_form(connection["secret"])
    assert (await ingest.http.post(f"/v1/hooks/{connection['id']}", content=body, headers=FORM)).json() == {"status": "pending"}

    async def state() -> Any:
        return await database.fetchrow("SELECT attempts, token, due > now() FROM fetches WHERE connection = $1", connection["id"])

    async def is_postponed(attempts: int) -> bool:
        return tuple(await state()) == (attempts, None, True)

    async def make_due(attempts: int) -> None:
        await database.execute("UPDATE fetches SET due = now(), attempts = $2 WHERE connection = $1", connection["id"], attempts)

    await until(lambda: is_postponed(1))
    health = (await ingest.call("GET", f"/v1/connections/{connection['id']}")).json()["health"]["api"]
    assert (health["waiting"], health["blocked_until"]) == (1, None)
    await make_due(MOST_MISSES - 2)
    await until(lambda: is_postponed(MOST_MISSES - 1))
    await make_due(MOST_MISSES - 1)
    await until(fetching.is_quarantined)
    [item] = await fetching.quarantined()
    assert "no such response yet" in item["reason"]
    fetching.api.documents[RESPONSE_PATH] = response()
    await ingest.call("POST", f"/v1/quarantine/{item['id']}:retry")
    await until(fetching.has_events)
