"""One service's image holds that service, `shared` and what its lock file names: enough to run, and nothing else."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.unit.deploy.image import DOCKERFILE, ROOT, SERVICES, build, copied, ignored, instructions

INSIDE = Path(__file__).with_name("inside_image.py")


def locked(service: str) -> list[str]:
    lines = (ROOT / "requirements" / f"{service}.txt").read_text().splitlines()
    return [line.split("==")[0] for line in lines if line[:1].isalnum()]


@pytest.mark.parametrize("service", SERVICES)
def test_the_service_imports_with_its_own_files_and_its_own_dependencies(service: str, tmp_path: Path) -> None:
    folder = build(service, tmp_path)
    done = subprocess.run(
        [sys.executable, "-P", "-B", INSIDE, service, *locked(service)],
        cwd=folder, env={}, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert f"services.{service}.app" in found["names"]
    assert all(Path(file).is_relative_to(folder) for file in found["files"])


@pytest.mark.parametrize("service", SERVICES)
def test_no_other_service_is_inside(service: str, tmp_path: Path) -> None:
    folder = build(service, tmp_path)
    assert {path.name for path in (folder / "services").iterdir()} == {"__init__.py", service}
    assert {path.name for path in folder.iterdir()} == {"services", "shared"}


@pytest.mark.parametrize("service", SERVICES)
def test_everything_copied_is_there_and_not_ignored(service: str) -> None:
    sources = [source.rstrip("/") for source, _ in copied(service)]
    assert f"services/{service}" in sources
    for source in sources:
        assert (ROOT / source).exists(), source
        assert not ignored(source), source


@pytest.mark.parametrize(
    "path",
    [".venv", ".venv/bin/python", ".local", ".local/secrets.json", "tests/conftest.py", ".git/config", "docs", "bench", "deploy",
     "services/__pycache__", "services/ingest/__pycache__/app.cpython-311.pyc", "shared/topics.pyc", ".env", "compose.yaml"],
)  # fmt: skip
def test_what_is_no_part_of_a_service_never_reaches_the_build(path: str) -> None:
    assert ignored(path)


def test_the_image_runs_as_a_numbered_user_and_passes_signals_on() -> None:
    steps = instructions()
    last_stage = steps[max(i for i, (name, _) in enumerate(steps) if name == "FROM") :]
    (user,) = (arguments for name, arguments in last_stage if name == "USER")
    assert all(int(part) >= 10000 for part in user.split(":"))
    (command,) = (json.loads(arguments) for name, arguments in last_stage if name == "CMD")
    assert command == ["sh", "-c", "exec python -m services.$SERVICE"]
    assert not [name for name, _ in last_stage if name == "RUN"], "what runs in the last stage writes into the image"


def test_dependencies_are_installed_by_hash_and_from_wheels() -> None:
    (install,) = (arguments for name, arguments in instructions() if name == "RUN" and " install " in arguments)
    assert {"--require-hashes", "--only-binary", ":all:", "--no-deps"} <= set(install.split())


def test_the_python_of_the_image_is_that_of_the_lock_files() -> None:
    assert "ARG PYTHON_IMAGE=python:3.11-" in DOCKERFILE.read_text()
    assert "--python-version 3.11" in (ROOT / "deploy" / "lock.sh").read_text()
