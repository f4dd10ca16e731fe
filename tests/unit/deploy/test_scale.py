"""Production: two of everything, a standby that is waited for, consumers that scale up to their partitions, two Ingresses."""

from typing import Any

import pytest

from deploy.k8s import topics
from shared.topics import METRICS_GROUP, SENTIMENT_GROUP, TOPICS
from tests.unit.deploy.manifests import DEV, PRODUCTION, SERVICES, WITH_DATABASE, rendered

GROUPS = {"metrics": METRICS_GROUP, "sentiment": SENTIMENT_GROUP}
PARTITIONS = {topic.name: topic.partitions for topic in TOPICS}


def test_every_service_has_at_least_two_replicas_in_production() -> None:
    manifests = rendered(PRODUCTION)
    least = {m["spec"]["scaleTargetRef"]["name"]: m["spec"]["minReplicas"] for m in manifests.of("HorizontalPodAutoscaler")}
    lagging = {m["spec"]["scaleTargetRef"]["name"]: m["spec"]["minReplicaCount"] for m in manifests.of("ScaledObject")}
    assert not least.keys() & lagging.keys(), "two autoscalers would fight over one Deployment"
    assert (least | lagging).keys() == set(SERVICES)
    assert min((least | lagging).values()) >= 2


def test_only_autoscalers_set_replicas() -> None:
    assert not any("replicas" in m["spec"] for m in rendered(PRODUCTION).of("Deployment"))
    assert all(m["spec"]["replicas"] == 1 for m in rendered(DEV).of("Deployment"))


def test_no_consumer_has_more_replicas_than_partitions() -> None:
    for scaled in rendered(PRODUCTION).of("ScaledObject"):
        for trigger in kafka_triggers(scaled):
            assert scaled["spec"]["maxReplicaCount"] <= PARTITIONS[trigger["metadata"]["topic"]]


def test_the_autoscaler_uses_the_consumer_groups_of_the_code() -> None:
    for scaled in rendered(PRODUCTION).of("ScaledObject"):
        service = scaled["spec"]["scaleTargetRef"]["name"]
        for trigger in kafka_triggers(scaled):
            assert trigger["metadata"]["consumerGroup"] == GROUPS[service]


def test_consumers_are_scaled_by_cpu_too() -> None:
    for scaled in rendered(PRODUCTION).of("ScaledObject"):
        assert "cpu" in [trigger["type"] for trigger in scaled["spec"]["triggers"]]


def kafka_triggers(scaled: Any) -> list[Any]:
    return [trigger for trigger in scaled["spec"]["triggers"] if trigger["type"] == "kafka"]


def test_the_autoscaler_uses_the_brokers_of_the_services() -> None:
    manifests = rendered(PRODUCTION)
    (host, _, port) = manifests.one("ConfigMap", "earshot")["data"]["KAFKA_BOOTSTRAP_SERVERS"].partition(":")
    kafka = manifests.one("Kafka", "earshot")
    assert host == f"{kafka['metadata']['name']}-kafka-bootstrap"
    for scaled in manifests.of("ScaledObject"):
        for trigger in kafka_triggers(scaled):
            assert trigger["metadata"]["bootstrapServers"] == f"{host}.{kafka['metadata']['namespace']}.svc:{port}"


def test_commits_are_synchronous_in_production() -> None:
    clusters = rendered(PRODUCTION).of("Cluster")
    assert {m["metadata"]["name"] for m in clusters} == {f"{service}-database" for service in WITH_DATABASE}
    for cluster in clusters:
        assert cluster["spec"]["postgresql"]["synchronous"] == {"method": "any", "number": 1, "dataDurability": "required"}
        assert cluster["spec"]["instances"] >= 3, "with two, the loss of one would stop all writing"


def test_the_clusters_create_the_databases_and_secrets_of_the_services() -> None:
    manifests = rendered(PRODUCTION)
    for service in WITH_DATABASE:
        cluster = manifests.one("Cluster", f"{service}-database")
        assert cluster["spec"]["bootstrap"]["initdb"] == {"database": service, "owner": service}
        (container,) = manifests.one("Deployment", service)["spec"]["template"]["spec"]["containers"]
        (entry,) = (entry for entry in container["env"] if entry["name"] == f"{service.upper()}_DATABASE_URL")
        assert entry["valueFrom"]["secretKeyRef"] == {"name": f"{cluster['metadata']['name']}-app", "key": "uri"}


@pytest.mark.parametrize("kustomization", [DEV, PRODUCTION])
def test_everything_but_the_services_can_be_applied_first(kustomization: str) -> None:
    """Migrations end before new servers start: what docs/deployment.md applies first must leave these out."""
    manifests = rendered(kustomization)
    later = [m for m in manifests if m["metadata"].get("labels", {}).get("app.kubernetes.io/component") == "server"]
    scaled = {"Deployment", "HorizontalPodAutoscaler", "ScaledObject"}
    assert {m["kind"] for m in later} <= scaled
    assert not [m for m in manifests if m["kind"] in scaled and m not in later]


def test_the_topics_are_those_of_the_table() -> None:
    assert topics.PAGE.read_text() == topics.page(), "run `python -m deploy.k8s.topics`"


@pytest.mark.parametrize(("kustomization", "replicas"), [(DEV, 1), (PRODUCTION, 3)])
def test_every_topic_and_its_dlq_has_a_replica_on_each_broker(kustomization: str, replicas: int) -> None:
    manifests = rendered(kustomization)
    assert {m["metadata"]["name"] for m in manifests.of("KafkaTopic")} == {name for t in TOPICS for name in (t.name, t.dlq)}
    assert manifests.one("KafkaNodePool", "node")["spec"]["replicas"] == replicas
    for topic in manifests.of("KafkaTopic"):
        assert topic["spec"]["replicas"] == replicas
        assert topic["spec"]["config"]["min.insync.replicas"] == max(1, replicas - 1)
        assert topic["metadata"]["labels"]["strimzi.io/cluster"] == "earshot"


def test_the_public_url_of_ingest_is_its_ingress_host() -> None:
    manifests = rendered(PRODUCTION)
    (rule,) = manifests.one("Ingress", "hooks")["spec"]["rules"]
    assert manifests.one("ConfigMap", "ingest")["data"]["INGEST_PUBLIC_URL"] == f"https://{rule['host']}"
    assert [(p["path"], p["backend"]["service"]["name"]) for p in rule["http"]["paths"]] == [("/v1/hooks", "ingest")]


@pytest.mark.parametrize(
    ("path", "served"),
    [("/", True), ("/static/main.js", True), ("/v1/kpis", True), ("/v1/live", True), ("/metrics", False), ("/readyz", False)],
)
def test_the_ingress_serves_the_page_and_the_api_but_no_metrics(path: str, served: bool) -> None:
    (rule,) = rendered(PRODUCTION).one("Ingress", "gateway")["spec"]["rules"]
    routes = [(p["path"], p["pathType"]) for p in rule["http"]["paths"]]
    assert served == any(path == route or (kind == "Prefix" and path.startswith(route + "/")) for route, kind in routes)


def test_every_host_has_a_certificate() -> None:
    for ingress in rendered(PRODUCTION).of("Ingress"):
        covered = {host for tls in ingress["spec"]["tls"] for host in tls["hosts"]}
        assert {rule["host"] for rule in ingress["spec"]["rules"]} == covered
