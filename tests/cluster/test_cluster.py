"""The promises of docs/deployment.md, in the order in which the tests run, since they share one installation."""

import base64
import json
import subprocess
import time
from collections.abc import Callable

import pytest

from deploy.images import SERVICES
from tests.cluster.conftest import Cluster, note
from tests.cluster.kubectl import KubectlFailed
from tests.cluster.overlay import lone_pod

SERVERS = "app.kubernetes.io/part-of=earshot,app.kubernetes.io/component=server"
PARTITIONS = 6
OTHER_DATABASES = {"ingest": "metrics", "sentiment": "ingest", "metrics": "gateway", "gateway": "ingest"}
"""Service → a database that it must not reach."""
LOAD_SECONDS, RATE, CLIENTS = 600, 20, 4
"""The longest time of the load, its requests in a second, and its clients."""


def until(condition: Callable[[], bool], seconds: float = 120) -> float:
    """Wait until the condition is true. Returns the seconds."""
    started = time.monotonic()
    while not condition():
        assert time.monotonic() - started < seconds, f"not true after {seconds} s"
        time.sleep(0.2)
    return time.monotonic() - started


def record(number: int, value: int = 9, comment: str = "") -> str:
    """A survey response as JSON."""
    answers = [{"question": "q1", "kind": "nps", "value": value}]
    if comment:
        answers.append({"question": "q2", "kind": "comment", "text": comment})
    at = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    return json.dumps({"type": "response", "id": f"cluster-{number}", "at": at, "answers": answers})


def event(number: int, comment: str = "") -> str:
    """A survey response as the body of Standard Webhooks."""
    return json.dumps({"type": "feedback", "data": json.loads(record(number, comment=comment))})


def test_the_namespace_restricts_pods(cluster: Cluster) -> None:
    root = lone_pod("root", {"name": "root", "image": cluster.image("gateway")}, {})
    root["spec"]["securityContext"] = {"runAsUser": 0}
    with pytest.raises(KubectlFailed, match="violates PodSecurity"):
        cluster.inside.create([root])


def test_a_signed_webhook_becomes_a_kpi(cluster: Cluster) -> None:
    connection = cluster.call("POST", "/v1/connections", json.dumps({"provider": "standard", "name": "Surveys"}))["body"]
    url = f"http://ingest:8000/v1/hooks/{connection['id']}"
    delivered = cluster.inside.script(
        "client", "webhook", url, connection["secret"], event(1, "Setup took five minutes. Lovely.")
    )
    assert delivered["status"] == 202, delivered
    another = "whsec_" + base64.b64encode(bytes(24)).decode()
    assert cluster.inside.script("client", "webhook", url, another, event(2))["status"] == 401
    note("from an accepted webhook to its KPI, with the calls of kubectl", f"{until(lambda: cluster.answers() == 1):.1f} s")
    until(lambda: cluster.answers("sentiment") == 1)


def test_the_network_policies_allow_the_calls_of_the_design_alone(cluster: Cluster) -> None:
    kafka = "earshot-kafka-bootstrap:9092"
    expected = {
        "ingest": {"metrics:8000": True, "gateway:8000": False, "sentiment:8000": False, kafka: True},
        "sentiment": {"ingest:8000": True, "metrics:8000": False, "gateway:8000": False, kafka: True},
        "metrics": {"ingest:8000": True, "sentiment:8000": False, "gateway:8000": False, kafka: True},
        "gateway": {"ingest:8000": True, "metrics:8000": True, "sentiment:8000": True, kafka: True},
    }
    for service, other in OTHER_DATABASES.items():
        expected[service][f"{other}-database-rw:5432"] = False
        if service != "sentiment":
            expected[service][f"{service}-database-rw:5432"] = True
    measured = {name: cluster.inside.script(f"deploy/{name}", "probe", *targets) for name, targets in expected.items()}
    namespace = cluster.inside.name
    inside = {f"{name}-database-rw.{namespace}:5432": False for name in ("ingest", "metrics", "gateway")}
    inside |= {f"{name}.{namespace}:8000": False for name in SERVICES}
    assert measured == expected
    assert cluster.outside.script("pod/stranger", "probe", *inside) == inside
    note("connections as designed", sum(map(len, expected.values())) + len(inside))


def test_a_changed_setting_is_applied_again_and_replaces_the_pods(cluster: Cluster) -> None:
    cluster.inside.apply(cluster.manifests(LOG_LEVEL="INFO"))
    note("all servers replaced after a changed setting", f"{cluster.inside.rolled_out(*SERVICES):.0f} s")
    for service in SERVICES:
        level = cluster.inside.run("exec", f"deploy/{service}", "--", "sh", "-c", "echo $LOG_LEVEL")
        assert level.strip() == "INFO"


def test_no_request_fails_while_all_servers_are_replaced(cluster: Cluster) -> None:
    before = cluster.answers()
    arguments = (cluster.key, str(LOAD_SECONDS), str(RATE), str(CLIENTS), f"restart-{time.time_ns()}")
    load = cluster.inside.start_script("client", "load", "http://gateway:8000", *arguments)
    time.sleep(5)
    cluster.inside.run("rollout", "restart", "deployment", "--selector", "app.kubernetes.io/part-of=earshot")
    seconds = cluster.inside.rolled_out(*SERVICES)
    time.sleep(10)  # the last old pods still serve
    assert load.poll() is None, "the load ended before the servers were replaced"
    cluster.inside.run("exec", "client", "--", "touch", "/tmp/stop")
    output, _ = load.communicate(timeout=60)
    result = json.loads(output)
    note("replaced under load", f"{seconds:.0f} s, {result['statuses']}, slowest {result['slowest']} s")
    assert result["failures"] == []
    accepted = result["statuses"]["202"]
    until(lambda: cluster.answers() == before + accepted)


def test_a_stopped_pod_ends_by_itself(cluster: Cluster) -> None:
    pod = cluster.inside.items("pods", f"{SERVERS},app.kubernetes.io/name=gateway")[0]["metadata"]["name"]
    started = time.monotonic()
    cluster.inside.run("delete", "pod", pod)
    seconds = time.monotonic() - started
    note("from a pod's deletion to its end", f"{seconds:.1f} s")
    assert seconds < 25, "it was killed, or nearly"
    cluster.inside.rolled_out("gateway")


def test_servers_start_and_serve_without_kafka(cluster: Cluster) -> None:
    before = cluster.answers()
    cluster.inside.run("delete", "networkpolicy", "kafka")
    cluster.inside.run("rollout", "restart", "deployment/sentiment", "deployment/ingest")
    cluster.inside.rolled_out("sentiment", "ingest")
    assert not cluster.inside.script("deploy/sentiment", "probe", "earshot-kafka-bootstrap:9092")["earshot-kafka-bootstrap:9092"]
    score = cluster.call("POST", "/v1/score", json.dumps({"comments": [{"text": "The parcel came late"}]}))
    assert score["status"] == 200, score
    assert cluster.call("POST", "/v1/feedback", record(3))["status"] == 202
    cluster.inside.apply([one for one in cluster.manifests(LOG_LEVEL="INFO") if one["metadata"]["name"] == "kafka"])
    note("from Kafka's return to the KPI of a record that waited", f"{until(lambda: cluster.answers() == before + 1):.0f} s")


def test_a_consumer_without_partitions_stays_alive(cluster: Cluster) -> None:
    cluster.inside.run("scale", "deployment/sentiment", f"--replicas={PARTITIONS + 1}")
    cluster.inside.rolled_out("sentiment")
    time.sleep(75)  # liveness fails after 30 seconds
    pods = cluster.inside.items("pods", f"{SERVERS},app.kubernetes.io/name=sentiment")
    states = [status for pod in pods for status in pod["status"]["containerStatuses"]]
    cluster.inside.run("scale", "deployment/sentiment", "--replicas=1")
    assert len(states) == PARTITIONS + 1
    assert [(state["restartCount"], state["ready"]) for state in states] == [(0, True)] * len(states)


def test_missing_settings_are_one_line_that_names_them(cluster: Cluster) -> None:
    container = {"name": "server", "image": cluster.image("ingest")}
    cluster.inside.create([lone_pod("unset", container, {})])
    cluster.inside.wait("jsonpath={.status.phase}=Failed", "pod/unset")
    (line,) = cluster.inside.run("logs", "pod/unset").splitlines()
    entry = json.loads(line)
    assert entry["event"] == "settings.invalid"
    assert set(entry["variables"]) == {"INTERNAL_TOKEN", "INGEST_DATABASE_URL", "INGEST_SECRET_KEY"}


def test_every_log_line_is_json(cluster: Cluster) -> None:
    lines = 0
    for pod in cluster.inside.items("pods", "app.kubernetes.io/part-of=earshot"):
        for line in cluster.inside.run("logs", f"pod/{pod['metadata']['name']}", "--all-containers").splitlines():
            assert isinstance(json.loads(line), dict), line
            lines += 1
    note("lines of log, all of them JSON", lines)


def test_no_server_was_restarted_and_every_number_can_be_recomputed(cluster: Cluster) -> None:
    pods = cluster.inside.items("pods", SERVERS)
    assert {status["restartCount"] for pod in pods for status in pod["status"]["containerStatuses"]} == {0}
    started = time.monotonic()
    try:
        output = cluster.inside.run("exec", "deploy/metrics", "--", "python", "-m", "services.metrics.verify", seconds=600)
    except (KubectlFailed, subprocess.TimeoutExpired) as error:
        pytest.fail(f"verify: {error}")
    note("verified", f"{time.monotonic() - started:.0f} s; {output.strip().splitlines()[-1]}")
