"""The `earshot` command, over a real database and with the services played by the test."""

import asyncio
import json
import os
import sys
from pathlib import Path

from pyarrow.parquet import read_table

from tests.service.gateway.earshot_command import Earshot
from tests.service.gateway.fake_services import REPORT, FakeServices


async def test_the_command_creates_lists_and_revokes(earshot: Earshot, services: FakeServices) -> None:
    made = await earshot.json("tenant", "create", "acme", "--zone", "Europe/Berlin", "--name", "Acme")
    assert (made["id"], made["provisioned"]) == ("acme", True)
    assert [tenant["id"] for tenant in await earshot.json("tenant", "list")] == ["acme"]
    key = await earshot.json("key", "create", "acme", "--scopes", "metrics:read,records:read", "--name", "wall")
    assert key["key"].startswith("esk_")
    assert key["scopes"] == ["metrics:read", "records:read"]
    status, output = await earshot("key", "list", "acme")
    assert status == 0
    assert key["id"] in output
    assert key["key"] not in output
    assert (await earshot("key", "revoke", "acme", key["id"]))[0] == 0
    [listed] = await earshot.json("key", "list", "acme")
    assert listed["revoked_at"]
    connection = await earshot.json("connection", "create", "acme", "--provider", "standard", "--name", "App")
    assert connection["secret"] == "whsec_x"
    assert services.requests[-1] == ("POST /v1/connections", {"provider": "standard", "name": "App"})
    assert await earshot.json("connection", "list", "acme") == [{"id": "c1", "tenant": "acme"}]


async def test_the_command_lists_providers_without_a_tenant(earshot: Earshot) -> None:
    status, output = await earshot("providers")
    assert (status, output.splitlines()[1].split()) == (0, ["zendesk", "Zendesk", "False", "ticket.opened", "names"])
    assert [provider["id"] for provider in await earshot.json("providers")] == ["zendesk"]


async def test_the_command_starts_a_back_fill(earshot: Earshot, services: FakeServices) -> None:
    await earshot.json("tenant", "create", "acme", "--zone", "UTC")
    status, output = await earshot("backfill", "acme", "c1", "--since", "2025-01-01", "--survey", "f1", "--survey", "f2")
    assert (status, output.splitlines()[1].split()[0]) == (0, "3")
    assert services.requests[-1] == ("POST /v1/connections/c1:backfill", {"since": "2025-01-01", "surveys": ["f1", "f2"]})


async def test_the_command_shows_and_cancels_the_latest_back_fill(earshot: Earshot, services: FakeServices) -> None:
    await earshot.json("tenant", "create", "acme", "--zone", "UTC")
    assert (await earshot("backfill", "acme", "c1", "--status"))[0] == 0
    assert services.requests[-1][0] == "GET /v1/jobs/3"
    assert (await earshot("backfill", "acme", "c1", "--cancel"))[0] == 0
    assert services.requests[-1][0] == "DELETE /v1/jobs/3"
    assert (await earshot("backfill", "acme", "c1"))[0] == 2
    assert (await earshot("backfill", "acme", "c1", "--cancel", "--since", "2025-01-01"))[0] == 2


async def test_credentials_are_read_from_a_file_and_never_printed(
    earshot: Earshot, services: FakeServices, tmp_path: Path
) -> None:
    await earshot.json("tenant", "create", "acme", "--zone", "UTC")
    file = tmp_path / "credentials.json"
    file.write_text('{"access_token": "the-access-token"}')
    status, output = await earshot("connection", "credentials", "acme", "c1", str(file))
    assert (status, "the-access-token" in output) == (0, False)
    assert services.requests[-1] == ("PATCH /v1/connections/c1", {"credentials": {"access_token": "the-access-token"}})
    assert (await earshot("connection", "credentials", "acme", "c1", "--remove"))[0] == 0
    assert services.requests[-1] == ("PATCH /v1/connections/c1", {"credentials": None})
    file.write_text('"the-access-token"')
    status, output = await earshot("connection", "credentials", "acme", "c1", str(file))
    assert (status, "the-access-token" in output, "must be a JSON object" in output) == (2, False, True)
    assert (await earshot("connection", "credentials", "acme", "c1"))[0] == 2


async def test_the_command_lists_counts_retries_and_discards_quarantine(earshot: Earshot, services: FakeServices) -> None:
    await earshot.json("tenant", "create", "acme", "--zone", "UTC")
    filters = ("--provider", "typeform", "--reason-code", "outside_scale", "--since", "2026-11-20T00:00:00Z")
    status, output = await earshot("quarantine", "list", "acme", *filters)
    assert (status, output.split()[-2:]) == (
        0,
        ["7", "provider=typeform&reason_code=outside_scale&since=2026-11-20T00%3A00%3A00Z"],
    )
    assert (await earshot.json("quarantine", "count", "acme"))["deliveries"] == 9
    status, output = await earshot("quarantine", "retry", "acme", "--connection", "c1")
    assert (status, output.splitlines()[1].split()) == (0, ["3", "retry", "running", "9", "2", "accepted=2"])
    assert services.requests[-1] == ("POST /v1/quarantine:retry", {"connection": "c1"})
    await earshot("quarantine", "discard", "acme", "--until", "2026-11-20T00:00:00Z")
    assert services.requests[-1] == ("POST /v1/quarantine:discard", {"until": "2026-11-20T00:00:00Z"})
    assert (await earshot.json("quarantine", "retry", "acme", "7"))["status"] == "accepted"
    assert services.requests[-1] == ("POST /v1/quarantine/7:retry", None)
    assert (await earshot.json("quarantine", "jobs", "acme"))[0]["kind"] == "retry"
    assert (await earshot("quarantine", "discard", "acme", "7", "--connection", "c1"))[0] != 0
    assert (await earshot("quarantine", "list", "nobody"))[0] == 1


async def test_the_command_finds_exports_and_erases_a_customer(earshot: Earshot, services: FakeServices) -> None:
    await earshot.json("tenant", "create", "acme", "--zone", "UTC")
    status, output = await earshot("customers", "find", "acme", "--id", "zendesk:351")
    assert (status, "6c1e" in output, "Support" in output) == (0, True, True)
    assert f"left out: {'b' * 32} (placeholder). It stands for everybody without an id" in output
    assert services.requests[-1] == ("POST /v1/customers:find", {"id": "zendesk:351"})
    status, output = await earshot("customers", "export", "acme", "--email", "jo@example.org")
    assert (status, [one["subject"] for one in json.loads(output)["subjects"]]) == (0, ["r-1", "r-2"])
    status, output = await earshot("customers", "erase", "acme", "--id", "c-77", "--yes")
    assert (status, output.splitlines()[1].split()[:2], output.splitlines()[-1]) == (
        0, ["ingest.events", "7"], "erasure 12: 2 subjects",
    )  # fmt: skip
    assert (await earshot.json("customers", "erase", "acme", "--email", "jo@example.org", "--yes"))["id"] == "12"


async def test_a_customer_is_erased_only_after_a_confirmation_and_must_be_named(earshot: Earshot, services: FakeServices) -> None:
    await earshot.json("tenant", "create", "acme", "--zone", "UTC")
    status, output = await earshot("customers", "erase", "acme", "--id", "c-77")
    assert (status, "Erase 2 subjects with 7 statements for good?" in output) == (1, True)
    assert services.requests[-1] == ("POST /v1/customers:find", {"id": "c-77"})
    assert (await earshot("customers", "find", "acme"))[0] == 2


async def test_the_command_shows_sets_and_resets_themes(earshot: Earshot, services: FakeServices, tmp_path: Path) -> None:
    await earshot.json("tenant", "create", "acme", "--zone", "UTC")
    status, output = await earshot("taxonomy", "show", "acme")
    assert (status, output.split("\n")[1].split("  ")[0].split()) == (0, ["0"])
    assert "the default themes" in output
    file = tmp_path / "themes.json"
    file.write_text('{"themes": [{"id": "food", "name": "Food", "description": "What is eaten", "examples": ["Cold soup"]}]}')
    made = await earshot.json("taxonomy", "set", "acme", str(file))
    assert made == services.taxonomy == {"revision": 1, **json.loads(file.read_text())}
    file.write_text(json.dumps(await earshot.json("taxonomy", "show", "acme")))
    assert (await earshot.json("taxonomy", "set", "acme", str(file)))["revision"] == 2
    status, output = await earshot("taxonomy", "show", "acme")
    assert (status, output.splitlines()[1].split()) == (0, ["2", "food", "Food", "What", "is", "eaten", "1"])
    assert await earshot("taxonomy", "set", "acme", str(file)) == (1, "Conflict: another revision is in force\n")
    assert await earshot.json("taxonomy", "reset", "acme") == {"revision": 3, "themes": None}


async def test_the_default_themes_as_printed_can_be_set_again(earshot: Earshot, services: FakeServices, tmp_path: Path) -> None:
    await earshot.json("tenant", "create", "acme", "--zone", "UTC")
    file = tmp_path / "themes.json"
    file.write_text(json.dumps(await earshot.json("taxonomy", "show", "acme")))
    assert await earshot.json("taxonomy", "set", "acme", str(file)) == {"revision": 1, "themes": None}
    assert services.requests[-1] == ("DELETE /v1/taxonomy", None)
    assert await earshot("taxonomy", "set", "acme", str(file)) == (1, "Conflict: another revision is in force\n")
    file.write_text("{}")
    await earshot("taxonomy", "set", "acme", str(file))
    assert services.requests[-1] == ("PUT /v1/taxonomy", {})


async def test_the_command_lists_compares_and_promotes_models(earshot: Earshot) -> None:
    await earshot.json("tenant", "create", "acme", "--zone", "UTC")
    assert [model["name"] for model in await earshot.json("model", "list", "acme")] == ["linear-1"]
    assert await earshot.json("model", "report", "acme", "linear-1", "--window", "7d") == REPORT | {"window": "7d"}
    status, output = await earshot("model", "report", "acme", "linear-1")
    assert status == 0
    assert [line.split() for line in output.splitlines()][1] == ["linear-1", "vader-3.3.2", "12", "0", "11", "81.5", "2"]
    assert output.splitlines()[-1].split() == ["sentiment", "0.25", "0.75", "0.5"]
    assert (await earshot.json("model", "promote", "acme", "linear-1"))["promoted_at"]
    refused = await earshot("model", "promote", "acme", "e5-2")
    assert refused == (1, "Conflict: 3 of 12 comments have no score of e5-2 yet\n")
    assert await earshot("model", "promote", "acme", "x/../y") == (1, "Not found: no comment has a score of this model\n")


async def test_the_command_explains_a_value_and_fails_if_its_recomputation_differs(earshot: Earshot) -> None:
    await earshot.json("tenant", "create", "acme", "--zone", "UTC")
    status, output = await earshot("explain", "acme", "nps")
    assert status == 0
    assert "100 · (2 − 1) / 4" in output
    assert output.splitlines()[-1].split() == ["17", "responses", "no_answer", "No", "answer"]
    parameters = ("-p", "filter[team]=a,b", "-p", "group_by=team")
    query = (await earshot.json("explain", "acme", "nps", *parameters))["query"]
    assert query == {"filter[team]": "a,b", "group_by": "team"}
    assert (await earshot("explain", "acme", "nps", "-p", "window=7d"))[0] == 1
    assert await earshot("explain", "acme", "nope") == (1, 'Not found: there is no KPI "nope"\n')
    for wrong in (("-p", "window"), ("-p", "agg=p50", "-p", "agg=p90")):
        assert (await earshot("explain", "acme", "nps", *wrong))[0] == 2


async def test_the_command_prints_a_value_and_those_under_presets(earshot: Earshot) -> None:
    await earshot.json("tenant", "create", "acme", "--zone", "UTC")
    _, output = await earshot("kpi", "acme", "first_reply_time", "-p", "compare_presets=zendesk,board")
    lines = [line.split() for line in output.splitlines()]
    assert lines[0][:3] == ["from", "to", "dims"]
    assert lines[1] == ["2026-11-01", "2026-12-01", "3600", "2", "low_n"]
    assert [line for line in lines if line[:1] == ["board"]] == [
        ["board", "2026-11-01", "2026-12-01", "600", "3", "-3000"],
        ["board", "3", "2", "bots", "are", "agents"],
    ]
    assert (await earshot.json("kpi", "acme", "nps", "-p", "window=7d"))["query"] == {"window": "7d"}


async def test_the_command_writes_all_tickets_to_a_file(earshot: Earshot, tmp_path: Path) -> None:
    await earshot.json("tenant", "create", "acme", "--zone", "UTC")
    status, output = await earshot("tickets", "acme", "-p", "window=7d")
    expected = ["subject,reopens", "limit=2000&window=7d,1", "limit=2000&window=7d&cursor=c%2F2,1"]
    assert (status, output.splitlines()) == (0, expected)
    lines = (await earshot("tickets", "acme", "--format", "ndjson"))[1].splitlines()
    assert [json.loads(line)["reopens"] for line in lines] == [1, 1]
    file = tmp_path / "tickets.parquet"
    assert (await earshot("tickets", "acme", "--format", "parquet", "--output", str(file)))[0] == 0
    assert read_table(file).num_rows == 2
    refused = tmp_path / "refused.csv"
    assert (await earshot("tickets", "acme", "-p", "window=9y", "--output", str(refused)))[0] == 1
    assert not refused.exists()


async def test_the_command_prints_an_error_as_one_line(earshot: Earshot) -> None:
    status, output = await earshot("key", "create", "nobody", "--scopes", "admin")
    assert (status, output) == (1, "Not found: there is no tenant nobody\n")


async def test_without_settings_the_command_names_them() -> None:
    """In a process of its own, as operators start it."""
    environment = {name: value for name, value in os.environ.items() if name not in {"GATEWAY_DATABASE_URL", "INTERNAL_TOKEN"}}
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "services.gateway.cli", "tenant", "list"),
        env=environment,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    output, _ = await process.communicate()
    assert process.returncode == 1
    assert b"database_url" in output.lower()
    assert b"Traceback" not in output
