"""The rendered manifests, as the tests look at them."""

import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from deploy import k8s
from deploy.k8s.kubectl import render
from shared.version import VERSION

HOME = Path(k8s.__file__).parent
BASE, DEV, PRODUCTION = "base", "overlays/dev", "overlays/production"
OVERLAYS = (DEV, PRODUCTION)
ALL = (BASE, *OVERLAYS)
SERVICES = ("ingest", "sentiment", "metrics", "gateway")
WITH_DATABASE = ("ingest", "metrics", "gateway")
JOB_VERSION = f"-{VERSION.replace('.', '-')}"
"""The end of a Job's name: the version that it runs."""

Manifest = dict[str, Any]


@dataclass(frozen=True)
class Manifests:
    """The rendered manifests of one kustomization."""

    manifests: tuple[Manifest, ...]

    def __iter__(self) -> Iterator[Manifest]:
        return iter(self.manifests)

    def of(self, *kinds: str) -> list[Manifest]:
        return [m for m in self.manifests if m["kind"] in kinds]

    def one(self, kind: str, name: str) -> Manifest:
        """The one of that kind and name; a generated name goes without its hash."""
        (only,) = (m for m in self.of(kind) if m["metadata"]["name"] in (name, _hashed(m, name)))
        return only

    def pods(self) -> Iterator[tuple[str, Manifest]]:
        """Every pod template, with the name of its workload, without the version."""
        for workload in self.of("Deployment", "Job"):
            yield workload["metadata"]["name"].removesuffix(JOB_VERSION), workload["spec"]["template"]

    def containers(self) -> Iterator[tuple[str, Manifest]]:
        for name, pod in self.pods():
            spec = pod["spec"]
            for container in spec.get("initContainers", []) + spec["containers"]:
                yield f"{name}/{container['name']}", container


@cache
def rendered(kustomization: str) -> Manifests:
    return parsed(render(HOME / kustomization))


def parsed(text: str) -> Manifests:
    """The manifests of a YAML stream."""
    return Manifests(tuple(m for m in yaml.load_all(text, yaml.CSafeLoader) if m))


def _hashed(manifest: Manifest, name: str) -> str | None:
    own = str(manifest["metadata"]["name"])
    return own if own.rpartition("-")[0] == name and manifest["kind"] == "ConfigMap" else None


@cache
def with_components(overlay: str, *components: str) -> Manifests:
    """The rendered manifests of an overlay to which components are added, after its own."""
    present = yaml.safe_load((HOME / overlay / "kustomization.yaml").read_text())["components"]
    if {f"../../components/{name}" for name in components} <= set(present):
        return rendered(overlay)
    with tempfile.TemporaryDirectory() as folder:
        sources = Path(shutil.copytree(HOME, Path(folder) / "k8s"))
        file = sources / overlay / "kustomization.yaml"
        kustomization = yaml.safe_load(file.read_text())
        added = [f"../../components/{name}" for name in components]
        kustomization["components"] += [path for path in added if path not in kustomization["components"]]
        file.write_text(yaml.safe_dump(kustomization, sort_keys=False))
        return parsed(render(sources / overlay))
