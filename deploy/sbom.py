"""`python -m deploy.sbom FOLDER` (`make sbom`): write a software bill of materials of each image, as CycloneDX 1.6 in JSON.

It holds the Python packages of the image's lock file, with version, licence and the hashes of their files, and the shipped models
of sentiment. The packages of the base image are in the SBOM of that image.
"""

import re
import sys
from collections.abc import Iterator
from hashlib import sha256
from importlib.metadata import distribution
from pathlib import Path
from uuid import NAMESPACE_URL, uuid5

from cyclonedx.contrib.license.factories import LicenseFactory
from cyclonedx.model import ExternalReference, ExternalReferenceType, HashAlgorithm, HashType, XsUri
from cyclonedx.model.bom import Bom
from cyclonedx.model.component import Component, ComponentType
from cyclonedx.output.json import JsonV1Dot6
from packageurl import PackageURL

from deploy.third_party import MODELS, ROOT, SERVICES, Pinned, licence_of, pinned
from shared.version import VERSION

HASHES = re.compile(r"--hash=sha256:([0-9a-f]{64})")


def bill(service: str) -> Bom:
    """The bill of materials of a service's image. Equal inputs give equal bills, up to the time in it.

    Raises PackageNotFoundError if a package is not installed.
    """
    image = Component(
        name=f"earshot/{service}", version=VERSION, type=ComponentType.CONTAINER, bom_ref=f"earshot/{service}@{VERSION}"
    )
    parts = [*packages(service), *(models() if service == "sentiment" else ())]
    bom = Bom(components=parts, serial_number=uuid5(NAMESPACE_URL, f"earshot/{service}@{VERSION}"))
    bom.metadata.component = image
    bom.register_dependency(image, parts)
    return bom


def packages(service: str) -> Iterator[Component]:
    """The Python packages of a service's image."""
    hashes = hashes_of(service)
    licences = LicenseFactory()
    for package in pinned(service):
        url = PackageURL("pypi", name=package.name, version=package.version)
        files = ExternalReference(
            type=ExternalReferenceType.DISTRIBUTION,
            url=XsUri(str(url)),
            comment="the hashes that the lock file accepts, one for each file",
            hashes=[HashType(alg=HashAlgorithm.SHA_256, content=value) for value in hashes[package]],
        )
        yield Component(
            name=package.name,
            version=package.version,
            type=ComponentType.LIBRARY,
            purl=url,
            bom_ref=str(url),
            licenses=[licences.make_from_string(licence_of(distribution(package.name)))],
            external_references=[files],
        )


def hashes_of(service: str) -> dict[Pinned, list[str]]:
    """The hashes of each package in a service's lock file."""
    text = (ROOT / "requirements" / f"{service}.txt").read_text()
    blocks = re.split(r"^(?=\S+==)", text, flags=re.MULTILINE)
    rows = (re.match(r"([a-z0-9][a-z0-9._-]*)==([^\s;]+)", block) for block in blocks)
    return {Pinned(row[1], row[2]): HASHES.findall(block) for row, block in zip(rows, blocks, strict=True) if row}


def models() -> Iterator[Component]:
    """The models in the image of sentiment; their data and its terms are in THIRD_PARTY.md."""
    for weights in sorted(path for path in MODELS.iterdir() if path.suffix in (".onnx", ".npz")):
        digest = sha256(weights.read_bytes()).hexdigest()
        yield Component(
            name=weights.stem,
            type=ComponentType.MACHINE_LEARNING_MODEL,
            bom_ref=f"earshot/sentiment/models/{weights.name}",
            hashes=[HashType(alg=HashAlgorithm.SHA_256, content=digest)],
        )


def write(folder: Path) -> None:
    """Write `<service>.cdx.json` of each service to a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for service in SERVICES:
        JsonV1Dot6(bill(service)).output_to_file(str(folder / f"{service}.cdx.json"), allow_overwrite=True, indent=2)


if __name__ == "__main__":
    write(Path(sys.argv[1]))
