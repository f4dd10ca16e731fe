"""The hook of a `hubspot` connection: arrays of events, each completed by the API."""

import json
from urllib.parse import urlencode

from services.ingest.domain.providers import PROVIDERS, read_settings
from tests.contract.inbox import until
from tests.service.ingest.fetching import Fetching
from tests.unit.ingest.hubspot_documents import CONTACT, OWNER, PIPELINES, SUBMISSION_EVENT, TICKET_EVENT, submission, ticket
from tests.unit.ingest.making import request


def first_path(event: dict[str, object]) -> str:
    """The path and the query of the first call for an event."""
    api = PROVIDERS["hubspot"].api
    assert api
    fetch = api.fetches(request(json.dumps(event).encode()), {}, read_settings("hubspot", {}))[0]
    return f"{fetch.path}?{urlencode(fetch.query)}"


async def test_an_array_is_acknowledged_and_each_of_its_events_is_completed_once(fetching: Fetching) -> None:
    ingest = fetching.ingest
    credentials = {"access_token": "pat-eu1-token"}
    connection = await ingest.connect("hubspot", secret="a-client-secret", credentials=credentials)
    fetching.api.documents |= {
        first_path(TICKET_EVENT): ticket(),
        first_path(SUBMISSION_EVENT): submission(),
        "/crm/v3/pipelines/tickets": PIPELINES,
        "/crm/v3/objects/contacts/551?properties=email": CONTACT,
        "/crm/v3/owners/77": OWNER,
    }
    other = TICKET_EVENT | {"eventId": 102, "subscriptionType": "contact.creation"}
    body = json.dumps([TICKET_EVENT, SUBMISSION_EVENT, other]).encode()
    answer = await ingest.deliver(connection, body, url=connection["hook_url"])
    assert (answer.status_code, answer.json()) == (202, {"status": "mixed", "events": {"pending": 2, "ignored": 1}})
    subjects = {f"{connection['id']}/ticket/9988776655", f"{connection['id']}/response/553311"}

    async def are_complete() -> bool:
        return {event.subject for event in await ingest.events()} == subjects

    await until(are_complete)
    again = await ingest.deliver(connection, body, url=connection["hook_url"])
    assert again.json() == {"status": "duplicate", "events": {"duplicate": 3}}
    elsewhere = await ingest.deliver(connection, body, url="https://elsewhere.example/hook")
    assert elsewhere.status_code == 401
    assert {authorization for _, authorization in fetching.api.calls} == {"Bearer pat-eu1-token"}
    assert all(b"jo@example.org" not in message.value for message in ingest.broker.sent)
