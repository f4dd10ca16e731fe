"""`POST /v1/connections/{id}:backfill` over HTTP, with a local server in the place of Typeform's API."""

from typing import Any

import pytest

from tests.contract.inbox import until
from tests.service.ingest.client import IngestClient
from tests.service.ingest.fetching import TOKEN, Fetching
from tests.unit.ingest.typeform_forms import FORM, listed, page, path


async def health_of(ingest: IngestClient, connection: dict[str, Any]) -> dict[str, Any]:
    view = (await ingest.call("GET", f"/v1/connections/{connection['id']}")).json()
    return dict(view["health"])


async def test_the_history_of_a_form_is_fetched_and_its_progress_is_part_of_the_health(fetching: Fetching) -> None:
    ingest = fetching.ingest
    connection = await ingest.connect("typeform", credentials={"access_token": TOKEN})
    assert ((await health_of(ingest, connection))["backfill"], connection["has_credentials"]) == (None, True)
    fetching.api.documents |= {"/forms/lT4Z3j": FORM, path(): page(listed("t-2"), listed("t-1", 3), listed("t-0", 11))}
    url, body = f"/v1/connections/{connection['id']}:backfill", {"since": "2026-01-01", "surveys": ["lT4Z3j"]}
    answer = await ingest.call("POST", url, json=body)
    assert answer.status_code == 202, answer.text
    job = answer.json()
    assert answer.headers["location"] == f"/v1/jobs/{job['id']}"
    assert (job["kind"], job["filter"]["connection"], job["filter"]["since"]) == (
        "backfill",
        connection["id"],
        "2026-01-01T00:00:00Z",
    )

    async def is_done() -> bool:
        return bool((await health_of(ingest, connection))["backfill"]["state"] == "done")

    await until(is_done)
    health = await health_of(ingest, connection)
    assert health["backfill"] | {"created_at": 0, "finished_at": 0} == {
        "job": job["id"],
        "state": "done",
        "since": "2026-01-01T00:00:00Z",
        "records": 3,
        "done": 3,
        "results": {"accepted": 2, "quarantined": 1},
        "problem": None,
        "created_at": 0,
        "finished_at": 0,
    }
    assert (health["accepted_24h"], health["last_delivery"]) == (0, None)
    view = (await ingest.call("GET", f"/v1/jobs/{job['id']}")).json()
    assert (view["state"], view["done"], view["problem"]) == ("done", 3, None)
    assert len(await ingest.events()) == 2
    again = await ingest.call("POST", url, json=body)
    assert again.status_code == 202


@pytest.mark.parametrize(
    ("provider", "connected", "body", "problem"),
    [
        (
            "helpscout",
            {},
            {"since": "2026-01-01"},
            "the history of helpscout can't be fetched; "
            "that of freshdesk, hubspot, intercom, surveymonkey, typeform, zendesk can",
        ),
        (
            "typeform",
            {},
            {"since": "2026-01-01", "surveys": ["f"]},
            "the connection has no credentials of the tool's API: set `credentials` first",
        ),
        ("typeform", {"credentials": {"access_token": TOKEN}}, {"since": "2026-01-01"}, ("surveys", "name at least one")),
        ("zendesk", {}, {"since": "2026-01-01", "surveys": ["f"]}, ("surveys", "must be left out for zendesk")),
        (
            "typeform",
            {"credentials": {"access_token": TOKEN}},
            {"since": "2026-01-01", "surveys": ["f", "../me"]},
            ("surveys.1", "must be up to 64 letters, digits, - and _"),
        ),
        (
            "typeform",
            {"credentials": {"access_token": TOKEN}},
            {"since": "2199-01-01", "surveys": ["f"]},
            ("since", "is in the future"),
        ),
    ],
)
async def test_a_back_fill_that_can_never_work_is_refused(
    ingest: IngestClient, provider: str, connected: dict[str, Any], body: dict[str, Any], problem: str | tuple[str, str]
) -> None:
    connection = await ingest.connect(provider, **connected)
    answer = await ingest.call("POST", f"/v1/connections/{connection['id']}:backfill", json=body)
    assert answer.status_code == 422, answer.text
    refusal = answer.json()
    if isinstance(problem, str):
        assert refusal["detail"] == problem
    else:
        assert [(one["name"], one["reason"]) for one in refusal["invalid_params"]] == [problem]


async def test_a_back_fill_is_canceled_and_what_it_has_stored_stays(fetching: Fetching) -> None:
    ingest = fetching.ingest
    connection = await ingest.connect("typeform", credentials={"access_token": TOKEN})
    fetching.api.documents |= {"/forms/lT4Z3j": FORM, path(): page(listed("t-1"))}
    fetching.api.released.clear()
    body = {"since": "2026-01-01", "surveys": ["lT4Z3j"]}
    job = (await ingest.call("POST", f"/v1/connections/{connection['id']}:backfill", json=body)).json()
    canceled = await ingest.call("DELETE", f"/v1/jobs/{job['id']}")
    assert (canceled.status_code, canceled.json()["state"]) == (200, "canceled")
    fetching.api.released.set()
    assert (await ingest.call("DELETE", f"/v1/jobs/{job['id']}")).json() == canceled.json()
    assert (await health_of(ingest, connection))["backfill"]["state"] == "canceled"
    assert await ingest.events() == []
    assert (await ingest.call("DELETE", "/v1/jobs/999999")).status_code == 404
    again = await ingest.call("POST", f"/v1/connections/{connection['id']}:backfill", json=body)
    assert again.status_code == 202, "another one may begin"
