"""Databases and Kafka in place of the operators', with the labels, Services and Secrets that the operators create.

They use the images and the variables of compose.yaml, keep their data in the pod, and are for these tests alone.
"""

import secrets
from pathlib import Path
from typing import Any

import yaml

from tests.cluster.kubectl import Manifest

COMPOSE = Path(__file__).parents[2] / "compose.yaml"
DATABASES = ("ingest", "metrics", "gateway")
BOOTSTRAP = "earshot-kafka-bootstrap"
POSTGRES_USER, KAFKA_USER, EARSHOT_USER = 999, 1000, 10001
"""The users of the images."""
RESOURCES = {"requests": {"cpu": "250m", "memory": "256Mi"}}
"""Without a request a busy node would leave a pod no processor time."""
KAFKA_LABELS = {"strimzi.io/cluster": "earshot", "strimzi.io/kind": "Kafka"}
CREATE = """\
psql --username postgres --set ON_ERROR_STOP=1 --set name="{name}" --set password="$POSTGRES_PASSWORD" <<'SQL'
CREATE ROLE :"name" LOGIN PASSWORD :'password';
CREATE DATABASE :"name" OWNER :"name";
SQL
"""


def manifests(namespace: str, image: str) -> list[Manifest]:
    """Every object of the stand-ins. `image` is one of Earshot's, by which the topics are created."""
    compose = yaml.safe_load(COMPOSE.read_text())["services"]
    databases = [one for name in DATABASES for one in database(name, compose["postgres"])]
    return [*databases, *kafka(namespace, compose["kafka"]), topics(namespace, image)]


def database(service: str, compose: Manifest) -> list[Manifest]:
    """The database of a service, as the CloudNativePG cluster `<service>-database` is seen by it."""
    name, labels = f"{service}-database", {"cnpg.io/cluster": f"{service}-database"}
    password = secrets.token_urlsafe(24)
    uri = f"postgresql://{service}:{password}@{name}-rw:5432/{service}"
    container = {
        "name": "postgres",
        "image": compose["image"],
        "env": [{"name": "POSTGRES_PASSWORD", "valueFrom": {"secretKeyRef": {"name": f"{name}-app", "key": "password"}}}],
        "readinessProbe": probe(compose["healthcheck"]["test"]),
        "volumeMounts": [
            {"name": "data", "mountPath": "/var/lib/postgresql"},
            {"name": "create", "mountPath": "/docker-entrypoint-initdb.d"},
            {"name": "socket", "mountPath": "/var/run/postgresql"},
        ],
    }
    volumes = [scratch("data"), scratch("socket"), {"name": "create", "configMap": {"name": f"{name}-create"}}]
    return [
        named("v1", "Secret", f"{name}-app", stringData={"uri": uri, "password": password}),
        named("v1", "ConfigMap", f"{name}-create", data={"create.sh": CREATE.format(name=service)}),
        named("v1", "Service", f"{name}-rw", spec={"selector": labels, "ports": [{"port": 5432}]}),
        workload(name, labels, pod(POSTGRES_USER, container, volumes)),
    ]


def kafka(namespace: str, compose: Manifest) -> list[Manifest]:
    """One broker, as the Strimzi cluster `earshot` is seen by the services."""
    variables = compose["environment"] | {"KAFKA_ADVERTISED_LISTENERS": f"PLAINTEXT://{BOOTSTRAP}.{namespace}.svc:9092"}
    container = {
        "name": "kafka",
        "image": compose["image"],
        "env": [{"name": name, "value": str(value)} for name, value in variables.items()],
        "readinessProbe": probe(compose["healthcheck"]["test"]),
        "volumeMounts": [{"name": "data", "mountPath": "/var/lib/kafka/data"}, {"name": "tmp", "mountPath": "/tmp"}],
    }
    return [
        named("v1", "Service", BOOTSTRAP, spec={"selector": KAFKA_LABELS, "ports": [{"port": 9092}]}),
        workload("earshot-kafka", KAFKA_LABELS, pod(KAFKA_USER, container, [scratch("data"), scratch("tmp")])),
    ]


def topics(namespace: str, image: str) -> Manifest:
    """A Job that creates the topics, which services never do."""
    call = f"asyncio.run(ensure_topics('{BOOTSTRAP}.{namespace}.svc:9092'))"
    command = ["python", "-c", f"import asyncio; from shared.kafka import ensure_topics; {call}"]
    template = pod(EARSHOT_USER, {"name": "topics", "image": image, "command": command}, [])
    template["restartPolicy"] = "OnFailure"
    return named("batch/v1", "Job", "topics", spec={"backoffLimit": 20, "template": {"spec": template}})


def named(api: str, kind: str, name: str, **content: Any) -> Manifest:
    """An object of Kubernetes."""
    return {"apiVersion": api, "kind": kind, "metadata": {"name": name}, **content}


def workload(name: str, labels: dict[str, str], template: Manifest) -> Manifest:
    """A Deployment of one pod."""
    selector = {"matchLabels": labels}
    spec = {
        "selector": selector,
        "strategy": {"type": "Recreate"},
        "template": {"metadata": {"labels": labels}, "spec": template},
    }
    return named("apps/v1", "Deployment", name, spec=spec)


def pod(user: int, container: Manifest, volumes: list[Manifest]) -> Manifest:
    """The specification of a pod that the `restricted` Pod Security Standard admits."""
    rights = {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}}
    return {
        "enableServiceLinks": False,
        "automountServiceAccountToken": False,
        "securityContext": {
            "runAsNonRoot": True,
            "runAsUser": user,
            "runAsGroup": user,
            "fsGroup": user,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "containers": [{"imagePullPolicy": "IfNotPresent", "securityContext": rights, "resources": RESOURCES, **container}],
        "volumes": volumes,
    }


def probe(healthcheck: list[str]) -> Manifest:
    """The readiness probe of a health check of compose.yaml."""
    return {"exec": {"command": healthcheck[1:]}, "periodSeconds": 5, "timeoutSeconds": 15, "failureThreshold": 20}


def scratch(name: str) -> Manifest:
    """A volume that ends with its pod."""
    return {"name": name, "emptyDir": {}}
