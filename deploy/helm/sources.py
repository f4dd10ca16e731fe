"""The objects of the chart, from the Kustomize sources: those of `overlays/production`, and those that components add to it."""

import re
import shutil
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import yaml

from deploy import k8s
from deploy.k8s.kubectl import render

HOME = Path(k8s.__file__).parent
OVERLAY = "overlays/production"
ADDED = ("gateway-api", "cert-manager", "external-secrets", "monitoring", "backup", "opentelemetry")
"""Components whose objects have a template of their own. The chart has a switch for each. `deploy.helm.substitutions` writes the
changes of a component to other objects: the plugins of databases (backup) and settings (opentelemetry)."""
KAFKA_TLS = ("kafka-tls", "keda-kafka-tls")
"""Components that change other objects. The chart has one switch for both."""
HASHED = re.compile(r"(.+)-[2456789bcdfghkmt]{10}")
"""A generated name and the hash of its content, in the alphabet of Kustomize."""
SERVICES = ("ingest", "sentiment", "metrics", "gateway")

Manifest = dict[str, Any]


def objects(components: Iterable[str] = ()) -> list[Manifest]:
    """The objects of production with components, without the namespace and the hashes in names of ConfigMaps."""
    with tempfile.TemporaryDirectory() as folder:
        sources = Path(shutil.copytree(HOME, Path(folder) / "k8s"))
        file = sources / OVERLAY / "kustomization.yaml"
        kustomization = yaml.safe_load(file.read_text())
        kustomization["components"] += [f"../../components/{name}" for name in components]
        file.write_text(yaml.safe_dump(kustomization, sort_keys=False))
        return plain(yaml.load_all(render(sources / OVERLAY), yaml.CSafeLoader))


def plain(manifests: Iterable[Manifest]) -> list[Manifest]:
    """Objects as the chart has them: Helm sets the namespace, and the names of ConfigMaps don't change with their content."""
    own = [manifest for manifest in manifests if manifest["kind"] != "Namespace"]
    names = {m["metadata"]["name"] for m in own if m["kind"] == "ConfigMap" and HASHED.fullmatch(m["metadata"]["name"])}
    for manifest in own:
        manifest["metadata"].pop("namespace", None)
    return [without_hashes(manifest, names) for manifest in own]


def without_hashes(value: Any, names: set[str]) -> Any:
    """A value in which the hashed names of ConfigMaps have no hash."""
    if isinstance(value, dict):
        return {key: without_hashes(item, names) for key, item in value.items()}
    if isinstance(value, list):
        return [without_hashes(item, names) for item in value]
    if isinstance(value, str) and value in names and (match := HASHED.fullmatch(value)):
        return match[1]
    return value


def key_of(manifest: Manifest) -> tuple[str, str]:
    """The kind and name of an object."""
    return manifest["kind"], manifest["metadata"]["name"]


def added_by(component: str, without: list[Manifest]) -> list[Manifest]:
    """The objects that a component adds to `without`."""
    present = {key_of(manifest) for manifest in without}
    return [manifest for manifest in objects([component]) if key_of(manifest) not in present]


def file_of(manifest: Manifest) -> str:
    """The template that holds an object of production."""
    kind, name = manifest["kind"], manifest["metadata"]["name"]
    groups = {"ScaledObject": "keda", "TriggerAuthentication": "keda"}
    groups |= {"HorizontalPodAutoscaler": "autoscaling", "Ingress": "ingress", "Cluster": "databases"}
    if kind in groups:
        return groups[kind]
    if manifest["apiVersion"].startswith("kafka.strimzi.io/"):
        return "kafka"
    if kind == "NetworkPolicy" and name.endswith("-database-access"):
        return "databases"
    named = {"external-access": "ingress", "keda-kafka": "keda"}
    named |= {"monitoring": "prometheus-access", "database-monitoring": "prometheus-access"}
    service = name.split("-")[0]
    return named.get(name) or (service if service in SERVICES else "shared")
