"""The version is the same everywhere, and every place takes it from `shared.version` or is compared with it."""

import re
import tomllib
from pathlib import Path

from deploy.contracts import app_of
from shared.version import VERSION

ROOT = Path(__file__).parents[3]
IMAGE = re.compile(r"earshot/\w+:([\w.-]+)")
NEW_TAG = re.compile(r"newTag: ([\w.-]+)")


def test_the_package_and_the_document_have_the_version() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    assert project["tool"]["setuptools"]["dynamic"]["version"] == {"attr": "shared.version.VERSION"}
    assert app_of("gateway").openapi()["info"]["version"] == VERSION


def test_the_images_of_compose_and_of_kubernetes_have_the_version() -> None:
    paths = [ROOT / "compose.yaml", ROOT / "Dockerfile", *(ROOT / "deploy" / "k8s").rglob("*.yaml")]
    text = "\n".join(path.read_text() for path in paths)
    tags = IMAGE.findall(text) + NEW_TAG.findall(text)
    assert len(tags) > 10
    assert set(tags) == {VERSION}


def test_the_changelog_has_a_section_of_the_version() -> None:
    assert re.search(rf"^## {re.escape(VERSION)}\b", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)
