"""Every pod is restricted, has probes, limits and a pinned image, and is replaced without a gap."""

import pytest
from fastapi import FastAPI

from shared.http import add_health
from tests.unit.deploy.manifests import ALL, BASE, DEV, JOB_VERSION, PRODUCTION, SERVICES, WITH_DATABASE, rendered

HTTP_DRAINS = 10  # shared.http.serve gives requests as long
ENDPOINTS_UPDATED = 5  # seconds in which every node and Ingress controller has noticed that a pod is unready
WORKERS_FINISH = 20  # a batch in hand, then the producer's flush with its deadline of ten seconds

pytestmark = pytest.mark.parametrize("kustomization", ALL)


def test_each_service_has_a_deployment_and_each_database_a_migration(kustomization: str) -> None:
    manifests = rendered(kustomization)
    assert {m["metadata"]["name"] for m in manifests.of("Deployment")} == set(SERVICES)
    names = {m["metadata"]["name"] for m in manifests.of("Job")}
    assert names == {f"{service}-migration{JOB_VERSION}" for service in WITH_DATABASE}


async def nothing_missing() -> list[str]:
    return []


def test_every_pod_is_restricted(kustomization: str) -> None:
    for name, pod in rendered(kustomization).pods():
        context = pod["spec"]["securityContext"]
        assert context["runAsNonRoot"], name
        assert context["runAsUser"] >= 10000, name
        assert context["seccompProfile"] == {"type": "RuntimeDefault"}, name
        assert pod["spec"]["automountServiceAccountToken"] is False, name
        assert not {"hostNetwork", "hostPID", "hostIPC"} & pod["spec"].keys(), name


def test_every_container_is_restricted(kustomization: str) -> None:
    for name, container in rendered(kustomization).containers():
        assert container["securityContext"] == {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        }, name


def test_every_container_can_write_only_to_tmp(kustomization: str) -> None:
    for name, pod in rendered(kustomization).pods():
        assert [v["name"] for v in pod["spec"]["volumes"] if "emptyDir" in v] == ["tmp"], name
        for container in pod["spec"]["containers"]:
            assert [m["mountPath"] for m in container["volumeMounts"]] == ["/tmp"], name


def test_every_container_requests_resources_and_has_a_memory_limit(kustomization: str) -> None:
    for name, container in rendered(kustomization).containers():
        assert container["resources"]["requests"].keys() == {"cpu", "memory"}, name
        assert "memory" in container["resources"]["limits"], name


def test_every_image_has_a_version(kustomization: str) -> None:
    for name, container in rendered(kustomization).containers():
        image = container["image"].rpartition("/")[2]
        assert "@sha256:" in image or (":" in image and not image.endswith(":latest")), name


def test_a_migration_runs_the_image_of_its_service(kustomization: str) -> None:
    images = {name.split("/")[0]: container["image"] for name, container in rendered(kustomization).containers()}
    for service in WITH_DATABASE:
        assert images[f"{service}-migration"] == images[service]


def test_service_links_are_off(kustomization: str) -> None:
    """With links on, Kubernetes would set INGEST_PORT to tcp://10.0.0.1:8000, and ingest would refuse to start."""
    for name, pod in rendered(kustomization).pods():
        assert pod["spec"]["enableServiceLinks"] is False, name


def test_the_probes_use_the_routes_of_the_code(kustomization: str) -> None:
    app = FastAPI()
    add_health(app, alive=list, ready=nothing_missing, metrics=())
    served = {getattr(route, "path", "") for route in app.routes}
    for deployment in rendered(kustomization).of("Deployment"):
        (container,) = deployment["spec"]["template"]["spec"]["containers"]
        probes = {kind: container[f"{kind}Probe"]["httpGet"] for kind in ("startup", "liveness", "readiness")}
        assert {kind: get["path"] for kind, get in probes.items()} == {
            "startup": "/livez",
            "liveness": "/livez",
            "readiness": "/readyz",
        }
        assert {get["path"] for get in probes.values()} <= served
        assert {get["port"] for get in probes.values()} == {port["name"] for port in container["ports"]}


def test_the_grace_period_covers_the_shutdown(kustomization: str) -> None:
    manifests = rendered(kustomization)
    pause = float(manifests.one("ConfigMap", "earshot")["data"]["SHUTDOWN_PAUSE"])
    for deployment in manifests.of("Deployment"):
        grace = deployment["spec"]["template"]["spec"]["terminationGracePeriodSeconds"]
        assert grace >= pause + HTTP_DRAINS + WORKERS_FINISH
    assert pause >= ENDPOINTS_UPDATED, "a server that stops accepting at once drops requests of a rollout"


def test_an_update_keeps_a_pod_until_its_successor_is_ready(kustomization: str) -> None:
    for deployment in rendered(kustomization).of("Deployment"):
        assert deployment["spec"]["strategy"]["rollingUpdate"] == {"maxSurge": 1, "maxUnavailable": 0}


def test_selectors_match_only_the_services(kustomization: str) -> None:
    manifests = rendered(kustomization)
    pods = {name: pod["metadata"]["labels"] for name, pod in manifests.pods()}

    def selected(selector: dict[str, str]) -> list[str]:
        return [name for name, labels in pods.items() if selector.items() <= labels.items()]

    for service in SERVICES:
        assert selected(manifests.one("Deployment", service)["spec"]["selector"]["matchLabels"]) == [service]
        assert selected(manifests.one("Service", service)["spec"]["selector"]) == [service]
        assert selected(manifests.one("PodDisruptionBudget", service)["spec"]["selector"]["matchLabels"]) == [service]
        for spread in manifests.one("Deployment", service)["spec"]["template"]["spec"]["topologySpreadConstraints"]:
            assert set(selected(spread["labelSelector"]["matchLabels"])) == set(SERVICES)
            assert spread["matchLabelKeys"] == ["app.kubernetes.io/name", "pod-template-hash"]


def test_every_service_account_exists_and_has_no_token(kustomization: str) -> None:
    manifests = rendered(kustomization)
    accounts = {m["metadata"]["name"]: m for m in manifests.of("ServiceAccount")}
    assert {pod["spec"]["serviceAccountName"] for _, pod in manifests.pods()} == accounts.keys()
    assert not any(account["automountServiceAccountToken"] for account in accounts.values())


def test_every_node_can_be_drained(kustomization: str) -> None:
    for budget in rendered(kustomization).of("PodDisruptionBudget"):
        assert budget["spec"]["maxUnavailable"] == 1


def test_overlays_contain_no_placeholder_secrets(kustomization: str) -> None:
    secrets = rendered(kustomization).of("Secret")
    if kustomization == BASE:
        assert {value for secret in secrets for value in secret["stringData"].values()} == {"REPLACE_ME"}
    else:
        assert not secrets


def test_the_namespace_enforces_the_restricted_profile(kustomization: str) -> None:
    if kustomization in (DEV, PRODUCTION):
        (namespace,) = rendered(kustomization).of("Namespace")
        assert namespace["metadata"]["labels"]["pod-security.kubernetes.io/enforce"] == "restricted"
        others = [m["metadata"].get("namespace") for m in rendered(kustomization) if m is not namespace]
        assert set(others) == {namespace["metadata"]["name"]}
