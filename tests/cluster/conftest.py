"""Earshot in a namespace of its own of a real cluster, deleted at the end, also after a failure."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from secrets import token_hex
from typing import Any

import pytest

from deploy.images import SERVICES, reference
from shared.version import VERSION
from tests.cluster.kubectl import KubectlFailed, Manifest, Namespace, kubectl
from tests.cluster.overlay import client, lone_pod, overlay, without_operators
from tests.cluster.standins import manifests as standins

ROOT = Path(__file__).parents[2]
OPERATORS = ("clusters.postgresql.cnpg.io", "kafkas.kafka.strimzi.io")
NOT_SERVERS = "app.kubernetes.io/component!=server"
MIGRATIONS = "app.kubernetes.io/component=migration"
FIGURES: list[tuple[str, str]] = []
"""Measured figures and their titles, printed at the end."""


def note(title: str, figure: object) -> None:
    """Print a measured figure at the end of the run."""
    FIGURES.append((title, str(figure)))


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Print the figures."""
    if FIGURES:
        terminalreporter.section("measured")
        for title, figure in FIGURES:
            terminalreporter.line(f"{title}: {figure}")


@dataclass
class Cluster:
    """The running installation. `outside` is another namespace, from which its pods must not be reached."""

    inside: Namespace
    outside: Namespace
    repository: str
    tag: str
    folder: Path
    has_operators: bool
    key: str = ""

    def image(self, service: str) -> str:
        """The image of a service."""
        return reference(self.repository, service, self.tag)

    def manifests(self, **settings: str) -> list[Manifest]:
        """The overlay, with these settings merged into its ConfigMap."""
        manifests = overlay(self.inside.name, self.repository, self.tag, settings, self.folder)
        return manifests if self.has_operators else without_operators(manifests)

    def call(self, method: str, path: str, body: str = "") -> dict[str, Any]:
        """One request to the gateway by the tenant's key: its status and body."""
        result: dict[str, Any] = self.inside.script("client", "call", method, f"http://gateway:8000{path}", self.key, body)
        return result

    def earshot(self, *arguments: str) -> str:
        """The output of the command `earshot`, run in a pod of the gateway."""
        return self.inside.run("exec", "deploy/gateway", "--", "python", "-m", "services.gateway.cli", *arguments)

    def answers(self, kpi: str = "nps") -> int:
        """How many answers a KPI counts."""
        body = self.call("GET", f"/v1/kpis/{kpi}?window=24h")["body"]
        return int(sum(row["n"] for row in body["rows"]))


def find_operators() -> bool:
    """Whether both operators' resources are known to the cluster. Ends the run if only one's are, or if there is no cluster."""
    try:
        known = [name for name in OPERATORS if kubectl("get", "crd", name, "--ignore-not-found", "--output", "name")]
    except KubectlFailed as error:
        pytest.exit(f"no cluster is reached; set KUBECONFIG, or KUBECTL to a command: {error}", returncode=2)
    if len(known) == 1:
        missing = next(name for name in OPERATORS if name not in known)
        pytest.exit(f"the cluster has {known[0]} but not {missing}: install both operators or none", returncode=2)
    return len(known) == len(OPERATORS)


@pytest.fixture(scope="session")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """The installation, made in the order of docs/deployment.md, with a tenant and its key."""
    repository, tag = os.environ.get("IMAGES") or "earshot", os.environ.get("TAG") or VERSION
    name = f"earshot-test-{token_hex(3)}"
    inside, outside = Namespace(name), Namespace(f"{name}-other")
    cluster = Cluster(inside, outside, repository, tag, tmp_path_factory.mktemp("overlay"), find_operators())
    try:
        install(cluster)
        yield cluster
    finally:
        started = time.monotonic()
        if os.environ.get("KEEP") != "1":
            for namespace in (inside, outside):
                kubectl("delete", "namespace", namespace.name, "--ignore-not-found", "--timeout=180s", seconds=200)
            note("namespaces deleted", f"{time.monotonic() - started:.0f} s")


def install(cluster: Cluster) -> None:
    """Apply everything and wait until it runs. Raises KubectlFailed with the state of the pods."""
    inside, manifests = cluster.inside, cluster.manifests()
    started = time.monotonic()
    kubectl("create", "namespace", cluster.outside.name)
    inside.apply([manifest for manifest in manifests if manifest["kind"] == "Namespace"])
    secrets = subprocess.run(
        [sys.executable, "-m", "deploy.new_secrets", "--kubernetes"], cwd=ROOT, capture_output=True, check=True
    )
    inside.run("create", "--filename", "-", stdin=secrets.stdout.decode())
    if not cluster.has_operators:
        inside.create(standins(inside.name, cluster.image("sentiment")))
    inside.apply(manifests, NOT_SERVERS)
    if cluster.has_operators:
        inside.wait("condition=Ready", "cluster.postgresql.cnpg.io", "--all", seconds=900)
        inside.wait("condition=Ready", "kafka/earshot", seconds=900)
    inside.wait("condition=Complete", "job", "--selector", MIGRATIONS)
    note("migrations complete, from the apply", f"{time.monotonic() - started:.0f} s")
    if not cluster.has_operators:
        inside.wait("condition=Complete", "job/topics")
    servers = time.monotonic()
    inside.apply(manifests)
    inside.create(client(cluster.image("gateway")))
    inside.rolled_out(*SERVICES)
    inside.wait("condition=Ready", "pod/client")
    note("all servers available, from the apply", f"{time.monotonic() - servers:.0f} s")
    stranger = lone_pod("stranger", {"name": "stranger", "image": cluster.image("gateway"), "command": ["sleep", "86400"]}, {})
    cluster.outside.create([stranger])
    cluster.outside.wait("condition=Ready", "pod/stranger")
    cluster.earshot("tenant", "create", "acme", "--zone", "Europe/Berlin")
    created = cluster.earshot("key", "create", "acme", "--scopes", "metrics:read records:read admin", "--json")
    cluster.key = json.loads(created)["key"]
    note("installed, with a tenant", f"{time.monotonic() - started:.0f} s")
