"""Each optional component, added to each overlay: it renders, and every object is valid and in the overlay's namespace."""

from pathlib import Path

import jsonschema
import kubernetes_validate
import pytest
import yaml

from tests.unit.deploy.component_schemas import ALL_SCHEMAS
from tests.unit.deploy.manifests import HOME, OVERLAYS, SERVICES, Manifests, rendered, with_components

COMPONENTS = sorted(path.name for path in (HOME / "components").iterdir() if path.is_dir())
NEEDS = {"keda-kafka-tls": ("keda", "kafka-tls")}
"""Component → those that it changes, which the overlay `dev` may lack."""
CLUSTER_WIDE = {"Namespace", "PriorityClass"}

each_component = pytest.mark.parametrize("component", COMPONENTS)
each_overlay = pytest.mark.parametrize("overlay", OVERLAYS)


def added(overlay: str, component: str) -> Manifests:
    """The overlay with the component."""
    return with_components(overlay, *NEEDS.get(component, ()), component)


@each_overlay
@each_component
def test_a_component_renders_valid_objects(component: str, overlay: str) -> None:
    manifests = added(overlay, component)
    for manifest in manifests:
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
def test_grafana_finds_the_dashboards(overlay: str) -> None:
    dashboards = with_components(overlay, "monitoring").one("ConfigMap", "earshot-dashboards")
    assert dashboards["metadata"]["labels"]["grafana_dashboard"] == "1"
    assert set(dashboards["data"]) == {"earshot-overview.json", "earshot-pipeline.json"}
