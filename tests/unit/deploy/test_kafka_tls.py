"""components/kafka-tls and components/keda-kafka-tls, added to production: TLS, and a user for each service."""

import shutil
from pathlib import Path, PurePosixPath

import jsonschema
import kubernetes_validate
import pytest

from deploy.k8s import users
from deploy.k8s.kubectl import render
from deploy.settings_page import settings_of
from shared.brokers import MECHANISMS, PROTOCOLS
from tests.unit.deploy.custom_resources import KAFKA_TLS, SCHEMAS
from tests.unit.deploy.manifests import HOME, PRODUCTION, SERVICES, WITH_DATABASE, Manifest, Manifests, parsed, rendered
from tests.unit.deploy.test_network import OTHER_PODS, Pod, allows, earshot_pods, peer_matches

TLS, PLAIN = 9093, 9092
CREATED_SECRETS = {"earshot-cluster-ca-cert": {"ca.crt"}} | {f"kafka-user-{user}": {"password"} for user in users.rights()}
"""Secret that Strimzi creates → the keys that we read. The User Operator's `secretPrefix` is a part of the name."""


@pytest.fixture(scope="module")
def manifests(tmp_path_factory: pytest.TempPathFactory) -> Manifests:
    """Production with the two components."""
    sources = Path(shutil.copytree(HOME, tmp_path_factory.mktemp("tls") / "k8s"))
    file = sources / PRODUCTION / "kustomization.yaml"
    keda = "  - ../../components/keda\n"
    both = keda + "  - ../../components/kafka-tls\n  - ../../components/keda-kafka-tls\n"
    file.write_text(file.read_text().replace(keda, both))
    return parsed(render(sources / PRODUCTION))


def test_every_object_is_valid(manifests: Manifests) -> None:
    schemas = SCHEMAS | KAFKA_TLS
    kinds = set()
    for manifest in manifests:
        kind = (manifest["apiVersion"], manifest["kind"])
        if kind in schemas:
            jsonschema.validate(manifest, schemas[kind])
            kinds.add(kind)
        else:
            kubernetes_validate.validate(manifest, "1.34", strict=True)
    assert kinds == schemas.keys()


def test_the_only_listener_requires_tls_and_a_user(manifests: Manifests) -> None:
    kafka = manifests.one("Kafka", "earshot")["spec"]
    (listener,) = kafka["kafka"]["listeners"]
    assert (listener["port"], listener["tls"], listener["authentication"]) == (TLS, True, {"type": "scram-sha-512"})
    assert kafka["kafka"]["authorization"] == {"type": "simple"}
    pods = earshot_pods("earshot") | OTHER_PODS | {"keda": Pod("keda", {})}
    admitted = {
        name for name, pod in pods.items() if any(peer_matches(peer, pod, "earshot") for peer in listener["networkPolicyPeers"])
    }
    assert admitted == {*SERVICES, "keda"}


def test_the_services_reach_only_the_port_with_tls(manifests: Manifests) -> None:
    policies, pods = manifests.of("NetworkPolicy"), earshot_pods("earshot")
    for service in SERVICES:
        assert allows(policies, "egress", pods[service], pods["kafka"], TLS)
        assert not allows(policies, "egress", pods[service], pods["kafka"], PLAIN)


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_has_the_settings_and_files_of_its_user(service: str, manifests: Manifests) -> None:
    pod = manifests.one("Deployment", service)["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    settings = {name: value for name, value in config(manifests).items() if name.startswith("KAFKA_")}
    assert settings.keys() <= {setting.name for setting in settings_of(service)}
    assert settings["KAFKA_SECURITY_PROTOCOL"] in PROTOCOLS.split("|")
    assert settings["KAFKA_SASL_MECHANISM"] in MECHANISMS.split("|")
    (username,) = (entry["valueFrom"]["fieldRef"] for entry in container["env"] if entry["name"] == "KAFKA_SASL_USERNAME")
    assert username["fieldPath"] == "metadata.labels['app.kubernetes.io/name']"
    assert (
        manifests.one("Deployment", service)["spec"]["template"]["metadata"]["labels"]["app.kubernetes.io/name"] in users.rights()
    )
    for variable, secret in (
        ("KAFKA_SSL_CA_FILE", "earshot-cluster-ca-cert"),
        ("KAFKA_SASL_PASSWORD_FILE", f"kafka-user-{service}"),
    ):
        assert source(pod, PurePosixPath(settings[variable])) in {(secret, key) for key in CREATED_SECRETS[secret]}


def config(manifests: Manifests) -> dict[str, str]:
    return dict(manifests.one("ConfigMap", "earshot")["data"])


def source(pod: Manifest, path: PurePosixPath) -> tuple[str, str]:
    """The Secret and the key that the container reads as the file `path`."""
    (container,) = pod["containers"]
    (mount,) = (mount for mount in container["volumeMounts"] if PurePosixPath(mount["mountPath"]) == path.parent)
    (volume,) = (volume["secret"] for volume in pod["volumes"] if volume["name"] == mount["name"])
    return volume["secretName"], path.name


def test_the_secrets_of_the_users_are_not_those_of_the_services(manifests: Manifests) -> None:
    prefix = manifests.one("Kafka", "earshot")["spec"]["entityOperator"]["userOperator"]["secretPrefix"]
    assert {f"{prefix}{m['metadata']['name']}" for m in manifests.of("KafkaUser")} == CREATED_SECRETS.keys() - {
        "earshot-cluster-ca-cert"
    }


def test_migrations_are_unchanged(manifests: Manifests) -> None:
    assert manifests.of("Job") == rendered(PRODUCTION).of("Job")
    assert len(manifests.of("Job")) == len(WITH_DATABASE)


def test_the_autoscaler_has_a_user(manifests: Manifests) -> None:
    triggers = [t for m in manifests.of("ScaledObject") for t in m["spec"]["triggers"] if t["type"] == "kafka"]
    assert len(triggers) == 3
    for trigger in triggers:
        assert trigger["metadata"]["bootstrapServers"] == "earshot-kafka-bootstrap.earshot.svc:9093"
        assert (trigger["metadata"]["sasl"], trigger["metadata"]["tls"]) == ("scram_sha512", "enable")
        assert trigger["authenticationRef"] == {"name": manifests.one("TriggerAuthentication", "kafka")["metadata"]["name"]}
    parameters = manifests.one("TriggerAuthentication", "kafka")["spec"]
    for one in parameters["secretTargetRef"]:
        assert one["key"] in CREATED_SECRETS[one["name"]]
    (username,) = parameters["configMapTargetRef"]
    assert manifests.one("ConfigMap", username["name"])["data"][username["key"]] in users.rights()


def test_the_users_are_those_of_the_code() -> None:
    assert users.PAGE.read_text() == users.page(), "run: make docs"


def test_no_user_has_rights_on_everything() -> None:
    operations = {operation for allowed in users.rights().values() for one in allowed.values() for operation in one}
    assert operations == {"Read", "Write", "Describe"}
    writers = {name: [user for user, allowed in users.rights().items() if "Write" in allowed.get(("topic", name), ())]
               for name in ("feedback.events", "feedback.scores", "kpi.changes")}  # fmt: skip
    assert writers == {"feedback.events": ["ingest"], "feedback.scores": ["sentiment"], "kpi.changes": ["metrics"]}
