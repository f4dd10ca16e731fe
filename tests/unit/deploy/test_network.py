"""The network policies, evaluated as a cluster does: may this pod open a connection to that one?"""

from dataclasses import dataclass, field
from ipaddress import ip_address, ip_network
from itertools import permutations

import pytest

from tests.unit.deploy.manifests import DEV, OVERLAYS, PRODUCTION, SERVICES, WITH_DATABASE, Manifest, rendered

HTTP, POSTGRES, KAFKA, DNS = 8000, 5432, 9092, 53
INSTANCE_MANAGER, POSTGRES_METRICS = 8000, 9187
"""Ports of a database pod beside PostgreSQL."""


@dataclass(frozen=True)
class Pod:
    namespace: str
    labels: dict[str, str] = field(hash=False)
    address: str | None = None


def earshot_pods(namespace: str) -> dict[str, Pod]:
    """Earshot's pods, and those that the operators make in the same namespace."""
    kustomization = DEV if namespace == "earshot-dev" else PRODUCTION
    pods = {name: Pod(namespace, pod["metadata"]["labels"]) for name, pod in rendered(kustomization).pods()}
    pods |= {f"{s}-database": Pod(namespace, {"cnpg.io/cluster": f"{s}-database"}) for s in WITH_DATABASE}
    pods["kafka"] = Pod(namespace, {"strimzi.io/cluster": "earshot", "strimzi.io/kind": "Kafka"})
    return pods


OTHER_PODS = {
    "dns": Pod("kube-system", {"k8s-app": "kube-dns"}),
    "ingress-controller": Pod("ingress-nginx", {"app.kubernetes.io/name": "ingress-nginx"}),
    "prometheus": Pod("monitoring", {}),
    "database operator": Pod("cnpg-system", {"app.kubernetes.io/name": "cloudnative-pg"}),
    "neighbour of the operator": Pod("cnpg-system", {}),
    "neighbour": Pod("default", {"app.kubernetes.io/name": "gateway"}),
    "internet": Pod("elsewhere", {}, "203.0.113.7"),
    "private network": Pod("elsewhere", {}, "10.1.2.3"),
    "cloud metadata": Pod("elsewhere", {}, "169.254.169.254"),
}

CALLS = {
    ("sentiment", "ingest"),
    ("metrics", "ingest"),
    ("ingest", "metrics"),
    ("gateway", "ingest"),
    ("gateway", "sentiment"),
    ("gateway", "metrics"),
}


def matches(selector: Manifest, labels: dict[str, str]) -> bool:
    labels_required = selector.get("matchLabels", {}).items()
    listed = selector.get("matchExpressions", [])
    assert all(one["operator"] == "In" for one in listed)
    return labels_required <= labels.items() and all(labels.get(one["key"]) in one["values"] for one in listed)


def peer_matches(peer: Manifest, pod: Pod, home: str) -> bool:
    if "ipBlock" in peer:
        return pod.address is not None and in_block(peer["ipBlock"], pod.address)
    if "namespaceSelector" in peer:
        inside = matches(peer["namespaceSelector"], {"kubernetes.io/metadata.name": pod.namespace})
    else:
        inside = pod.namespace == home
    return inside and matches(peer.get("podSelector", {}), pod.labels)


def in_block(block: Manifest, address: str) -> bool:
    excluded = [ip_network(one) for one in block.get("except", [])]
    ip = ip_address(address)
    return ip in ip_network(block["cidr"]) and not any(ip in network for network in excluded)


def allows(policies: list[Manifest], direction: str, pod: Pod, other: Pod, port: int) -> bool:
    """Whether the policies that select `pod` allow this traffic; a pod that no policy selects is not restricted."""
    mine = [
        m["spec"]
        for m in policies
        if m["metadata"]["namespace"] == pod.namespace
        and direction.title() in m["spec"]["policyTypes"]
        and matches(m["spec"]["podSelector"], pod.labels)
    ]
    side = "to" if direction == "egress" else "from"
    rules = [rule for spec in mine for rule in spec.get(direction, [])]
    return not mine or any(
        port in {p["port"] for p in rule["ports"]}
        and (side not in rule or any(peer_matches(peer, other, pod.namespace) for peer in rule[side]))
        for rule in rules
    )


def connects(kustomization: str, source: Pod, target: Pod, port: int) -> bool:
    policies = rendered(kustomization).of("NetworkPolicy")
    return allows(policies, "egress", source, target, port) and allows(policies, "ingress", target, source, port)


@pytest.fixture(params=OVERLAYS)
def kustomization(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def pods(kustomization: str) -> dict[str, Pod]:
    return earshot_pods("earshot-dev" if kustomization == DEV else "earshot") | OTHER_PODS


def test_only_the_calls_of_the_design_are_allowed(kustomization: str, pods: dict[str, Pod]) -> None:
    possible = {
        (source, target)
        for source, target in permutations(SERVICES, 2)
        if connects(kustomization, pods[source], pods[target], HTTP)
    }
    assert possible == CALLS


def test_only_a_service_and_its_migration_reach_its_database(kustomization: str, pods: dict[str, Pod]) -> None:
    for owner in WITH_DATABASE:
        callers = {
            name
            for name in (*SERVICES, *(f"{s}-migration" for s in WITH_DATABASE))
            if connects(kustomization, pods[name], pods[f"{owner}-database"], POSTGRES)
        }
        assert callers == {owner, f"{owner}-migration"}


@pytest.mark.parametrize("owner", WITH_DATABASE)
def test_a_database_pod_accepts_only_its_service_its_cluster_and_the_operator(
    owner: str, kustomization: str, pods: dict[str, Pod]
) -> None:
    policies, database = rendered(kustomization).of("NetworkPolicy"), pods[f"{owner}-database"]

    def callers(port: int) -> set[str]:
        return {name for name, pod in pods.items() if allows(policies, "ingress", database, pod, port)}

    cluster = {f"{owner}-database", "database operator"}
    assert callers(POSTGRES) == cluster | {owner, f"{owner}-migration"}
    assert callers(INSTANCE_MANAGER) == cluster
    assert callers(POSTGRES_METRICS) == ({"prometheus"} if kustomization == PRODUCTION else set())


def test_services_reach_kafka_and_migrations_do_not(kustomization: str, pods: dict[str, Pod]) -> None:
    assert all(connects(kustomization, pods[service], pods["kafka"], KAFKA) for service in SERVICES)
    assert not any(connects(kustomization, pods[f"{s}-migration"], pods["kafka"], KAFKA) for s in WITH_DATABASE)


def test_every_pod_can_resolve_names(kustomization: str, pods: dict[str, Pod]) -> None:
    for name in (*SERVICES, *(f"{s}-migration" for s in WITH_DATABASE)):
        assert connects(kustomization, pods[name], pods["dns"], DNS), name


def test_no_other_traffic_is_allowed(kustomization: str, pods: dict[str, Pod]) -> None:
    for service in SERVICES:
        ports = {port for port in (80, 443, HTTP) if connects(kustomization, pods[service], pods["internet"], port)}
        assert ports == ({443} if service == "ingest" else set())  # ingest calls the APIs of tools
        for place in ("private network", "cloud metadata"):
            assert not any(connects(kustomization, pods[service], pods[place], port) for port in (80, 443, HTTP))
        assert not connects(kustomization, pods["neighbour"], pods[service], HTTP)


def test_production_allows_the_ingress_controller_and_prometheus() -> None:
    pods = earshot_pods("earshot") | OTHER_PODS
    assert {s for s in SERVICES if connects(PRODUCTION, pods["ingress-controller"], pods[s], HTTP)} == {"ingest", "gateway"}
    assert {s for s in SERVICES if connects(PRODUCTION, pods["prometheus"], pods[s], HTTP)} == set(SERVICES)


def test_only_the_services_and_the_autoscaler_reach_the_brokers() -> None:
    """Their listener has no password; Strimzi makes a policy of these peers."""
    (listener,) = rendered(PRODUCTION).one("Kafka", "earshot")["spec"]["kafka"]["listeners"]
    pods = earshot_pods("earshot") | OTHER_PODS | {"keda": Pod("keda", {})}
    welcome = {
        name for name, pod in pods.items() if any(peer_matches(peer, pod, "earshot") for peer in listener["networkPolicyPeers"])
    }
    assert welcome == {*SERVICES, "keda"}
