"""The software bills of materials: valid CycloneDX, with every package of the image and its hashes."""

import json
from pathlib import Path
from typing import Any

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

from deploy.sbom import write
from deploy.third_party import SERVICES, pinned
from shared.version import VERSION


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sbom")
    write(folder)
    return folder


def bill(folder: Path, service: str) -> Any:
    return json.loads((folder / f"{service}.cdx.json").read_text())


@pytest.mark.parametrize("service", SERVICES)
def test_a_bill_is_valid(folder: Path, service: str) -> None:
    text = (folder / f"{service}.cdx.json").read_text()
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(text) is None
    image = bill(folder, service)["metadata"]["component"]
    assert (image["name"], image["version"], image["type"]) == (f"earshot/{service}", VERSION, "container")


@pytest.mark.parametrize("service", SERVICES)
def test_a_bill_has_every_package_of_the_image_with_licence_and_hashes(folder: Path, service: str) -> None:
    libraries = [one for one in bill(folder, service)["components"] if one["type"] == "library"]
    assert {(one["name"], one["version"]) for one in libraries} == set(pinned(service))
    for one in libraries:
        assert one["purl"] == f"pkg:pypi/{one['name']}@{one['version']}"
        assert one["licenses"]
        assert one["externalReferences"][0]["hashes"]


def test_a_bill_has_the_shipped_models(folder: Path) -> None:
    parts = {
        service: [one["name"] for one in bill(folder, service)["components"] if "model" in one["type"]] for service in SERVICES
    }
    assert parts == {
        "ingest": [],
        "sentiment": ["e5-2", "e5-4", "e5-5", "e5-6", "e5-7", "linear-2"],
        "metrics": [],
        "gateway": [],
    }
