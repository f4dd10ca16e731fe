"""`make images`: the images of all services are built, by the first builder that works."""

import sys
from pathlib import Path

import pytest

from deploy.images import BUILDERS, SERVICES, main
from shared.version import VERSION


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that is the only one on the path."""
    monkeypatch.setenv("PATH", str(tmp_path))
    return tmp_path


def install(folder: Path, name: str, *, fails_at: str = "") -> Path:
    """A program that writes its arguments to a file. Returns the file."""
    log = folder / f"{name}.log"
    program = folder / name
    program.write_text(
        f"#!{sys.executable}\nimport sys\nopen({str(log)!r}, 'a').write(' '.join(sys.argv[1:]) + '\\n')\n"
        f"sys.exit({fails_at!r} in sys.argv[1:])\n"
    )
    program.chmod(0o755)
    return log


@pytest.mark.parametrize("builder", BUILDERS)
def test_each_service_is_built_and_then_all_are_pushed(programs: Path, builder: str) -> None:
    log = install(programs, builder)
    assert main(["--repository", "registry.example.com/earshot", "--push", "1", "--options", "--network host"]) == 0
    _, *commands = log.read_text().splitlines()
    images = [f"registry.example.com/earshot/{service}:{VERSION}" for service in SERVICES]
    assert commands[: len(SERVICES)] == [
        f"{' '.join(BUILDERS[builder])} --build-arg SERVICE={service} --tag {image} --network host ."
        for service, image in zip(SERVICES, images, strict=True)
    ]
    assert commands[len(SERVICES) :] == [f"push {image}" for image in images]


def test_a_docker_without_its_daemon_is_passed_over(programs: Path) -> None:
    docker = install(programs, "docker", fails_at="info")
    podman = install(programs, "podman")
    assert main([]) == 0
    assert docker.read_text().splitlines() == ["info"]
    assert f"--tag earshot/ingest:{VERSION}" in podman.read_text()


def test_without_a_builder_the_error_names_those_that_would_do(programs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 1
    assert "docker, podman, buildah" in capsys.readouterr().err


def test_a_failed_build_ends_with_its_command(programs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    install(programs, "buildah", fails_at="build")
    assert main(["--builder", "buildah"]) == 1
    assert "failed: buildah build --layers --build-arg SERVICE=ingest" in capsys.readouterr().err
