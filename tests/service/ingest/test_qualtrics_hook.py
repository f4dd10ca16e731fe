"""The hook of a `qualtrics` connection: signed forms, each completed by the API."""

from tests.contract.inbox import until
from tests.service.ingest.fetching import Fetching
from tests.unit.ingest.qualtrics_documents import FORM, response, signed_form, survey


async def test_a_signed_form_is_acknowledged_and_its_response_is_fetched_once(fetching: Fetching) -> None:
    ingest = fetching.ingest
    credentials = {"api_token": "the-api-token", "data_center": "fra1"}
    connection = await ingest.connect("qualtrics", credentials=credentials)
    hook, body = f"/v1/hooks/{connection['id']}", signed_form(connection["secret"])
    fetching.api.documents |= {
        "/API/v3/surveys/SV_22VlHYNeldrrrkp/responses/R_1l9mcVuXubb4aGm": response(),
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
