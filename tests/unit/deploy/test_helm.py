"""The Helm chart: it renders what Kustomize renders, refuses values that it doesn't know, and its lint finds nothing."""

import json
import re
import subprocess
from functools import cache
from typing import Any

import pytest
import yaml

from deploy.helm.__main__ import CHART, files
from deploy.helm.sources import plain
from deploy.k8s.kubectl import find_helm
from shared.version import VERSION
from tests.unit.deploy.manifests import DEV, PRODUCTION, SERVICES, WITH_DATABASE, Manifest, rendered, with_components

VALUES = {PRODUCTION: (), DEV: ("-f", str(CHART / "values-dev.yaml"))}
SWITCHES = {
    ("monitoring",): "monitoring",
    ("gateway-api",): "gatewayApi",
    ("cert-manager",): "certManager",
    ("external-secrets",): "externalSecrets",
    ("backup",): "backup",
    ("opentelemetry",): "openTelemetry",
    ("kafka-tls", "keda-kafka-tls"): "kafkaTls",
}
"""Components → the value that switches them on."""
ADDED_LABELS = ("helm.sh/chart", "app.kubernetes.io/managed-by")
CHECKSUM = "checksum/config"


def helm(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([find_helm(), *arguments], capture_output=True, text=True, timeout=120, check=False)


@cache
def chart(overlay: str, *options: str) -> list[Manifest]:
    """The objects of the chart with the values of an overlay, as `helm template` renders them."""
    namespace = rendered(overlay).of("Namespace")[0]["metadata"]["name"]
    version = ("--kube-version", "1.34.0")
    done = helm("template", "earshot", str(CHART), "--namespace", namespace, *version, *VALUES[overlay], *options)
    assert done.returncode == 0, done.stderr
    return [manifest for manifest in yaml.load_all(done.stdout, yaml.CSafeLoader) if manifest]


def set_options(values: dict[str, str]) -> list[str]:
    """The options of helm that set values."""
    return [word for name, value in values.items() for word in ("--set", f"{name}={value}")]


def comparable(manifests: list[Manifest]) -> dict[tuple[str, str], Any]:
    """Objects by kind and name, without the labels and checksums of the chart, and without the hashes in names of Kustomize."""
    objects = {}
    for manifest in plain(json.loads(json.dumps(manifests))):
        labels = manifest["metadata"].get("labels", {})
        manifest["metadata"]["labels"] = {name: value for name, value in labels.items() if name not in ADDED_LABELS}
        if manifest["kind"] == "Deployment":
            manifest["spec"]["template"]["metadata"].pop("annotations", None)
        key = manifest["kind"], manifest["metadata"]["name"]
        assert key not in objects
        objects[key] = manifest
    return objects


def one(manifests: list[Manifest], kind: str, name: str) -> Manifest:
    (manifest,) = [m for m in manifests if (m["kind"], m["metadata"]["name"]) == (kind, name)]
    return manifest


@pytest.mark.parametrize("overlay", VALUES)
def test_the_chart_renders_the_objects_of_the_overlay(overlay: str) -> None:
    assert comparable(chart(overlay)) == comparable(list(rendered(overlay)))


@pytest.mark.parametrize("components", SWITCHES, ids=SWITCHES.values())
def test_a_switch_of_the_chart_renders_the_objects_of_its_components(components: tuple[str, ...]) -> None:
    objects = chart(PRODUCTION, "--set", f"{SWITCHES[components]}.enabled=true")
    assert comparable(objects) == comparable(list(with_components(PRODUCTION, *components)))


def test_kafka_with_tls_needs_no_autoscaler() -> None:
    objects = chart(DEV, "--set", "kafkaTls.enabled=true")
    assert comparable(objects) == comparable(list(with_components(DEV, "kafka-tls")))


def test_settings_of_kafka_with_tls_replace_those_of_the_values() -> None:
    mine = ("--set", "settings.KAFKA_SECURITY_PROTOCOL=SASL_PLAINTEXT", "--set", "settings.LOG_LEVEL=ERROR")
    settings = one(chart(PRODUCTION, "--set", "kafkaTls.enabled=true", *mine), "ConfigMap", "earshot")["data"]
    assert (settings["KAFKA_SECURITY_PROTOCOL"], settings["LOG_LEVEL"]) == ("SASL_SSL", "ERROR")


def test_kafka_with_tls_is_refused_without_strimzi() -> None:
    done = helm("template", "earshot", str(CHART), "--set", "kafkaTls.enabled=true", "--set", "strimzi.enabled=false")
    assert done.returncode != 0
    assert "strimzi" in done.stderr


def test_own_stores_are_reached_anywhere_at_their_ports() -> None:
    """The policies of the chart admit the pods of Strimzi and CloudNativePG only if these are a part of it."""
    own = {f"{part}.enabled": "false" for part in ("strimzi", "databases")} | {"ports.kafka": "9096", "ports.database": "6432"}
    objects = chart(PRODUCTION, *set_options(own))
    ports = {"kafka": 9096} | {f"{name}-database": 6432 for name in WITH_DATABASE}
    egress = {name: one(objects, "NetworkPolicy", name)["spec"]["egress"] for name in ports}
    assert egress == {name: [{"ports": [{"protocol": "TCP", "port": port}]}] for name, port in ports.items()}


def test_own_kafka_is_what_the_autoscaler_reads() -> None:
    login = {"sasl": "scram_sha512", "tls": "enable"}
    options = {"strimzi.enabled": "false", "settings.KAFKA_BOOTSTRAP_SERVERS": "kafka.acme.test:9096"}
    options |= {f"keda.kafka.{key}": value for key, value in login.items()}
    options |= {"keda.kafka.authenticationRef.name": "mine"}
    objects = chart(PRODUCTION, *set_options(options))
    triggers = [t for m in objects if m["kind"] == "ScaledObject" for t in m["spec"]["triggers"] if t["type"] == "kafka"]
    assert len(triggers) == 3
    for trigger in triggers:
        assert trigger["metadata"].items() >= {"bootstrapServers": "kafka.acme.test:9096", **login}.items()
        assert trigger["authenticationRef"] == {"name": "mine"}


def test_the_namespaces_of_other_programs_are_values() -> None:
    names = ("ingress", "gatewayApi", "keda", "monitoring", "databaseOperator")
    switches = {"gatewayApi.enabled": "true", "openTelemetry.enabled": "true"}
    objects = chart(PRODUCTION, *set_options(switches | {f"namespaces.{name}": f"own-{name.lower()}" for name in names}))
    admitted = set(re.findall(r"kubernetes.io/metadata.name: (\S+)", yaml.safe_dump_all(objects)))
    assert admitted == {f"own-{name.lower()}" for name in names} | {"kube-system"}


def test_a_database_is_restored_from_its_archive_by_values() -> None:
    restored = {
        "bootstrap": {"recovery": {"source": "archive", "database": "ingest", "owner": "ingest"}},
        "externalClusters": [{"name": "archive"}],
        "plugins": [{"name": "barman-cloud.cloudnative-pg.io", "parameters": {"serverName": "ingest-database-2"}}],
    }
    option = f"databases.clusters.ingest={json.dumps(restored)}"
    objects = chart(PRODUCTION, "--set", "backup.enabled=true", "--set-json", option)
    spec = one(objects, "Cluster", "ingest-database")["spec"]
    assert {key: spec[key] for key in restored} == restored
    others = chart(PRODUCTION, "--set", "backup.enabled=true")
    assert one(objects, "Cluster", "metrics-database") == one(others, "Cluster", "metrics-database")


def test_certificates_may_come_from_an_issuer_of_ones_own() -> None:
    mine = {"kind": "ClusterIssuer", "name": "acme"}
    option = f"certManager={json.dumps({'enabled': True, 'issuer': None, 'issuerRef': mine})}"
    objects = chart(PRODUCTION, "--set-json", option)
    assert "Issuer" not in {m["kind"] for m in objects}
    assert [m["spec"]["issuerRef"] for m in objects if m["kind"] == "Certificate"] == [mine, mine]


def test_settings_of_traces_replace_the_servers() -> None:
    option = "openTelemetry.settings.OTEL_TRACES_SAMPLER_ARG=0.5"
    fewer, more = (chart(PRODUCTION, "--set", "openTelemetry.enabled=true", *more) for more in ((), ("--set-string", option)))
    assert one(more, "ConfigMap", "earshot")["data"]["OTEL_TRACES_SAMPLER_ARG"] == "0.5"
    templates = [one(objects, "Deployment", "ingest")["spec"]["template"] for objects in (fewer, more)]
    assert templates[0] != templates[1]


def test_the_files_of_the_chart_are_those_of_the_sources() -> None:
    present = {path for path in (CHART / "templates").iterdir() if path.suffix == ".yaml"} | {CHART / "Chart.yaml"}
    expected = files()
    assert present == expected.keys()
    assert [path.name for path, text in expected.items() if path.read_text() != text] == [], "run `python -m deploy.helm`"


def test_the_chart_has_the_version() -> None:
    description = yaml.safe_load((CHART / "Chart.yaml").read_text())
    assert (description["version"], description["appVersion"]) == (VERSION, VERSION)


@pytest.mark.parametrize("overlay", VALUES)
def test_lint_finds_nothing(overlay: str) -> None:
    done = helm("lint", str(CHART), "--strict", "--quiet", *VALUES[overlay])
    assert (done.returncode, done.stdout.strip()) == (0, ""), done.stdout + done.stderr


@pytest.mark.parametrize(
    ("option", "place"),
    [
        ("ingest.replica=2", "replica"),
        ("databases.instances=0", "instances"),
        ("settings.LOG_LEVEL=1", "LOG_LEVEL"),
        ("hosts.hooks=https://hooks.example.com", "hooks"),
        ("ingres.enabled=false", "ingres"),
    ],
)
def test_a_wrong_value_is_refused_with_its_place(option: str, place: str) -> None:
    done = helm("template", "earshot", str(CHART), "--kube-version", "1.34.0", "--set", option)
    assert done.returncode != 0
    assert place in done.stderr


def test_every_value_is_described() -> None:
    schema = json.loads((CHART / "values.schema.json").read_text())
    values = yaml.safe_load((CHART / "values.yaml").read_text())
    assert schema["properties"].keys() == values.keys()
    assert [name for name, value in schema["properties"].items() if "description" not in value] == []


def test_a_changed_setting_replaces_the_servers_and_changes_no_job() -> None:
    before, after = chart(PRODUCTION), chart(PRODUCTION, "--set", "settings.LOG_LEVEL=WARNING")
    for service in SERVICES:
        checksums = [
            one(objects, "Deployment", service)["spec"]["template"]["metadata"]["annotations"] for objects in (before, after)
        ]
        assert checksums[0][CHECKSUM] != checksums[1][CHECKSUM]
    jobs = [[m for m in objects if m["kind"] == "Job"] for objects in (before, after)]
    assert jobs[0] == jobs[1]
    assert len(jobs[0]) == len(WITH_DATABASE)


def test_migrations_end_before_an_upgrade_replaces_anything() -> None:
    jobs = {upgrade: [m for m in chart(PRODUCTION, *upgrade) if m["kind"] == "Job"] for upgrade in ((), ("--is-upgrade",))}
    assert all("annotations" not in m["metadata"] for m in jobs[()])
    for m in jobs[("--is-upgrade",)]:
        assert m["metadata"]["annotations"] == {
            "helm.sh/hook": "pre-upgrade",
            "helm.sh/hook-delete-policy": "before-hook-creation",
        }
        sources = [next(iter(source)) for source in m["spec"]["template"]["spec"]["containers"][0]["envFrom"]]
        assert set(sources) == {"secretRef"}, "a ConfigMap of the new version does not exist yet"


def test_another_image_is_another_migration_job() -> None:
    """Kubernetes refuses another image for a Job, as at a rollback to the images of before."""
    names = [
        {m["metadata"]["name"] for m in chart(PRODUCTION, "--set-string", f"image.tag={tag}") if m["kind"] == "Job"}
        for tag in ("0.1.0-Base_2", "20261129")
    ]
    assert names[0] == {f"{service}-migration-0-1-0-base-2" for service in WITH_DATABASE}
    assert names[1] == {f"{service}-migration-20261129" for service in WITH_DATABASE}


def test_a_host_is_set_in_one_place() -> None:
    hosts = {"hosts.hooks": "in.acme.test", "hosts.gateway": "kpi.acme.test"}
    objects = chart(PRODUCTION, *set_options(hosts | {"gatewayApi.enabled": "true"}))
    assert "example.com" not in re.sub(r"registry\.example\.com", "", yaml.safe_dump_all(objects))
    assert one(objects, "ConfigMap", "ingest")["data"]["INGEST_PUBLIC_URL"] == "https://in.acme.test"


def test_the_namespace_is_that_of_the_release() -> None:
    done = helm("template", "earshot", str(CHART), "--kube-version", "1.34.0", "--namespace", "feedback")
    assert "earshot-kafka-bootstrap.feedback.svc:9092" in done.stdout
    assert ".earshot.svc" not in done.stdout
