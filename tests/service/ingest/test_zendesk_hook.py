"""The hook of a `zendesk` connection: events of ratings, each completed by the answer to the survey."""

import base64
from urllib.parse import quote

from shared.events import Rating, Ticket
from tests.contract.inbox import until
from tests.service.ingest.fetching import Fetching
from tests.unit.ingest.test_zendesk_surveys import RATED, SURVEY_PATH, TICKET, comment, documents, rating, response

CREDENTIALS = {"subdomain": "acme", "email": "ada@example.com", "api_token": "the-api-token"}
FILTER = f"{quote('filter[subject_zrns]')}={quote(f'zen:ticket:{TICKET}', safe='')}"
RESPONSES_PATH = f"/api/v2/guide/survey_responses?{FILTER}&sort=-id&{quote('page[size]')}=10"


async def test_an_answer_in_quarantine_is_fetched_once_the_mapping_says_so(fetching: Fetching) -> None:
    ingest, api = fetching.ingest, fetching.api
    answers = documents(response(rating(3, "neutral"), comment("Call me: +43 1 5880030.")))
    api.documents |= {RESPONSES_PATH: answers["survey_responses"], SURVEY_PATH: answers["survey"]}
    fetching.connection = connection = await ingest.connect("zendesk")
    assert (await ingest.deliver(connection, RATED)).json() == {"status": "quarantined"}
    assert (await fetching.health())["api"] is None
    [item] = await fetching.quarantined()
    await fetching.change(mapping={"fetch_surveys": True}, credentials=CREDENTIALS)
    await ingest.call("POST", f"/v1/quarantine/{item['id']}:retry")
    await until(fetching.has_events)
    [event] = await ingest.events()
    assert event.subject == f"{connection['id']}/ticket/{TICKET}"
    assert isinstance(event.body, Ticket)
    [rated] = [fact for fact in event.body.facts if isinstance(fact, Rating)]
    assert (rated.value, rated.scale, "5880030" in (rated.text or "")) == (3, (1, 5), False)
    basic = base64.b64encode(b"ada@example.com/token:the-api-token").decode()
    assert api.calls == [(RESPONSES_PATH, f"Basic {basic}"), (SURVEY_PATH, f"Basic {basic}")]
    assert (await fetching.health())["api"]["last_success"]
    assert (await ingest.deliver(connection, RATED)).json() == {"status": "duplicate"}
