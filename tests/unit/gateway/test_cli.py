"""The `earshot` command names missing settings, and its version."""

import os
from pathlib import Path

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


def test_an_import_needs_a_format_and_a_csv_file_a_mapping(tmp_path: Path) -> None:
    for name, reason in (("history.txt", "state --format"), ("history.csv", "needs --mapping")):
        file = tmp_path / name
        file.write_text("x")
        result = CliRunner().invoke(app, ["import", "acme", str(file)])
        assert result.exit_code == 2
        assert reason in " ".join(result.output.split())
