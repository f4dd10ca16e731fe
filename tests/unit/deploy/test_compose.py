"""compose.yaml, as far as it can be tried without an engine: its form, its environment, the same stack as `make run`."""

import re
from typing import Any
from urllib.parse import urlsplit

import pytest
import yaml
from sqlalchemy.engine import make_url

from deploy import new_secrets
from deploy.docker.demo import GATEWAY_VARIABLES
from deploy.k8s.kubectl import render
from deploy.local.kafka_jars import VERSION
from deploy.local.settings import Settings
from deploy.settings_page import settings_class, settings_of
from tests.unit.deploy.image import ROOT, SERVICES
from tests.unit.deploy.manifests import HOME, WITH_DATABASE

VARIABLE = re.compile(r"\$\{(\w+)(:\?[^}]+|:-)?\}")
OPTIONAL = {"FURTHER_INTERNAL_TOKENS", "INGEST_FURTHER_SECRET_KEYS"}
TEXT = (ROOT / "compose.yaml").read_text()
OURS = (*SERVICES, *(f"{service}-migration" for service in WITH_DATABASE))


def secrets() -> dict[str, str]:
    return dict(line.split("=", 1) for line in new_secrets.for_compose().splitlines())


@pytest.fixture(scope="module")
def services() -> dict[str, Any]:
    """The services as Compose reads them, with fresh secrets in place."""
    held = secrets()
    filled = VARIABLE.sub(lambda match: "" if match[1] in OPTIONAL else held[match[1]], TEXT)
    return dict(yaml.safe_load(filled)["services"])


def test_compose_refuses_to_start_without_secrets() -> None:
    used = VARIABLE.findall(TEXT)
    assert {name for name, _ in used} == secrets().keys() | OPTIONAL
    assert {name for name, guard in used if not guard.startswith(":?")} == OPTIONAL, "Compose only warns of others, and uses ''"
    assert {name for name, guard in used if guard == ":-"} == OPTIONAL


@pytest.mark.parametrize("name", OURS)
def test_every_variable_is_a_setting_and_every_required_one_is_set(name: str, services: dict[str, Any]) -> None:
    variables = services[name]["environment"].keys()
    known = settings_of(name.removesuffix("-migration"))
    assert variables <= {setting.name for setting in known}
    assert {setting.name for setting in known if setting.required} <= variables
    assert {setting.name for setting in known if setting.default and "127.0.0.1" in setting.default} <= variables


@pytest.mark.parametrize("name", OURS)
def test_the_settings_accept_the_environment(name: str, services: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    for variable, value in services[name]["environment"].items():
        monkeypatch.setenv(variable, value)
    assert settings_class(name.removesuffix("-migration"))().host == "0.0.0.0"


@pytest.mark.parametrize("name", OURS)
def test_every_url_is_that_of_a_service(name: str, services: dict[str, Any]) -> None:
    environment = services[name]["environment"]
    ports = {s: services[s]["environment"][f"{s.upper()}_PORT"] for s in SERVICES}
    for variable, value in environment.items():
        if variable.endswith("_URL") and value.startswith("http") and variable != "INGEST_PUBLIC_URL":
            url = urlsplit(value)
            assert str(url.port) == ports[str(url.hostname)], variable
        if variable.endswith("_DATABASE_URL"):
            url = make_url(value)
            owner = name.removesuffix("-migration")
            assert (url.host, url.port, url.username, url.database) == ("postgres", 5432, owner, owner)
    assert environment["KAFKA_BOOTSTRAP_SERVERS"] == "kafka:9092"


def test_the_ports_are_those_of_make_run(services: dict[str, Any]) -> None:
    ports = {name: Settings().port(name) for name in SERVICES}
    published = {name: one["ports"] for name, one in services.items() if "ports" in one}
    assert published == {name: [f"127.0.0.1:{port}:{port}"] for name, port in ports.items()}
    assert services["ingest"]["environment"]["INGEST_PUBLIC_URL"] == "http://localhost:8401"


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_has_its_own_image_and_a_readiness_check(service: str, services: dict[str, Any]) -> None:
    one = services[service]
    assert one["build"] == {"context": ".", "args": {"SERVICE": service}}
    port = one["environment"][f"{service.upper()}_PORT"]
    assert f"http://127.0.0.1:{port}/readyz" in " ".join(one["healthcheck"]["test"])


def test_compose_and_the_manifests_use_the_same_images(services: dict[str, Any]) -> None:
    named = set(re.findall(r"image: (earshot/\S+)", render(HOME / "base")))
    assert {one["image"] for one in services.values() if one["image"].startswith("earshot/")} == named | {"earshot/demo:0.1.0"}


@pytest.mark.parametrize("service", WITH_DATABASE)
def test_a_database_is_created_and_migrated_before_its_service_starts(service: str, services: dict[str, Any]) -> None:
    assert service in re.search(r"for service in (.*); do", (ROOT / "deploy/docker/databases.sh").read_text())[1].split()  # type: ignore[index]
    migration = services[f"{service}-migration"]
    assert migration["command"] == ["python", "-m", f"services.{service}.migrate"]
    assert migration["depends_on"]["postgres"]["condition"] == "service_healthy"
    assert services[service]["depends_on"][f"{service}-migration"]["condition"] == "service_completed_successfully"


def test_the_topics_exist_before_the_services_start(services: dict[str, Any]) -> None:
    assert "ensure_topics('kafka:9092')" in services["topics"]["command"][-1]
    assert services["topics"]["depends_on"] == {"kafka": {"condition": "service_healthy"}}
    assert all(services[s]["depends_on"]["topics"]["condition"] == "service_completed_successfully" for s in SERVICES)
    assert services["kafka"]["environment"]["KAFKA_AUTO_CREATE_TOPICS_ENABLE"] == "false"


def test_the_servers_have_the_versions_of_the_tests(services: dict[str, Any]) -> None:
    assert services["kafka"]["image"] == f"apache/kafka:{VERSION}"
    assert services["postgres"]["image"].startswith("postgres:18.")


def test_data_is_on_volumes(services: dict[str, Any]) -> None:
    assert "postgres:/var/lib/postgresql" in services["postgres"]["volumes"]
    assert services["kafka"]["volumes"] == [f"kafka:{services['kafka']['environment']['KAFKA_LOG_DIRS']}"]


def test_containers_are_restricted(services: dict[str, Any]) -> None:
    for name in (*OURS, "topics", "demo"):
        one = services[name]
        assert one["read_only"], name
        assert one["tmpfs"] == ["/tmp"], name
        assert one["cap_drop"] == ["ALL"], name


def test_the_demo_starts_when_all_services_are_ready_and_stores_its_progress(services: dict[str, Any]) -> None:
    demo = services["demo"]
    assert {name: one["condition"] for name, one in demo["depends_on"].items()} == dict.fromkeys(SERVICES, "service_healthy")
    assert demo["volumes"] == [f"demo:{demo['environment']['DATA']}"]
    assert set(GATEWAY_VARIABLES) <= demo["environment"].keys()


def test_secrets_are_new_each_time_and_can_be_printed_for_kubernetes() -> None:
    assert secrets() != secrets()
    made = {item["metadata"]["name"]: item["stringData"] for item in yaml.safe_load(new_secrets.for_kubernetes())["items"]}
    placeholders = {m["metadata"]["name"]: m["stringData"] for m in yaml.safe_load_all((HOME / "base/secrets.yaml").read_text())}
    assert made.keys() == {name for name in placeholders if not name.endswith("-app")}, "the operator makes the others"
    assert all(made[name].keys() == placeholders[name].keys() for name in made)
