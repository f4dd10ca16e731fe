"""One service's image holds that service, `shared` and what its lock file names: enough to run, and nothing else."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from services.sentiment.network import E5, tokenizer_of
from services.sentiment.taxonomy_cache import DEFAULT
from services.sentiment.weights import LINEAR
from tests.unit.deploy.image import DEMO, DOCKERFILE, ROOT, SERVICE, SERVICES, Step, build, copied, ignored, steps

INSIDE = Path(__file__).with_name("inside_image.py")


def locked(service: str) -> list[str]:
    lines = (ROOT / "requirements" / f"{service}.txt").read_text().splitlines()
    return [line.split("==")[0] for line in lines if line[:1].isalnum()]


def imported(folder: Path, service: str, package: str) -> dict[str, list[str]]:
    """Names and files of the modules that `package` imports, with `service`'s image laid out in `folder`."""
    done = subprocess.run(
        [sys.executable, "-P", "-B", INSIDE, package, *locked(service)],
        cwd=folder, env={}, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return dict(json.loads(done.stdout))


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_imports_with_only_its_own_files_and_dependencies(service: str, tmp_path: Path) -> None:
    folder = build(service, tmp_path, *SERVICE, bytecode=True)
    modules = imported(folder, service, f"services.{service}")
    assert f"services.{service}.app" in modules["names"]
    assert all(Path(file).is_relative_to(folder) for file in modules["files"])


@pytest.mark.parametrize("service", SERVICES)
def test_an_image_contains_no_other_service(service: str, tmp_path: Path) -> None:
    folder = build(service, tmp_path, *SERVICE)
    assert {path.name for path in (folder / "services").iterdir()} == {"__init__.py", service}
    assert {path.name for path in folder.iterdir()} == {"services", "shared"}


@pytest.mark.parametrize("service", SERVICES)
def test_every_copied_path_exists_and_is_not_ignored(service: str) -> None:
    sources = [source.rstrip("/") for source, _ in copied(service, *DEMO)]
    assert f"services/{service}" in sources
    for source in sources:
        assert (ROOT / source).exists(), source
        assert not ignored(source), source


def test_the_image_contains_every_model_and_no_training_data(tmp_path: Path) -> None:
    inside = build("sentiment", tmp_path, *SERVICE) / "services" / "sentiment"
    models = {path.name for path in (ROOT / "services" / "sentiment" / "models").iterdir()}
    assert (
        {E5.name, tokenizer_of(E5).name, LINEAR.name, DEFAULT.name}
        <= models
        == {path.name for path in (inside / "models").iterdir()}
    )
    assert not (inside / "training").exists()


@pytest.mark.parametrize(
    "path",
    [".venv", ".venv/bin/python", ".local", ".local/secrets.json", "tests/conftest.py", ".git/config", "docs", "deploy/k8s/base",
     "services/__pycache__", "services/ingest/__pycache__/app.cpython-311.pyc", "shared/topics.pyc", ".env", "compose.yaml"],
)  # fmt: skip
def test_the_build_context_contains_only_files_of_services(path: str) -> None:
    assert ignored(path)


def test_the_image_runs_as_a_numeric_user_and_forwards_signals() -> None:
    users = [step.arguments for step in steps("service") if step.word == "USER"]
    assert users
    assert all(int(part) >= 10000 for part in users[-1].split(":"))
    (command,) = (json.loads(step.arguments) for step in steps("service") if step.word == "CMD")
    assert command == ["sh", "-c", "exec python -m services.$SERVICE"]
    assert not [step for step in steps("service") if step.word == "RUN"], "it would leave caches in the image"


def test_the_default_target_is_a_service() -> None:
    assert [step for step in steps() if step.section == ""][-1] == Step("", "FROM", "service")


def test_dependencies_are_installed_by_hash_from_wheels() -> None:
    (install,) = (
        step.arguments for step in steps() if step.word == "RUN" and " install " in step.arguments and "pip" in step.arguments
    )
    assert {"--require-hashes", "--only-binary", ":all:", "--no-deps"} <= set(install.split())


def test_the_image_has_the_python_of_the_lock_files() -> None:
    assert "ARG PYTHON_IMAGE=python:3.11-" in DOCKERFILE.read_text()
    assert "--python-version 3.11" in (ROOT / "deploy" / "lock.sh").read_text()


def test_the_demo_needs_only_the_gateways_dependencies(tmp_path: Path) -> None:
    folder = build("gateway", tmp_path, *DEMO)
    modules = imported(folder, "gateway", "deploy.docker.demo")
    assert all(Path(file).is_relative_to(folder) for file in modules["files"])
    assert [step.arguments for step in steps("demo") if step.word == "USER"][-1] == "10001:10001"
