"""The set-up of the virtual environment prints its steps, and the end of the log if one fails."""

import sys
from pathlib import Path

import pytest

from deploy import venv


def test_a_step_prints_its_time_and_size_and_nothing_of_the_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(venv, "VENV", tmp_path)
    log = tmp_path / "setup.log"
    with venv.step("install 200 packages"):
        program = "print('package==1\\n' * 200); open('large', 'wb').write(bytes(3_000_000))"
        venv.run([sys.executable, "-c", program], log, tmp_path)
    output = capsys.readouterr().out.splitlines()
    assert output[0] == "  … install 200 packages"
    assert output[1].endswith("s, .venv has 3 MB")
    assert len(output) == 2
    assert log.read_text().count("package==1") == 200


def test_an_environment_is_kept_if_the_version_of_python_is_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    python = tmp_path / "python"
    python.write_text(f"#!/bin/sh\necho '{sys.version}'\n")
    python.chmod(0o755)
    monkeypatch.setattr(venv, "PYTHON", python)
    assert venv.is_made_by(sys.version)
    assert not venv.is_made_by("3.9.1")
    monkeypatch.setattr(venv, "PYTHON", tmp_path / "absent")
    assert not venv.is_made_by(sys.version)


def test_a_long_step_says_that_it_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(venv, "VENV", tmp_path)
    monkeypatch.setattr(venv, "STILL_SECONDS", 0.05)
    venv.run([sys.executable, "-c", "import time; time.sleep(0.3)"], tmp_path / "setup.log", tmp_path)
    assert len(capsys.readouterr().out.splitlines()) >= 2


def test_a_failed_command_raises_with_the_end_of_its_output(tmp_path: Path) -> None:
    log = tmp_path / "setup.log"
    command = [sys.executable, "-c", "print('\\n'.join(map(str, range(100)))); raise SystemExit(2)"]
    with pytest.raises(venv.Failed, match=r"99\n.*failed; the whole output is in .*setup.log") as failure:
        venv.run(command, log, tmp_path)
    assert "\n50\n" not in str(failure.value)
