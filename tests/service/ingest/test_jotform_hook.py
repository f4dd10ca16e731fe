"""The hook of a `jotform` connection: multipart forms that repeat the URL with its secret, of which only parts are stored."""

import json
from pathlib import Path

from tests.service.ingest.client import IngestClient

FIXTURE = Path(__file__).parents[2] / "fixtures" / "providers" / "jotform__submission.json"


async def test_a_form_is_stored_once_and_without_the_secret_that_it_repeats(ingest: IngestClient) -> None:
    connection = await ingest.connect("jotform", mapping={"questions": {"howLikely": {"kind": "csat", "scale": [1, 5]}}})
    hook, token = f"/v1/hooks/{connection['id']}", {"token": connection["secret"]}
    parts = {**json.loads(FIXTURE.read_text()), "webhookURL": f"{connection['hook_url']}?token={connection['secret']}"}
    form = {name: (None, value) for name, value in parts.items()}
    assert (await ingest.http.post(hook, files=form)).status_code == 401
    for status in ("quarantined", "duplicate"):
        answer = await ingest.http.post(hook, params=token, files=form)
        assert (answer.status_code, answer.json()) == (202, {"status": status})
    [listed] = (await ingest.call("GET", "/v1/quarantine", params={"connection": connection["id"]})).json()["items"]
    stored = (await ingest.call("GET", f"/v1/quarantine/{listed['id']}")).text
    assert "ada@example.org" in stored
    assert connection["secret"] not in stored
    mapping = {"questions": {"howLikely": {"kind": "nps"}}}
    await ingest.call("PATCH", f"/v1/connections/{connection['id']}", json={"mapping": mapping})
    retried = await ingest.call("POST", f"/v1/quarantine/{listed['id']}:retry")
    assert retried.json()["status"] == "accepted"
    assert [event.subject for event in await ingest.events()] == [f"{connection['id']}/response/6084250982513018472"]
