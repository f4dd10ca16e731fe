"""THIRD_PARTY.md names every package of the images with its locked version and its licence, and the data of every model."""

import re
from importlib.metadata import PackageNotFoundError, distribution

import pytest

from deploy.third_party import PAGE, licence_of, model_rows, services_by_package

ROW = re.compile(r"^\| ([a-z0-9._-]+) \| (\S+) \| ([^|]+) \| ([^|]+) \|$", re.MULTILINE)
WITHOUT_LICENCE = "see its metadata"


@pytest.fixture(scope="module")
def rows() -> dict[str, tuple[str, str]]:
    """Package → (version, licence) in the page."""
    return {name: (version, licence) for name, version, licence, _ in ROW.findall(PAGE.read_text()) if version[0].isdigit()}


def test_every_package_of_an_image_is_listed_with_its_version(rows: dict[str, tuple[str, str]]) -> None:
    listed = {name: version for name, (version, _) in rows.items()}
    assert listed == {package.name: package.version for package in services_by_package()}, "run: make docs"


def test_every_package_has_the_licence_of_its_metadata(rows: dict[str, tuple[str, str]]) -> None:
    for name, (_, licence) in rows.items():
        assert licence != WITHOUT_LICENCE, name
        try:
            installed = distribution(name)
        except PackageNotFoundError:  # newer versions of Python don't need it
            continue
        assert licence == licence_of(installed), f"{name}: run: make docs"


def test_the_data_of_every_model_is_listed() -> None:
    text = PAGE.read_text()
    assert [row for row in model_rows() if row not in text] == []
