"""Which fields of the objects are values of the chart, and the text of the templates."""

import re
from typing import Any, NamedTuple

import yaml

from deploy.helm.sources import SERVICES, Manifest
from shared.version import VERSION

INLINE, BLOCK, OPTIONAL = "HELM-INLINE:", "HELM-BLOCK:", "HELM-OPTIONAL:"
"""Beginnings of a field's text: an expression; a path of a value of any form; the same, and the field is left out without it."""
FIELD = re.compile(rf"^( *)([\w./-]+|\"[^\"]+\"): '?({INLINE}|{BLOCK}|{OPTIONAL})(.*?)'?$")

TEXTS = {
    "hooks.example.com": "{{ .Values.hosts.hooks }}",
    "earshot.example.com": "{{ .Values.hosts.gateway }}",
    ".earshot.svc": ".{{ .Release.Namespace }}.svc",
    f"-migration-{VERSION.replace('.', '-')}": '-migration-{{ .Chart.AppVersion | replace "." "-" }}',
}
"""Text in any field → expression."""

SECURITY = "KAFKA_SECURITY_PROTOCOL"
"""Only components/kafka-tls sets it."""
IMAGE = '{{ printf "%%s/%s:%%s" .Values.image.repository (.Values.image.tag | default .Chart.AppVersion) }}'
HOOK = """\
  {{- if .Release.IsUpgrade }}
  annotations:
    helm.sh/hook: pre-upgrade
    helm.sh/hook-delete-policy: before-hook-creation
  {{- end }}
"""
"""A migration is a part of the installation, and ends before an upgrade replaces anything."""


class Store(NamedTuple):
    """Kafka or PostgreSQL in the values: the name of its port in `ports`, and the part whose switch makes it pods of ours."""

    port: str
    switch: str


STORES = {"kafka": Store("kafka", "strimzi"), "-database": Store("database", "databases")}
"""The store to which a network policy allows connections, by the end of the policy's name."""
OWN_PORTS = (9092, 5432)
"""Ports of stores without TLS of Strimzi."""
DESTINATION = re.compile(r"^    to:\n(?:    [- ] .*\n)+", re.MULTILINE)
"""The selector of the pods to which a policy allows connections."""


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
    }
    if change := by_kind.get(manifest["kind"]):
        change(manifest)
    return manifest


def deployment(manifest: Manifest) -> None:
    """Replicas, image, resources, priority, and a checksum that changes with the settings."""
    name = manifest["metadata"]["name"]
    spec, pod = manifest["spec"], manifest["spec"]["template"]
    manifest["spec"] = {"replicas": f"{OPTIONAL}.Values.{name}.replicas", **spec}
    checksum = f"toJson (list .Values.settings .Values.{name}.settings .Values.hosts) | sha256sum"
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
        replaced = " ".join(f'"{key}" "{value}"' for key, value in of_kafka.items())
        secured = f"mergeOverwrite (deepCopy .Values.settings) (dict {replaced})"
        manifest["data"] = f"{BLOCK}{secured if SECURITY in of_kafka else '.Values.settings'}"
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
    """The number, size and placement of the databases."""
    spec, service = manifest["spec"], manifest["metadata"]["name"].split("-")[0]
    spec["instances"] = f"{INLINE}.Values.databases.instances"
    spec["imageName"] = f"{INLINE}.Values.databases.image"
    spec["postgresql"]["synchronous"] = f"{OPTIONAL}.Values.databases.synchronous"
    spec["postgresql"]["parameters"] = f"{BLOCK}.Values.databases.parameters"
    spec["affinity"] = f"{BLOCK}.Values.databases.affinity"
    spec["resources"] = f"{BLOCK}.Values.databases.resources"
    spec["storage"]["size"] = f"{INLINE}.Values.databases.storage.{service}.data"
    spec["walStorage"]["size"] = f"{INLINE}.Values.databases.storage.{service}.wal"
    manifest["spec"] = {
        "plugins": f"{OPTIONAL}.Values.databases.plugins",
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
    """The limits."""
    name = manifest["metadata"]["name"]
    manifest["spec"]["minReplicaCount"] = f"{INLINE}.Values.keda.{name}.min"
    manifest["spec"]["maxReplicaCount"] = f"{INLINE}.Values.keda.{name}.max"


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


def template(manifests: list[Manifest]) -> str:
    """The text of a template."""
    return "".join("---\n" + one(manifest) for manifest in manifests)


def switched(text: str, value: str | None) -> str:
    """A text that is left out unless `value` is true; None: it is always in."""
    return f"{{{{- if {value} }}}}\n{text}{{{{- end }}}}\n" if value else text


def one(manifest: Manifest) -> str:
    """An object as a part of a template."""
    labels = manifest["metadata"].get("labels", {})
    labels = {**labels, "helm.sh/chart": "CHART", "app.kubernetes.io/managed-by": "RELEASE-SERVICE"}
    labelled = {**manifest, "metadata": {**manifest["metadata"], "labels": labels}}
    quoted = yaml.safe_dump(substitute(escaped(labelled)), sort_keys=False, width=10_000, allow_unicode=True)
    for text, expression in TEXTS.items():
        quoted = quoted.replace(text, expression)
    quoted = quoted.replace("helm.sh/chart: CHART", 'helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version }}')
    quoted = quoted.replace("managed-by: RELEASE-SERVICE", "managed-by: {{ .Release.Service }}")
    lines = "".join(f"{field(line)}\n" for line in quoted.splitlines())
    if manifest["kind"] == "Job":
        lines = lines.replace("  labels:\n", HOOK + "  labels:\n", 1)
    if manifest["kind"] == "NetworkPolicy" and (destination := DESTINATION.search(lines)) and (store := store_of(manifest)):
        lines = lines.replace(destination[0], switched(destination[0], f".Values.{store.switch}.enabled"))
    return lines


def escaped(value: Any) -> Any:
    """A value whose own braces Helm leaves alone."""
    if isinstance(value, dict):
        return {key: escaped(item) for key, item in value.items()}
    if isinstance(value, list):
        return [escaped(item) for item in value]
    return value.replace("{{", "{{`{{`}}") if isinstance(value, str) else value


def field(line: str) -> str:
    """A line of YAML, with the expression in place of a marked field."""
    if not (match := FIELD.fullmatch(line)):
        if "HELM-" in line:
            raise ValueError(f"a value must be a whole field that is not the first of a list's item: {line}")
        return line
    indent, key, form, text = match.groups()
    text = text.replace("''", "'")
    if form == INLINE:
        return f"{indent}{key}: {{{{ {text} }}}}"
    if form == BLOCK:
        return f"{indent}{key}: {{{{- toYaml ({text}) | nindent {len(indent) + 2} }}}}"
    present = f'{{{{- if not (kindIs "invalid" {text}) }}}}'
    return f"{indent}{present}\n{indent}{key}: {{{{ toJson {text} }}}}\n{indent}{{{{- end }}}}"
