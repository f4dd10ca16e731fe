"""What operators do: tenants, keys, connections, themes and models, by the functions and by the `earshot` command."""

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest
from typer.testing import CliRunner

from services.gateway.admin import Admin, open_admin
from services.gateway.cli import app
from services.gateway.provisioning import run_provisioning
from services.gateway.settings import Settings
from shared.problems import Conflict, NotFound, Unavailable, Unprocessable
from tests.conftest import NewDatabase
from tests.service.gateway.gateway_client import TOKEN

REPORT = {
    "model": "linear-1",
    "promoted": "vader-3.3.2",
    "comments": 12,
    "missing": 0,
    "n": 11,
    "agreement": 81.5,
    "changed": 2,
    "kpis": [{"kpi": "sentiment", "agg": None, "promoted": {"value": 0.25}, "candidate": {"value": 0.75}, "delta": 0.5}],
}


def model_answer(request: httpx.Request) -> httpx.Response:
    """What metrics says of models: of linear-1 all is there, of e5-2 not yet."""
    match request.url.path.removeprefix("/v1/models").removeprefix("/"):
        case "":
            return httpx.Response(200, json={"comments": 12, "models": [{"name": "linear-1", "promoted": False, "scores": 12}]})
        case "linear-1/shadow":
            return httpx.Response(200, json=REPORT | {"window": str(request.url.params["window"])})
        case "linear-1:promote":
            return httpx.Response(200, json={"model": "linear-1", "promoted_at": "2026-11-20T12:00:00+00:00"})
        case "e5-2:promote":
            return httpx.Response(409, json={"title": "Scores missing", "detail": "3 of 12 comments have no score of e5-2 yet"})
        case _:
            return httpx.Response(404, json={"title": "Unknown model", "detail": "no comment has a score of this model"})


@dataclass
class Others:
    """Plays ingest and metrics: hears of tenants, connections and themes, unless it is away."""

    failures: int = 0
    taxonomy: dict[str, Any] = field(default_factory=lambda: {"revision": 0, "themes": None})
    told: list[tuple[str, Any]] = field(default_factory=list)

    async def __call__(self, request: httpx.Request) -> httpx.Response:
        await request.aread()
        assert request.headers["authorization"] == f"Bearer {TOKEN}"
        if self.failures:
            self.failures -= 1
            raise httpx.ConnectError("away", request=request)
        self.told.append((f"{request.method} {request.url.path}", json.loads(request.content or b"null")))
        if request.url.path == "/v1/connections" and request.method == "POST":
            if json.loads(request.content)["provider"] == "unknown":
                return httpx.Response(422, json={"invalid_params": [{"name": "provider", "reason": "unknown"}]})
            return httpx.Response(201, json={"id": "c1", "provider": "standard", "secret": "whsec_x"})
        if request.url.path == "/v1/taxonomy":
            return self.themes(request)
        if request.url.path.startswith("/v1/models"):
            return model_answer(request)
        return httpx.Response(
            200,
            json={"connections": [{"id": "c1", "tenant": request.headers["x-earshot-tenant"]}]}
            if "connections" in request.url.path
            else {},
        )

    def themes(self, request: httpx.Request) -> httpx.Response:
        if request.method != "GET":
            asked = json.loads(request.content or b"{}")
            based_on = request.url.params.get("revision", asked.get("revision", self.taxonomy["revision"]))
            if int(based_on) != self.taxonomy["revision"]:
                return httpx.Response(409, json={"detail": "another is in force"})
            self.taxonomy = {"revision": self.taxonomy["revision"] + 1, "themes": asked.get("themes")}
        return httpx.Response(200, json=self.taxonomy)


@pytest.fixture
def others() -> Others:
    return Others()


@pytest.fixture
async def admin(database: NewDatabase, others: Others) -> AsyncIterator[Admin]:
    settings = Settings(database_url=await database("gateway"), internal_token=TOKEN)
    async with open_admin(settings, httpx.MockTransport(others)) as admin:
        yield admin


async def test_a_tenant_is_made_once_and_told_to_ingest_and_metrics(admin: Admin, others: Others) -> None:
    made = await admin.create_tenant("acme", "Europe/Berlin", "Acme")
    again = await admin.create_tenant("acme", "Europe/Berlin")
    assert made == again
    assert made.provisioned
    assert others.told == [("PUT /internal/tenants/acme", {"name": "Acme", "zone": "Europe/Berlin"})] * 4
    assert [tenant.id for tenant in await admin.tenants.list_all()] == ["acme"]


async def test_a_tenants_zone_is_not_changed_by_making_it_again(admin: Admin, others: Others) -> None:
    await admin.create_tenant("acme", "Europe/Berlin")
    others.told.clear()
    with pytest.raises(Conflict):
        await admin.create_tenant("acme", "UTC")
    assert others.told == []


async def test_a_bad_tenant_is_refused_before_anything_is_written(admin: Admin) -> None:
    with pytest.raises(Unprocessable, match="zone"):
        await admin.create_tenant("acme", "Mars/Olympus")
    assert await admin.tenants.list_all() == []


async def test_telling_is_tried_again_while_the_others_are_away(admin: Admin, others: Others) -> None:
    others.failures = 2
    assert (await admin.create_tenant("acme", "UTC")).provisioned
    assert len(others.told) == 2


async def test_a_tenant_made_while_the_others_were_away_is_told_later(admin: Admin, others: Others) -> None:
    others.failures = 10**6
    with pytest.raises(Unavailable):
        await admin.create_tenant("acme", "UTC", retry_seconds=0.1)
    [waiting] = await admin.tenants.list_all(unprovisioned=True)
    assert waiting.id == "acme"
    telling = asyncio.create_task(run_provisioning(admin.tenants, (admin.ingest, admin.metrics), interval=0.02))
    await asyncio.sleep(0.1)
    others.failures = 0
    for _ in range(250):
        if not await admin.tenants.list_all(unprovisioned=True):
            break
        await asyncio.sleep(0.02)
    telling.cancel()
    assert len(others.told) == 2


async def test_keys_connections_themes_and_models_need_their_tenant(admin: Admin) -> None:
    for attempt in (
        admin.create_key("acme", ["admin"]),
        admin.create_connection("acme"),
        admin.connections("acme"),
        admin.taxonomy("acme"),
        admin.set_taxonomy("acme", b"{}"),
        admin.reset_taxonomy("acme"),
        admin.models("acme"),
        admin.shadow("acme", "linear-1", "30d"),
        admin.promote("acme", "linear-1"),
    ):
        with pytest.raises(NotFound):
            await attempt


@pytest.mark.parametrize("scopes", [[], ["everything"], ["admin", "root"]])
async def test_unknown_scopes_are_refused(admin: Admin, scopes: list[str]) -> None:
    await admin.create_tenant("acme", "UTC")
    with pytest.raises(Unprocessable):
        await admin.create_key("acme", scopes)


async def test_a_refusal_of_ingest_is_told_with_its_place(admin: Admin) -> None:
    await admin.create_tenant("acme", "UTC")
    with pytest.raises(Unprocessable) as refused:
        await admin.create_connection("acme", provider="unknown", name="x")
    assert refused.value.invalid_params == [{"name": "provider", "reason": "unknown"}]


# --- the command
@asynccontextmanager
async def listening(others: Others) -> AsyncIterator[str]:
    """`others` on a port, for a command that runs in a process of its own."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        method, path, _ = head.split(" ", 2)
        headers = httpx.Headers(dict(line.split(": ", 1) for line in head.splitlines()[1:] if line))
        content = await reader.readexactly(int(headers.get("content-length", 0)))
        given = await others(httpx.Request(method, f"http://others{path}", headers=headers, content=content))
        body = given.content
        writer.write(
            b"HTTP/1.1 %d OK\r\ncontent-length: %d\r\nconnection: close\r\n\r\n%b" % (given.status_code, len(body), body)
        )
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"


class Earshot:
    """Runs the `earshot` command in this process, in a thread: a process of its own takes seconds to start."""

    def __init__(self, **environment: str) -> None:
        self.environment = environment

    async def __call__(self, *words: str) -> tuple[int, str]:
        """Its exit status, and what it printed on both channels."""
        result = await asyncio.to_thread(CliRunner(env=self.environment).invoke, app, words)
        return result.exit_code, result.output

    async def json(self, *words: str) -> Any:
        status, output = await self(*words, "--json")
        assert status == 0, output
        return json.loads(output)


@pytest.fixture
async def earshot(database: NewDatabase, others: Others) -> AsyncIterator[Earshot]:
    async with listening(others) as url:
        yield Earshot(
            GATEWAY_DATABASE_URL=await database("gateway"),
            INTERNAL_TOKEN=TOKEN,
            GATEWAY_INGEST_URL=url,
            GATEWAY_METRICS_URL=url,
        )


async def test_the_command_makes_lists_and_ends(earshot: Earshot, others: Others) -> None:
    made = await earshot.json("tenant", "create", "acme", "--zone", "Europe/Berlin", "--name", "Acme")
    assert (made["id"], made["provisioned"]) == ("acme", True)
    assert [tenant["id"] for tenant in await earshot.json("tenant", "list")] == ["acme"]
    key = await earshot.json("key", "create", "acme", "--scopes", "metrics:read,records:read", "--name", "wall")
    assert key["key"].startswith("esk_")
    assert key["scopes"] == ["metrics:read", "records:read"]
    status, said = await earshot("key", "list", "acme")
    assert status == 0
    assert key["id"] in said
    assert key["key"] not in said
    assert (await earshot("key", "revoke", "acme", key["id"]))[0] == 0
    [listed] = await earshot.json("key", "list", "acme")
    assert listed["revoked_at"]
    connection = await earshot.json("connection", "create", "acme", "--provider", "standard", "--name", "App")
    assert connection["secret"] == "whsec_x"
    assert others.told[-1] == ("POST /v1/connections", {"provider": "standard", "name": "App"})
    assert await earshot.json("connection", "list", "acme") == [{"id": "c1", "tenant": "acme"}]


async def test_the_command_shows_sets_and_resets_themes(earshot: Earshot, others: Others, tmp_path: Path) -> None:
    await earshot.json("tenant", "create", "acme", "--zone", "UTC")
    status, said = await earshot("taxonomy", "show", "acme")
    assert (status, said.split("\n")[1].split("  ")[0].split()) == (0, ["0"])
    assert "the themes that ship" in said
    file = tmp_path / "themes.json"
    file.write_text('{"themes": [{"id": "food", "name": "Food", "description": "What is eaten", "examples": ["Cold soup"]}]}')
    made = await earshot.json("taxonomy", "set", "acme", str(file))
    assert made == others.taxonomy == {"revision": 1, **json.loads(file.read_text())}
    file.write_text(json.dumps(await earshot.json("taxonomy", "show", "acme")))
    assert (await earshot.json("taxonomy", "set", "acme", str(file)))["revision"] == 2
    status, said = await earshot("taxonomy", "show", "acme")
    assert (status, said.splitlines()[1].split()) == (0, ["2", "food", "Food", "What", "is", "eaten", "1"])
    assert await earshot("taxonomy", "set", "acme", str(file)) == (1, "Conflict: another is in force\n")
    assert await earshot.json("taxonomy", "reset", "acme") == {"revision": 3, "themes": None}


async def test_what_is_shown_of_the_themes_that_ship_can_be_set_again(earshot: Earshot, others: Others, tmp_path: Path) -> None:
    await earshot.json("tenant", "create", "acme", "--zone", "UTC")
    file = tmp_path / "themes.json"
    file.write_text(json.dumps(await earshot.json("taxonomy", "show", "acme")))
    assert await earshot.json("taxonomy", "set", "acme", str(file)) == {"revision": 1, "themes": None}
    assert others.told[-1] == ("DELETE /v1/taxonomy", None)
    assert await earshot("taxonomy", "set", "acme", str(file)) == (1, "Conflict: another is in force\n")
    file.write_text("{}")
    await earshot("taxonomy", "set", "acme", str(file))
    assert others.told[-1] == ("PUT /v1/taxonomy", {})


async def test_the_command_lists_compares_and_promotes_models(earshot: Earshot) -> None:
    await earshot.json("tenant", "create", "acme", "--zone", "UTC")
    assert [model["name"] for model in await earshot.json("model", "list", "acme")] == ["linear-1"]
    assert await earshot.json("model", "report", "acme", "linear-1", "--window", "7d") == REPORT | {"window": "7d"}
    status, said = await earshot("model", "report", "acme", "linear-1")
    assert status == 0
    assert [line.split() for line in said.splitlines()][1] == ["linear-1", "vader-3.3.2", "12", "0", "11", "81.5", "2"]
    assert said.splitlines()[-1].split() == ["sentiment", "0.25", "0.75", "0.5"]
    assert (await earshot.json("model", "promote", "acme", "linear-1"))["promoted_at"]
    refused = await earshot("model", "promote", "acme", "e5-2")
    assert refused == (1, "Conflict: 3 of 12 comments have no score of e5-2 yet\n")
    assert await earshot("model", "promote", "acme", "x/../y") == (1, "Not found: no comment has a score of this model\n")


async def test_the_command_says_in_a_line_what_is_wrong(earshot: Earshot) -> None:
    status, said = await earshot("key", "create", "nobody", "--scopes", "admin")
    assert (status, said) == (1, "Not found: there is no tenant nobody\n")


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
