"""The environment of each pod in the manifests matches the settings classes."""

from collections.abc import Iterator

import pytest
from pydantic import ValidationError
from sqlalchemy.exc import ArgumentError

from deploy.settings_page import settings_class, settings_of
from shared.database import open_engine
from shared.service_client import KEEPALIVE_SECONDS
from tests.unit.deploy.manifests import ALL, BASE, SERVICES, Manifest, Manifests, rendered

PROXIES_CLOSE = 60
"""Seconds after which ingress-nginx and common load balancers close an idle connection to a service."""


def secrets() -> dict[str, dict[str, str]]:
    """The content of the Secrets that an operator creates, as the base's placeholders define it."""
    return {m["metadata"]["name"]: m["stringData"] for m in rendered(BASE).of("Secret")}


def environment(manifests: Manifests, container: Manifest) -> dict[str, str]:
    """The variables that the container will see; KeyError where something that is referred to isn't there."""
    variables: dict[str, str] = {}
    configs = {m["metadata"]["name"]: m["data"] for m in manifests.of("ConfigMap")}
    for source in container["envFrom"]:
        held = configs[source["configMapRef"]["name"]] if "configMapRef" in source else secrets()[source["secretRef"]["name"]]
        variables |= held
    for entry in container.get("env", []):
        variables[entry["name"]] = referred(entry["valueFrom"])
    return variables


def referred(source: Manifest) -> str:
    """The value of a reference: a key of a Secret, or the pod's name."""
    if "fieldRef" in source:
        return {"metadata.name": "metrics-5d8f-abcde"}[source["fieldRef"]["fieldPath"]]
    key = source["secretKeyRef"]
    return secrets()[key["name"]][key["key"]]


def each(kustomization: str, *, migrations: bool = True) -> Iterator[tuple[str, dict[str, str]]]:
    """The service and the environment of every container."""
    manifests = rendered(kustomization)
    for name, container in manifests.containers():
        workload = name.split("/")[0]
        if migrations or workload in SERVICES:
            yield workload.removesuffix("-migration"), environment(manifests, container)


@pytest.mark.parametrize("kustomization", ALL)
def test_every_variable_is_a_setting_of_the_service_that_gets_it(kustomization: str) -> None:
    for service, variables in each(kustomization):
        assert variables.keys() <= {setting.name for setting in settings_of(service)}, service


@pytest.mark.parametrize("kustomization", ALL)
def test_every_required_setting_is_set(kustomization: str) -> None:
    for service, variables in each(kustomization):
        assert {setting.name for setting in settings_of(service) if setting.required} <= variables.keys(), service


@pytest.mark.parametrize("kustomization", ALL)
def test_no_url_has_its_default_of_localhost(kustomization: str) -> None:
    """Defaults are those of one machine: in a cluster every address must be set. Migrations call no other service."""
    for service, variables in each(kustomization, migrations=False):
        local = {s.name for s in settings_of(service) if s.default and "127.0.0.1" in s.default}
        assert local <= variables.keys(), service


@pytest.mark.parametrize("kustomization", ALL)
def test_the_urls_of_other_services_name_existing_services_and_ports(kustomization: str) -> None:
    manifests = rendered(kustomization)
    urls = {f"http://{m['metadata']['name']}:{port['port']}" for m in manifests.of("Service") for port in m["spec"]["ports"]}
    for service, variables in each(kustomization):
        named = {value for name, value in variables.items() if name.endswith("_URL") and name != "INGEST_PUBLIC_URL"}
        assert {url for url in named if url.startswith("http")} <= urls, service


@pytest.mark.parametrize("kustomization", ALL)
def test_the_container_port_is_the_port_setting(kustomization: str) -> None:
    manifests = rendered(kustomization)
    for deployment in manifests.of("Deployment"):
        (container,) = deployment["spec"]["template"]["spec"]["containers"]
        variables, prefix = environment(manifests, container), deployment["metadata"]["name"].upper()
        assert variables[f"{prefix}_HOST"] == "0.0.0.0"
        assert [str(port["containerPort"]) for port in container["ports"]] == [variables[f"{prefix}_PORT"]]


@pytest.mark.parametrize("kustomization", ALL)
def test_idle_connections_between_services_end_within_the_pause_of_a_stopping_server(kustomization: str) -> None:
    """Else a request is sent on a connection that the server closes at that moment."""
    for service, variables in each(kustomization, migrations=False):
        assert float(variables["SHUTDOWN_PAUSE"]) > KEEPALIVE_SECONDS, service


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_refuses_to_boot_with_a_placeholder(service: str, monkeypatch: pytest.MonkeyPatch) -> None:
    variables = dict(each(BASE, migrations=False))[service]
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(ValidationError) as refused:
        settings_class(service)()
    assert ("INTERNAL_TOKEN",) in {error["loc"] for error in refused.value.errors()}


def test_a_placeholder_is_no_database_url() -> None:
    with pytest.raises(ArgumentError):
        open_engine("REPLACE_ME")


@pytest.mark.parametrize("kustomization", ALL)
@pytest.mark.parametrize("service", SERVICES)
def test_real_secrets_are_accepted(service: str, kustomization: str, monkeypatch: pytest.MonkeyPatch) -> None:
    real = {"INTERNAL_TOKEN": "t" * 43, "INGEST_SECRET_KEY": "k" * 43 + "="}
    for name, value in dict(each(kustomization, migrations=False))[service].items():
        monkeypatch.setenv(name, real.get(name, "postgresql://u:p@host:5432/db" if value == "REPLACE_ME" else value))
    settings = settings_class(service)()
    assert settings.port == 8000


@pytest.mark.parametrize("kustomization", ALL)
def test_idle_connections_outlast_those_of_common_proxies(kustomization: str) -> None:
    """Else a request that crosses the close is answered 502 by the proxy."""
    for service, variables in each(kustomization, migrations=False):
        assert int(variables["IDLE_TIMEOUT"]) > PROXIES_CLOSE, service
