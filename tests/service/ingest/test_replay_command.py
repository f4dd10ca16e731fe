"""`python -m services.ingest.replay`."""

import asyncio
import sys
from datetime import UTC, datetime, timedelta

import pytest

from services.ingest import replay
from tests.conftest import NewDatabase
from tests.contract.inbox import until
from tests.service.ingest.client import SECRET_KEY, TOKEN, running_ingest
from tests.service.ingest.test_hooks import wrapped


async def run(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> None:
    """Run the command, which has an event loop of its own, without its configuration of the log."""
    monkeypatch.setattr(replay, "read_settings", lambda service, settings: settings())
    monkeypatch.setattr(sys, "argv", ["replay", *arguments])
    await asyncio.to_thread(replay.main)


async def test_events_of_a_tenant_since_a_time_are_published_again(
    database: NewDatabase, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    url = await database("ingest")
    secrets = {"INGEST_DATABASE_URL": url, "INGEST_SECRET_KEY": SECRET_KEY, "INTERNAL_TOKEN": TOKEN}
    for name, value in secrets.items():
        monkeypatch.setenv(name, value)
    async with running_ingest(url) as ingest:
        await ingest.call("PUT", "/internal/tenants/acme", json={"name": "Acme", "zone": "Europe/Berlin"})
        connection = await ingest.connect()
        for number in range(3):
            assert (await ingest.deliver(connection, wrapped(id=f"r-{number}"))).status_code == 202

        async def is_published(messages: int) -> bool:
            return len(ingest.broker.sent) == messages

        await until(lambda: is_published(3))
        hour_ago = datetime.now(UTC) - timedelta(hours=1)
        await run(monkeypatch, "--since", hour_ago.isoformat(), "--tenant", "acme")
        assert capsys.readouterr().out.startswith("deliveries queued: 3. ")
        await until(lambda: is_published(6))
        await run(monkeypatch, "--since", (hour_ago + timedelta(hours=2)).isoformat())
        await run(monkeypatch, "--all", "--tenant", "other")
        assert capsys.readouterr().out.count("deliveries queued: 0. ") == 2
        await run(monkeypatch, "--all")
        await until(lambda: is_published(9))
        for _ in range(2):
            await run(monkeypatch, "--all", "--tenant", "other", "--id", "restore-1")
        assert "replay restore-1 was done at 2" in capsys.readouterr().err
        with pytest.raises(SystemExit):
            await run(monkeypatch, "--since", hour_ago.isoformat(), "--tenant", "other", "--id", "restore-1")
        assert capsys.readouterr().err == "another replay has this id\n"
    assert [event.subject for event in ingest.broker.events][:3] == [event.subject for event in ingest.broker.events][6:]


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        ([], "one of the arguments --since --all is required"),
        (["--since", "2026-11-29T02:00:00"], "argument --since: invalid"),
        (["--all", "--tenant", ""], "argument --tenant: invalid"),
        (["--all", "--since", "2026-11-29T02:00:00Z"], "not allowed with argument"),
    ],
)
async def test_an_extent_without_doubt_is_needed(
    arguments: list[str], error: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        await run(monkeypatch, *arguments)
    assert error in capsys.readouterr().err
