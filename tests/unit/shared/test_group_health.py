"""The health and the metrics of several processes as one answer."""

import json

import httpx
from prometheus_client.parser import text_string_to_metric_families

from shared.group_health import merge_metrics, merged_health, merged_metrics

FIRST = """# HELP requests_total Requests, by {kind}
# TYPE requests_total counter
requests_total{route="/a b",status="2xx"} 3.0
# HELP open Open connections
# TYPE open gauge
open 2.0
"""
SECOND = """# HELP requests_total Requests, by {kind}
# TYPE requests_total counter
requests_total{route="/a b",status="2xx"} 4.0
requests_total{route="/b",status="5xx"} 1.0
# HELP open Open connections
# TYPE open gauge
open 5.0
"""


def answer(status: int, **document: object) -> httpx.Response:
    return httpx.Response(status, json=document)


def test_metrics_of_all_processes_are_one_document_in_which_each_sample_names_its_process() -> None:
    families = {family.name: family for family in text_string_to_metric_families(merge_metrics({0: FIRST, 1: SECOND}))}
    assert {name: family.type for name, family in families.items()} == {"requests": "counter", "open": "gauge"}
    assert families["requests"].documentation == "Requests, by {kind}"
    assert [(sample.labels, sample.value) for sample in families["requests"].samples] == [
        ({"process": "0", "route": "/a b", "status": "2xx"}, 3),
        ({"process": "1", "route": "/a b", "status": "2xx"}, 4),
        ({"process": "1", "route": "/b", "status": "5xx"}, 1),
    ]
    assert [(sample.labels, sample.value) for sample in families["open"].samples] == [
        ({"process": "0"}, 2),
        ({"process": "1"}, 5),
    ]


def test_each_family_has_its_description_once() -> None:
    merged = merge_metrics({0: FIRST, 1: SECOND}).splitlines()
    assert [line for line in merged if line.startswith("#")] == [line for line in FIRST.splitlines() if line.startswith("#")]


def test_metrics_of_a_process_that_is_silent_or_fails_are_left_out() -> None:
    failing = httpx.Response(503, text="open 7.0\n")
    merged = bytes(merged_metrics({0: None, 1: httpx.Response(200, text=SECOND), 2: failing}).body).decode()
    assert 'open{process="1"} 5.0' in merged
    assert 'process="0"' not in merged
    assert 'process="2"' not in merged
    assert merged_metrics({0: None}).status_code == 503


def test_health_is_that_of_all_processes() -> None:
    healthy, broken = answer(200, missing=[], degraded=["kafka"]), answer(503, missing=["database"])
    assert merged_health({0: healthy, 1: healthy}).status_code == 200
    assert json.loads(bytes(merged_health({0: healthy, 1: healthy}).body)) == {
        "status": "ok",
        "missing": [],
        "degraded": ["kafka"],
    }
    failing = merged_health({0: healthy, 1: broken, 2: broken, 3: None})
    assert failing.status_code == 503
    assert json.loads(bytes(failing.body))["missing"] == ["database", "process 3"]
