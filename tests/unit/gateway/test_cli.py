"""The `earshot` command names missing settings, and its version."""

import os

import pytest
from typer.testing import CliRunner

from services.gateway.cli import app
from shared.version import VERSION


def test_missing_settings_are_named_by_their_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("GATEWAY_") or name == "INTERNAL_TOKEN"]:
        monkeypatch.delenv(name)
    result = CliRunner().invoke(app, ["tenant", "list"])
    assert result.exit_code == 1
    assert "settings are missing or wrong: INTERNAL_TOKEN, GATEWAY_DATABASE_URL" in result.output


def test_the_version_needs_no_settings() -> None:
    result = CliRunner().invoke(app, ["--version"])
    assert (result.exit_code, result.output) == (0, f"earshot {VERSION}\n")
