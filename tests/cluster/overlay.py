"""The manifests of `overlays/dev` for a namespace of the tests, and what the tests add to them."""

import os
from collections.abc import Mapping
from pathlib import Path

import yaml

from deploy import k8s
from deploy.images import SERVICES, reference
from deploy.k8s.kubectl import render
from tests.cluster.kubectl import Manifest
from tests.cluster.standins import EARSHOT_USER, named, pod

OVERLAY = Path(k8s.__file__).parent / "overlays" / "dev"
OPERATOR_KINDS = ("Kafka", "KafkaNodePool", "KafkaTopic", "KafkaUser", "Cluster")
"""Kinds that only operators know."""
PART = {"app.kubernetes.io/part-of": "earshot"}
CLIENT = {"app": "test-client"}


def overlay(namespace: str, repository: str, tag: str, settings: Mapping[str, str], folder: Path) -> list[Manifest]:
    """The overlay's manifests for a namespace and images. `settings` are merged into its ConfigMap.

    The kustomization that says so is written to `folder`.
    """
    kustomization = {
        "apiVersion": "kustomize.config.k8s.io/v1beta1",
        "kind": "Kustomization",
        "namespace": namespace,
        "resources": [os.path.relpath(OVERLAY.resolve(), folder.resolve())],
        "configMapGenerator": [
            {
                "name": "earshot",
                "namespace": "earshot-dev",
                "behavior": "merge",
                "literals": [f"{k}={v}" for k, v in settings.items()],
            }
        ]
        if settings
        else [],
        "images": [
            {"name": f"earshot/{name}", "newName": reference(repository, name, tag).rpartition(":")[0], "newTag": tag}
            for name in SERVICES
        ],
    }
    (folder / "kustomization.yaml").write_text(yaml.safe_dump(kustomization))
    return [manifest for manifest in yaml.safe_load_all(render(folder)) if manifest]


def without_operators(manifests: list[Manifest]) -> list[Manifest]:
    """The manifests without those that only an operator understands."""
    return [manifest for manifest in manifests if manifest["kind"] not in OPERATOR_KINDS]


def client(image: str) -> list[Manifest]:
    """A pod from which the tests call the services as the Ingress controller does, and the policy that admits it."""
    container = {"name": "client", "image": image, "command": ["sleep", "86400"]}
    reached = {
        "matchLabels": {**PART, "app.kubernetes.io/component": "server"},
        "matchExpressions": [{"key": "app.kubernetes.io/name", "operator": "In", "values": ["gateway", "ingest"]}],
    }
    admitted = [{"from": [{"podSelector": {"matchLabels": CLIENT}}], "ports": [{"protocol": "TCP", "port": 8000}]}]
    policy = named(
        "networking.k8s.io/v1",
        "NetworkPolicy",
        "test-client",
        spec={"podSelector": reached, "policyTypes": ["Ingress"], "ingress": admitted},
    )
    return [policy, lone_pod("client", container, CLIENT)]


def lone_pod(name: str, container: Manifest, labels: Mapping[str, str]) -> Manifest:
    """A pod that is not started again."""
    manifest = named("v1", "Pod", name, spec={**pod(EARSHOT_USER, container, []), "restartPolicy": "Never"})
    manifest["metadata"]["labels"] = dict(labels)
    return manifest
