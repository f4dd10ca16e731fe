"""Each optional component, added to each overlay: it renders, and every object is valid and in the overlay's namespace."""

import re
from pathlib import Path

import jsonschema
import kubernetes_validate
import pytest
import yaml

from deploy.monitoring.external import EXTERNAL
from tests.unit.deploy.component_schemas import ALL_SCHEMAS
from tests.unit.deploy.manifests import (
    BASE,
    HOME,
    OVERLAYS,
    PRODUCTION,
    SERVICES,
    WITH_DATABASE,
    Manifest,
    Manifests,
    rendered,
    with_components,
)
from tests.unit.deploy.test_network import HTTP, OTHER_PODS, Pod, allows, earshot_pods, matches

COMPONENTS = sorted(path.name for path in (HOME / "components").iterdir() if path.is_dir())
NEEDS = {"keda-kafka-tls": ("keda", "kafka-tls")}
"""Component → those that it changes, which the overlay `dev` may lack."""
CLUSTER_WIDE = ("Namespace", "PriorityClass")

each_component = pytest.mark.parametrize("component", COMPONENTS)
each_overlay = pytest.mark.parametrize("overlay", OVERLAYS)


def added(overlay: str, component: str) -> Manifests:
    """The overlay with the component."""
    return with_components(overlay, *NEEDS.get(component, ()), component)


@each_overlay
@each_component
def test_a_component_renders_valid_objects(component: str, overlay: str) -> None:
    manifests = added(overlay, component)
    unchanged = list(rendered(overlay))  # test_schemas validates these
    for manifest in [manifest for manifest in manifests if manifest not in unchanged]:
        if schema := ALL_SCHEMAS.get((manifest["apiVersion"], manifest["kind"])):
            jsonschema.validate(manifest, schema)
        else:
            kubernetes_validate.validate(manifest, "1.34", strict=True)
    names = [(m["apiVersion"], m["kind"], m["metadata"]["name"]) for m in manifests]
    assert len(names) == len(set(names))


@each_overlay
@each_component
def test_a_component_s_objects_are_in_the_overlay_s_namespace(component: str, overlay: str) -> None:
    (namespace,) = rendered(overlay).of("Namespace")
    places = {m["metadata"].get("namespace") for m in added(overlay, component) if m["kind"] not in CLUSTER_WIDE}
    assert places == {namespace["metadata"]["name"]}


@each_component
def test_a_component_is_described(component: str) -> None:
    file = HOME / "components" / component / "kustomization.yaml"
    assert file.read_text().startswith("# ")
    assert yaml.safe_load(file.read_text())["kind"] == "Component"
    assert f"`components/{component}`" in (Path(HOME).parents[1] / "docs" / "deployment.md").read_text()


@each_overlay
def test_prometheus_scrapes_every_service_at_a_port_that_it_has(overlay: str) -> None:
    manifests = with_components(overlay, "prometheus-access", "monitoring")
    (monitor,) = manifests.of("ServiceMonitor")
    selected = [
        m
        for m in manifests.of("Service")
        if monitor["spec"]["selector"]["matchLabels"].items() <= m["metadata"]["labels"].items()
    ]
    assert {m["metadata"]["name"] for m in selected} == set(SERVICES)
    (endpoint,) = monitor["spec"]["endpoints"]
    assert all(endpoint["port"] in {port["name"] for port in m["spec"]["ports"]} for m in selected)


@each_overlay
def test_prometheus_scrapes_the_brokers_series_that_the_rules_read(overlay: str) -> None:
    manifests = with_components(overlay, "monitoring")
    selector = manifests.one("PodMonitor", "earshot-kafka")["spec"]["selector"]
    assert matches(selector, earshot_pods(rendered(overlay).of("Namespace")[0]["metadata"]["name"])["kafka"].labels)
    metrics = manifests.one("Kafka", "earshot")["spec"]["kafka"]["metricsConfig"]
    read = [name for name in EXTERNAL if name.startswith("kafka_")]
    assert read
    assert [name for name in read if not any(re.fullmatch(one, name) for one in metrics["values"]["allowList"])] == []


@each_overlay
def test_grafana_finds_the_dashboards(overlay: str) -> None:
    dashboards = with_components(overlay, "monitoring").one("ConfigMap", "earshot-dashboards")
    assert dashboards["metadata"]["labels"]["grafana_dashboard"] == "1"
    assert set(dashboards["data"]) == {"earshot-overview.json", "earshot-pipeline.json"}


def paths_of_ingress(ingress: Manifest) -> set[tuple[str, str, str]]:
    """(host, path, service) that an Ingress serves."""
    return {
        (rule["host"], path["path"], path["backend"]["service"]["name"])
        for rule in ingress["spec"]["rules"]
        for path in rule["http"]["paths"]
    }


def paths_of_route(route: Manifest) -> set[tuple[str, str, str]]:
    """(host, path, service) that an HTTPRoute serves."""
    return {
        (host, match["path"]["value"], backend["name"])
        for host in route["spec"]["hostnames"]
        for rule in route["spec"]["rules"]
        for match in rule["matches"]
        for backend in rule["backendRefs"]
    }


@pytest.mark.parametrize("name", ["hooks", "gateway"])
def test_a_route_of_the_gateway_api_serves_what_the_ingress_serves(name: str) -> None:
    manifests = with_components(PRODUCTION, "gateway-api")
    served = paths_of_route(manifests.one("HTTPRoute", name))
    live = {("earshot.example.com", "/v1/live", "gateway")} if name == "gateway" else set()
    assert served == paths_of_ingress(manifests.one("Ingress", name)) | live
    ports = {m["metadata"]["name"]: {port["port"] for port in m["spec"]["ports"]} for m in manifests.of("Service")}
    backends = [backend for rule in manifests.one("HTTPRoute", name)["spec"]["rules"] for backend in rule["backendRefs"]]
    assert all(backend["port"] in ports[backend["name"]] for backend in backends)


def test_a_live_stream_through_the_gateway_api_has_no_end() -> None:
    rules = with_components(PRODUCTION, "gateway-api").one("HTTPRoute", "gateway")["spec"]["rules"]
    (live,) = [rule for rule in rules if rule["matches"][0]["path"]["value"] == "/v1/live"]
    assert live["timeouts"] == {"request": "0s"}


def test_each_route_has_a_listener_with_the_host_s_certificate() -> None:
    manifests = with_components(PRODUCTION, "gateway-api")
    listeners = {one["name"]: one for one in manifests.one("Gateway", "earshot")["spec"]["listeners"]}
    for name in ("hooks", "gateway"):
        (parent,) = manifests.one("HTTPRoute", name)["spec"]["parentRefs"]
        listener = listeners[parent["sectionName"]]
        assert manifests.one("HTTPRoute", name)["spec"]["hostnames"] == [listener["hostname"]]
        (tls,) = manifests.one("Ingress", name)["spec"]["tls"]
        assert (tls["hosts"], [{"name": tls["secretName"]}]) == ([listener["hostname"]], listener["tls"]["certificateRefs"])


def test_only_ingest_and_the_gateway_accept_the_proxies_of_the_gateway_api() -> None:
    policies, pods = with_components(PRODUCTION, "gateway-api").of("NetworkPolicy"), earshot_pods("earshot")
    proxy = Pod("envoy-gateway-system", {})
    assert {s for s in SERVICES if allows(policies, "ingress", pods[s], proxy, HTTP)} == {"ingest", "gateway"}


def test_every_public_host_gets_a_certificate() -> None:
    manifests = with_components(PRODUCTION, "cert-manager")
    issued = {m["spec"]["secretName"]: m["spec"]["dnsNames"] for m in manifests.of("Certificate")}
    assert issued == {tls["secretName"]: tls["hosts"] for m in manifests.of("Ingress") for tls in m["spec"]["tls"]}
    assert {m["metadata"]["name"] for m in manifests.of("Certificate")} == issued.keys(), "the alert selects by name"
    assert {m["spec"]["issuerRef"]["name"] for m in manifests.of("Certificate")} == {
        manifests.of("Issuer")[0]["metadata"]["name"]
    }


def test_the_vault_supplies_every_secret_that_no_operator_creates() -> None:
    """An entry of the vault for each, with all its properties: a rotation adds one for a while."""
    manifests = with_components(PRODUCTION, "external-secrets")
    entries = {m["spec"]["target"]["name"]: m["spec"]["dataFrom"] for m in manifests.of("ExternalSecret")}
    required = {m["metadata"]["name"]: m["stringData"].keys() for m in rendered(BASE).of("Secret")}
    assert entries.keys() == {name for name in required if not name.endswith("-database-app")}
    assert all(source.keys() == {"extract"} for sources in entries.values() for source in sources)
    page = (HOME / "components/external-secrets/secrets.yaml").read_text()
    assert [key for name in entries for key in required[name] if key not in page] == []
    assert {m["spec"]["secretStoreRef"]["name"] for m in manifests.of("ExternalSecret")} == {
        m["metadata"]["name"] for m in manifests.of("SecretStore")
    }


@each_overlay
def test_every_database_is_archived_and_backed_up(overlay: str) -> None:
    manifests = with_components(overlay, "backup")
    (store,) = manifests.of("ObjectStore")
    clusters = {m["metadata"]["name"]: m["spec"]["plugins"] for m in manifests.of("Cluster")}
    assert clusters.keys() == {f"{service}-database" for service in WITH_DATABASE}
    assert {m["spec"]["cluster"]["name"] for m in manifests.of("ScheduledBackup")} == clusters.keys()
    for plugins in clusters.values():
        assert [(p["isWALArchiver"], p["parameters"]) for p in plugins] == [
            (True, {"barmanObjectName": store["metadata"]["name"]})
        ]
    assert len({m["spec"]["schedule"] for m in manifests.of("ScheduledBackup")}) == len(WITH_DATABASE), "not all at once"


def test_every_workload_but_the_migrations_has_a_priority() -> None:
    manifests = with_components(PRODUCTION, "priority")
    classes = {m["metadata"]["name"]: m["value"] for m in manifests.of("PriorityClass")}
    servers = {m["spec"]["template"]["spec"]["priorityClassName"] for m in manifests.of("Deployment")}
    stores = {m["spec"]["priorityClassName"] for m in manifests.of("Cluster")}
    stores |= {m["spec"]["template"]["pod"]["priorityClassName"] for m in manifests.of("KafkaNodePool")}
    (server,), (store,) = servers, stores
    assert classes[server] < classes[store] < 2**31
    assert manifests.of("Job") == rendered(PRODUCTION).of("Job")


def test_every_workload_is_spread_over_zones() -> None:
    manifests = rendered(PRODUCTION)
    spread = [m["spec"]["template"]["spec"]["topologySpreadConstraints"] for m in manifests.of("Deployment")]
    spread += [m["spec"]["topologySpreadConstraints"] for m in manifests.of("Cluster")]
    spread += [m["spec"]["template"]["pod"]["topologySpreadConstraints"] for m in manifests.of("KafkaNodePool")]
    assert len(spread) == len(SERVICES) + len(WITH_DATABASE) + 1
    for constraints in spread:
        (zone,) = [one for one in constraints if one["topologyKey"] == "topology.kubernetes.io/zone"]
        assert zone["whenUnsatisfiable"] == "ScheduleAnyway"
        keys = zone["labelSelector"]["matchLabels"].keys()
        assert not keys & set(zone.get("matchLabelKeys", ())), "Kubernetes refuses a label in both"


@each_overlay
def test_the_services_reach_the_collector_of_traces(overlay: str) -> None:
    manifests = with_components(overlay, "opentelemetry")
    home = rendered(overlay).of("Namespace")[0]["metadata"]["name"]
    pods, collector = earshot_pods(home), OTHER_PODS["prometheus"]
    host, _, port = (
        manifests.one("ConfigMap", "earshot")["data"]["OTEL_EXPORTER_OTLP_ENDPOINT"].removeprefix("http://").partition(":")
    )
    assert host.split(".")[1] == collector.namespace
    policies = manifests.of("NetworkPolicy")
    assert all(allows(policies, "egress", pods[service], collector, int(port)) for service in SERVICES)
    assert not any(allows(policies, "egress", pods[f"{s}-migration"], collector, int(port)) for s in WITH_DATABASE)


def test_the_documented_restore_names_the_database_and_the_owner_of_the_cluster() -> None:
    """Without them CloudNativePG creates no Secret with the URL of the restored database."""
    page = (HOME.parents[1] / "docs" / "deployment.md").read_text()
    (example,) = [block for block in re.findall(r"```yaml\n(.*?)```", page, re.DOTALL) if "recovery:" in block]
    spec = yaml.safe_load(example)["spec"]
    cluster = spec["externalClusters"][0]["plugin"]["parameters"]["serverName"]
    created = with_components(PRODUCTION, "backup").one("Cluster", cluster)["spec"]
    recovery = spec["bootstrap"]["recovery"]
    assert {name: recovery[name] for name in ("database", "owner")} == created["bootstrap"]["initdb"]
    assert recovery["source"] == spec["externalClusters"][0]["name"]
