"""The Apps Script for Google Forms, run by Playwright's Node in an imitation of Google's services (`apps_script.js`)."""

import json
import subprocess
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import playwright

from services.ingest.domain.providers import PROVIDERS, Headers, Parsed, Request, read_settings
from services.ingest.domain.providers.google_forms import script

PROVIDER = PROVIDERS["google_forms"]
NODE = Path(playwright.__file__).parent / "driver" / "node"
SERVICES = Path(__file__).parent / "apps_script.js"
SECRET = PROVIDER.new_secret(bytes(range(200, 232)))
UNAVAILABLE = [503] * 6


def run(*calls: list[str], answers: list[int] | None = None, properties: dict[str, str] | None = None) -> dict[str, Any]:
    """Run functions of the script, with the answers of Earshot (202 by default; 0: no connection)."""
    scenario = {"run": calls, "answers": answers or [], "properties": properties or {}}
    source = script().replace("whsec_…", SECRET)
    done = subprocess.run(
        [str(NODE), str(SERVICES), json.dumps(scenario)], input=source, capture_output=True, text=True, check=True, timeout=30
    )
    state: dict[str, Any] = json.loads(done.stdout)
    return state


def receive(sent: dict[str, Any]) -> Parsed:
    """Verify a request of the script and read it."""
    assert (sent["method"], sent["contentType"], sent["muteHttpExceptions"]) == ("post", "application/json", True)
    received = Request("POST", sent["url"], Headers(sent["headers"]), sent["payload"].encode())
    PROVIDER.verify(received, [SECRET], datetime.fromtimestamp(time.time(), UTC))
    parsed = PROVIDER.parse(received, read_settings("google_forms", {"questions": {"101": {"kind": "nps"}}}))
    assert parsed.problem is None, parsed.problem
    return parsed


def test_the_page_has_the_script() -> None:
    page = Path(__file__).parents[3] / "docs" / "providers" / "google_forms.md"
    assert script() in page.read_text()


def test_a_response_is_signed_and_has_every_question() -> None:
    state = run(["install"], ["onResponse", "r-1"])
    assert state["triggers"] == ["onResponse", "resend"]
    [sent] = state["requests"]
    [record] = receive(sent).records
    assert (record["id"], record["at"], record["customer"]) == ("r-1", "2026-11-20T09:10:00.000Z", {"email": "jo@example.org"})
    assert record["answers"] == [
        {"question": "101", "kind": "nps", "value": 9},
        {"question": "103", "kind": "comment", "text": "Großartig – „danke“"},
    ]
    assert [(one["itemId"], one.get("scale")) for one in json.loads(sent["payload"])["answers"]] == [
        ("101", [0, 10]),
        ("102", [1, 5]),
        ("103", None),
    ]
    [other] = run(["onResponse", "r-3"])["requests"]
    [record] = receive(other).records
    assert (record["answers"][0], "customer" in record) == ({"question": "101", "kind": "nps", "value": None}, False)


def test_a_retry_has_the_same_id_and_an_edit_another() -> None:
    state = run(["onResponse", "r-1"], ["onResponse", "r-1"], answers=[503, 0, 202])
    first, again, third, edit = (receive(sent).id for sent in state["requests"])
    assert first == again == third
    assert first is not None
    assert first.startswith("r-1:")
    assert state["pauses"] == [2000, 4000]
    assert edit != first


def test_a_response_that_could_not_be_sent_is_sent_later_under_its_id() -> None:
    failed = run(["onResponse", "r-1"], answers=UNAVAILABLE)
    assert len(failed["requests"]) == 6
    [(name, sent_at)] = failed["properties"].items()
    assert name == "response:r-1"
    state = run(["resend"], properties=failed["properties"] | {"response:deleted": sent_at})
    [sent] = state["requests"]
    assert (receive(sent).id, state["properties"]) == (f"r-1:{sent_at}", {})


def test_the_history_is_sent_oldest_first_and_goes_on_where_it_stopped() -> None:
    stopped = run(["sendHistory"], answers=[202, *UNAVAILABLE])
    ids = [receive(sent).records[0]["id"] for sent in stopped["requests"]]
    assert ids == ["r-1", *["r-2"] * 6]
    assert stopped["properties"] == {"history": "2026-11-20T09:10:00.000Z"}
    state = run(["resend"], properties=stopped["properties"])
    assert [receive(sent).id for sent in state["requests"]] == [
        "r-1:2026-11-20T09:10:00.000Z",
        "r-2:2026-11-20T09:20:00.000Z",
        "r-3:2026-11-20T09:30:00.000Z",
    ]
    assert state["properties"] == {}
