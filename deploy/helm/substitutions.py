"""Which fields of the objects are values of the chart."""

import json
from typing import Any, NamedTuple

from deploy.helm.sources import SERVICES, Manifest

INLINE, BLOCK, OPTIONAL = "HELM-INLINE:", "HELM-BLOCK:", "HELM-OPTIONAL:"
"""How a field's text begins: with an expression; with the path of a value of any type; the same, but without a value the field is
left out."""
TRACES = "(ternary .Values.openTelemetry.settings (dict) .Values.openTelemetry.enabled)"
"""The settings that components/opentelemetry adds, if it is switched on."""
SECURITY = "KAFKA_SECURITY_PROTOCOL"
"""Only components/kafka-tls sets it."""
STRIMZI_OR_OWN = (
    '(ternary (printf "earshot-kafka-bootstrap.%s.svc:9092" .Release.Namespace) '
    ".Values.settings.KAFKA_BOOTSTRAP_SERVERS .Values.strimzi.enabled)"
)
"""The brokers' address for KEDA, which runs in another namespace."""
IMAGE = '{{ printf "%%s/%s:%%s" .Values.image.repository (.Values.image.tag | default .Chart.AppVersion) }}'


class Store(NamedTuple):
    """Kafka or PostgreSQL in the values: the name of its port in `ports`, and the part whose switch makes the chart run it."""

    port: str
    switch: str


STORES = {"kafka": Store("kafka", "strimzi"), "-database": Store("database", "databases")}
"""The store to which a network policy allows connections, by the end of the policy's name."""
OWN_PORTS = (9092, 5432)
"""Ports of the stores, without the port of Strimzi's TLS listener."""


def substitute(manifest: Manifest) -> Manifest:
    """Put expressions in place of the fields that are values."""
    by_kind = {
        "Deployment": deployment,
        "Job": job,
        "ConfigMap": config_map,
        "Kafka": kafka,
        "KafkaNodePool": node_pool,
        "KafkaTopic": topic,
        "Cluster": cluster,
        "Ingress": ingress,
        "HorizontalPodAutoscaler": autoscaler,
        "ScaledObject": scaled_object,
        "NetworkPolicy": network_policy,
        "Gateway": gateway,
        "Issuer": issuer,
        "Certificate": certificate,
        "SecretStore": secret_store,
        "ExternalSecret": external_secret,
        "ObjectStore": object_store,
    }
    if change := by_kind.get(manifest["kind"]):
        change(manifest)
    return manifest


def deployment(manifest: Manifest) -> None:
    """Replicas, image, resources, priority, and a checksum that changes with the settings."""
    name = manifest["metadata"]["name"]
    spec, pod = manifest["spec"], manifest["spec"]["template"]
    manifest["spec"] = {"replicas": f"{OPTIONAL}.Values.{name}.replicas", **spec}
    checksum = f"toJson (list .Values.settings .Values.{name}.settings .Values.hosts {TRACES}) | sha256sum"
    pod["metadata"] = {"annotations": {"checksum/config": f"{INLINE}{checksum}"}, **pod["metadata"]}
    pod["spec"] = {"priorityClassName": f"{OPTIONAL}.Values.priorityClassNames.servers", **pod["spec"]}
    (container,) = pod["spec"]["containers"]
    container["image"] = IMAGE % name
    container["resources"] = f"{BLOCK}.Values.{name}.resources"


def job(manifest: Manifest) -> None:
    """The image."""
    (container,) = manifest["spec"]["template"]["spec"]["containers"]
    container["image"] = IMAGE % manifest["metadata"]["name"].split("-")[0]


def config_map(manifest: Manifest) -> None:
    """The settings; the public URL of ingest is that of the host, if it isn't set. Those of Kafka with TLS replace set ones."""
    name = manifest["metadata"]["name"]
    if name == "earshot":
        of_kafka = {key: value for key, value in manifest["data"].items() if key.startswith("KAFKA_")}
        secured = literal(of_kafka) if SECURITY in of_kafka else "(dict)"
        manifest["data"] = f"{BLOCK}mergeOverwrite (deepCopy .Values.settings) {TRACES} {secured}"
    elif name == "ingest":
        url = '(dict "INGEST_PUBLIC_URL" (printf "https://%s" .Values.hosts.hooks))'
        manifest["data"] = f"{BLOCK}merge (deepCopy .Values.ingest.settings) {url}"
    elif name in SERVICES:
        manifest["data"] = f"{BLOCK}.Values.{name}.settings"


def kafka(manifest: Manifest) -> None:
    """The brokers' configuration."""
    manifest["spec"]["kafka"]["config"] = f"{BLOCK}.Values.strimzi.config"


def node_pool(manifest: Manifest) -> None:
    """The number, size and placement of brokers."""
    spec = manifest["spec"]
    spec["replicas"] = f"{INLINE}.Values.strimzi.nodes"
    spec["resources"] = f"{BLOCK}.Values.strimzi.resources"
    spec["template"] = f"{OPTIONAL}.Values.strimzi.template"
    (volume,) = spec["storage"]["volumes"]
    volume["size"] = f"{INLINE}.Values.strimzi.storage"


def topic(manifest: Manifest) -> None:
    """The replicas."""
    manifest["spec"]["replicas"] = f"{INLINE}.Values.strimzi.topics.replicas"
    manifest["spec"]["config"]["min.insync.replicas"] = f"{INLINE}.Values.strimzi.topics.minInsyncReplicas"


def cluster(manifest: Manifest) -> None:
    """The number, size and placement of the databases, their plugins, and the source of a restored one."""
    spec, service = manifest["spec"], manifest["metadata"]["name"].split("-")[0]
    own = f".Values.databases.clusters.{service}"
    backup = "(ternary .Values.backup.plugins nil .Values.backup.enabled)"
    spec["bootstrap"] = f"{BLOCK}{own}.bootstrap | default {literal(spec['bootstrap'])}"
    spec["instances"] = f"{INLINE}.Values.databases.instances"
    spec["imageName"] = f"{INLINE}.Values.databases.image"
    spec["postgresql"]["synchronous"] = f"{OPTIONAL}.Values.databases.synchronous"
    spec["postgresql"]["parameters"] = f"{BLOCK}.Values.databases.parameters"
    spec["affinity"] = f"{BLOCK}.Values.databases.affinity"
    spec["resources"] = f"{BLOCK}.Values.databases.resources"
    spec["storage"]["size"] = f"{INLINE}.Values.databases.storage.{service}.data"
    spec["walStorage"]["size"] = f"{INLINE}.Values.databases.storage.{service}.wal"
    manifest["spec"] = {
        "externalClusters": f"{OPTIONAL}{own}.externalClusters",
        "plugins": f"{OPTIONAL}({own}.plugins | default .Values.databases.plugins | default {backup})",
        "priorityClassName": f"{OPTIONAL}.Values.priorityClassNames.data",
        **spec,
    }


def ingress(manifest: Manifest) -> None:
    """The class, and the annotations of its controller."""
    manifest["spec"]["ingressClassName"] = f"{INLINE}.Values.ingress.className"
    manifest["metadata"]["annotations"] = f"{OPTIONAL}.Values.ingress.annotations.{manifest['metadata']['name']}"


def autoscaler(manifest: Manifest) -> None:
    """The limits."""
    name = manifest["metadata"]["name"]
    manifest["spec"]["minReplicas"] = f"{INLINE}.Values.autoscaling.{name}.min"
    manifest["spec"]["maxReplicas"] = f"{INLINE}.Values.autoscaling.{name}.max"


def scaled_object(manifest: Manifest) -> None:
    """The limits, and without Strimzi's Kafka its address and how KEDA logs in to it."""
    name = manifest["metadata"]["name"]
    manifest["spec"]["minReplicaCount"] = f"{INLINE}.Values.keda.{name}.min"
    manifest["spec"]["maxReplicaCount"] = f"{INLINE}.Values.keda.{name}.max"
    for trigger in manifest["spec"]["triggers"]:
        if trigger["type"] == "kafka" and "sasl" not in trigger["metadata"]:
            trigger["metadata"]["bootstrapServers"] = f"{INLINE}{STRIMZI_OR_OWN}"
            trigger["metadata"] |= {key: f"{OPTIONAL}.Values.keda.kafka.{key}" for key in ("sasl", "tls")}
            trigger["authenticationRef"] = f"{OPTIONAL}.Values.keda.kafka.authenticationRef"


def gateway(manifest: Manifest) -> None:
    """The class."""
    manifest["spec"]["gatewayClassName"] = f"{INLINE}.Values.gatewayApi.className"


def issuer(manifest: Manifest) -> None:
    """Everything."""
    manifest["spec"] = f"{BLOCK}.Values.certManager.issuer"


def certificate(manifest: Manifest) -> None:
    """The issuer."""
    manifest["spec"]["issuerRef"] = f"{BLOCK}.Values.certManager.issuerRef"


def secret_store(manifest: Manifest) -> None:
    """The vault."""
    manifest["spec"]["provider"] = f"{BLOCK}.Values.externalSecrets.provider"


def external_secret(manifest: Manifest) -> None:
    """The vault's entry."""
    entry = {"earshot": "shared"}.get(manifest["metadata"]["name"], manifest["metadata"]["name"])
    (source,) = manifest["spec"]["dataFrom"]
    source["extract"]["key"] = f"{INLINE}.Values.externalSecrets.entries.{entry}"


def object_store(manifest: Manifest) -> None:
    """Everything."""
    manifest["spec"] = f"{BLOCK}.Values.backup.objectStore"


def network_policy(manifest: Manifest) -> None:
    """The port of a store, which that of your own may differ from."""
    if store := store_of(manifest):
        rule = manifest["spec"]["egress"][0]
        port = rule["ports"][0]
        if port["port"] in OWN_PORTS:
            rule["ports"] = [{"protocol": port["protocol"], "port": f"{INLINE}.Values.ports.{store.port}"}]


def store_of(policy: Manifest) -> Store | None:
    """The store to which a network policy allows connections."""
    return next((store for end, store in STORES.items() if policy["metadata"]["name"].endswith(end)), None)


def literal(value: dict[str, Any]) -> str:
    """The expression of a constant object."""
    return f"(fromJson `{json.dumps(value)}`)"
