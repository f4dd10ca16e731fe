"""The rules for Prometheus: recorded series of the objectives, and all alerts."""

from collections.abc import Iterator, Sequence
from typing import Any

from deploy.monitoring.alerts import AVAILABILITY, FEEDBACK, NUMBERS, PIPELINE, PLATFORM, Alert
from deploy.monitoring.slos import BURNS, SLOS, Slo, condition, recording_rules

Rule = dict[str, Any]

RUNBOOKS = "docs/runbooks"
"""The folder of the pages, in this repository."""


def groups() -> list[dict[str, Any]]:
    """The groups of rules. An alert of an objective has a rule for each pair of windows."""
    objectives = [{"name": f"earshot-{slo.name}-objective", "rules": [*recording_rules(slo), *burn_rules(slo)]} for slo in SLOS]
    tables = {
        "availability": AVAILABILITY, "feedback": FEEDBACK, "pipeline": PIPELINE, "numbers": NUMBERS, "platform": PLATFORM,
    }  # fmt: skip
    return objectives + [{"name": f"earshot-{name}", "rules": alert_rules(table)} for name, table in tables.items()]


def burn_rules(slo: Slo) -> Iterator[Rule]:
    """The alerts of an objective, the fastest burn first."""
    for burn in BURNS:
        share = "{{ $value | humanizePercentage }}"
        summary = f"{share} of the {slo.bad_events} in the last {burn.long}; {slo.objective:.1%} should not"
        yield rule(Alert(slo.alert, condition(slo, burn), burn.lasting, burn.severity, summary), {"window": burn.long})


def alert_rules(alerts: Sequence[Alert]) -> list[Rule]:
    """A rule for each alert."""
    return [rule(alert, {}) for alert in alerts]


def rule(alert: Alert, labels: dict[str, str]) -> Rule:
    """An alert as Prometheus reads it."""
    return {
        "alert": alert.name,
        "expr": alert.expr,
        "for": alert.lasting,
        "labels": {"severity": alert.severity, **labels},
        "annotations": {"summary": f"Earshot: {alert.summary}", "runbook": f"{RUNBOOKS}/{alert.name}.md"},
    }


def prometheus_rule() -> dict[str, Any]:
    """The rules as an object for the Prometheus Operator."""
    return {
        "apiVersion": "monitoring.coreos.com/v1",
        "kind": "PrometheusRule",
        "metadata": {"name": "earshot", "labels": {"app.kubernetes.io/part-of": "earshot"}},
        "spec": {"groups": groups()},
    }
