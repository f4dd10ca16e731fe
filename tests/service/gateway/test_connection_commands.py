"""`earshot connection`, `earshot quarantine show` and `earshot replay`."""

from pathlib import Path

import pytest

from tests.service.gateway.earshot_command import Earshot
from tests.service.gateway.fake_services import FakeServices


@pytest.fixture(autouse=True)
async def tenant(earshot: Earshot) -> None:
    await earshot.json("tenant", "create", "acme", "--zone", "UTC")


async def test_a_connection_is_shown_paused_resumed_and_deleted(earshot: Earshot, services: FakeServices) -> None:
    status, output = await earshot("connection", "show", "acme", "c1")
    assert (status, '"backfill"' in output) == (0, True)
    assert services.requests[-1] == ("GET /v1/connections/c1", None)
    assert (await earshot.json("connection", "pause", "acme", "c1"))["state"] == "paused"
    assert services.requests[-1] == ("PATCH /v1/connections/c1", {"paused": True})
    assert (await earshot.json("connection", "resume", "acme", "c1"))["state"] == "active"
    assert services.requests[-1] == ("PATCH /v1/connections/c1", {"paused": False})
    count = len(services.requests)
    assert (await earshot("connection", "delete", "acme", "c1"))[0] == 1, "it asks, and there is no answer"
    assert len(services.requests) == count
    assert await earshot("connection", "delete", "acme", "c1", "--yes") == (0, "deleted c1\n")
    assert services.requests[-1] == ("DELETE /v1/connections/c1", None)
    assert (await earshot("connection", "pause", "nobody", "c1"))[0] == 1


async def test_a_secret_is_created_or_read_from_a_file_and_then_never_printed(
    earshot: Earshot, services: FakeServices, tmp_path: Path
) -> None:
    status, output = await earshot("connection", "rotate", "acme", "c1")
    assert (status, "whsec_new" in output) == (0, True)
    assert services.requests[-1] == ("PATCH /v1/connections/c1", {"secret": None})
    file = tmp_path / "secret"
    file.write_text("whsec_of_the_tool\n")
    for options in ((), ("--json",)):
        status, output = await earshot("connection", "rotate", "acme", "c1", str(file), "--retire", *options)
        assert (status, "whsec" in output) == (0, False)
        assert services.requests[-1] == ("PATCH /v1/connections/c1", {"retire_secret": True, "secret": "whsec_of_the_tool"})
    for option, field in (("--retire", "retire_secret"), ("--cancel", "cancel_rotation")):
        assert (await earshot("connection", "rotate", "acme", "c1", option))[0] == 0
        assert services.requests[-1] == ("PATCH /v1/connections/c1", {field: True})
    assert (await earshot("connection", "rotate", "acme", "c1", "--retire", "--cancel"))[0] == 2
    file.write_bytes(b"\xff\xfe")
    status, output = await earshot("connection", "rotate", "acme", "c1", str(file))
    assert (status, "the secret must be text" in output) == (2, True)


async def test_a_quarantined_delivery_is_shown_with_its_body(earshot: Earshot, services: FakeServices) -> None:
    status, output = await earshot("quarantine", "show", "acme", "7")
    assert (status, output.splitlines()[-1]) == (0, '{"words": "of a customer"}')
    assert "x-hook-id=6f3a" in output
    assert services.requests[-1] == ("GET /v1/quarantine/7", None)
    assert (await earshot.json("quarantine", "show", "acme", "7"))["body"] == '{"words": "of a customer"}'


async def test_a_replay_has_filters_or_says_that_it_is_of_everything(earshot: Earshot, services: FakeServices) -> None:
    filters = ("--connection", "c1", "--since", "2026-11-20T00:00:00Z")
    assert (await earshot.json("replay", "acme", *filters))["id"] == "r1"
    assert services.requests[-1] == ("POST /v1/replay", {"connection": "c1", "since": "2026-11-20T00:00:00Z"})
    assert (await earshot.json("replay", "acme", "--all", "--reread"))["job"] == "3"
    assert services.requests[-1] == ("POST /v1/replay", {"reread": True})
    status, output = await earshot("replay", "acme", "--status", "r1")
    assert (status, output.splitlines()[1].split()) == (0, ["r1", "running", "640", "0.5"])
    assert services.requests[-1] == ("GET /v1/replay/r1", None)
    for wrong in ((), ("--all", "--subject", "s"), ("--status", "r1", "--reread")):
        assert (await earshot("replay", "acme", *wrong))[0] == 2
