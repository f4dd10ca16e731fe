"""Closed schemas of the kinds that optional components add; see `custom_resources`.

Written by hand from the CRDs of Prometheus Operator 0.95, and checked against them once.
"""

from tests.unit.deploy.custom_resources import ANY, KAFKA_TLS, SCHEMAS, TEXT, TEXTS, Schema, closed, custom, several

DURATION: Schema = {"type": "string", "pattern": r"^\d+(s|m|h|d)$"}

ENDPOINT = closed(
    ("path", "scrapeTimeout"),
    port=TEXT,
    path=TEXT,
    interval=DURATION,
    scrapeTimeout=DURATION,
    relabelings=several(closed(("replacement",), sourceLabels=several(TEXT), targetLabel=TEXT, replacement=TEXT)),
)

SERVICE_MONITOR = custom(
    "monitoring.coreos.com/v1", "ServiceMonitor", closed(selector=closed(matchLabels=TEXTS), endpoints=several(ENDPOINT))
)
POD_MONITOR = custom(
    "monitoring.coreos.com/v1",
    "PodMonitor",
    closed(selector=closed(matchExpressions=several(ANY)), podMetricsEndpoints=several(ENDPOINT)),
)
ALERT = closed(alert=TEXT, expr=TEXT, labels={**TEXTS, "required": ["severity"]}, annotations=closed(summary=TEXT, runbook=TEXT))
ALERT["properties"]["for"] = DURATION
RECORDING = closed(record=TEXT, expr=TEXT, labels=TEXTS)
PROMETHEUS_RULE = custom(
    "monitoring.coreos.com/v1",
    "PrometheusRule",
    closed(groups=several(closed(name=TEXT, rules=several({"oneOf": [RECORDING, ALERT]})))),
)

ALL_SCHEMAS = SCHEMAS | KAFKA_TLS | SERVICE_MONITOR | POD_MONITOR | PROMETHEUS_RULE
