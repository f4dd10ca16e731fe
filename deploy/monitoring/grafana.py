"""The form of a dashboard, for Grafana 10 or newer."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

WIDTH = 24
"""Columns of Grafana's grid."""
HEIGHT = 8
DATASOURCE = {"type": "prometheus", "uid": "$datasource"}
HERE = 'namespace="$namespace"'


@dataclass(frozen=True)
class Query:
    """`expr`, with HERE in place of the matcher of the namespace, and the legend of each of its series."""

    expr: str
    legend: str


@dataclass(frozen=True)
class Panel:
    """A graph. `unit` is an id of Grafana: `s`, `percentunit`, `reqps`, `short`, `bytes`."""

    title: str
    unit: str
    queries: tuple[Query, ...]
    description: str
    kind: str = "timeseries"
    width: int = 8
    from_zero: bool = True
    """Whether the axis begins at 0."""


@dataclass(frozen=True)
class Dashboard:
    """Panels under headings. `uid` is a part of the dashboard's address."""

    uid: str
    title: str
    rows: tuple[tuple[str, tuple[Panel, ...]], ...]


def quantile(q: float, metric: str, by: str, matchers: str = "") -> str:
    """A quantile of a histogram over five minutes, for each value of the labels `by`."""
    return f"histogram_quantile({q}, sum by (le, {by}) (rate({metric}_bucket{{HERE{matchers}}}[5m])))"


def to_json(dashboard: Dashboard) -> dict[str, Any]:
    """A dashboard as Grafana imports it."""
    return {
        "uid": dashboard.uid,
        "title": dashboard.title,
        "tags": ["earshot"],
        "schemaVersion": 39,
        "editable": False,
        "refresh": "30s",
        "time": {"from": "now-6h", "to": "now"},
        "timezone": "browser",
        "templating": {"list": [datasource_variable(), namespace_variable()]},
        "panels": list(panels(dashboard)),
    }


def datasource_variable() -> dict[str, Any]:
    """The choice of a Prometheus."""
    return {"name": "datasource", "label": "Prometheus", "type": "datasource", "query": "prometheus"}


def namespace_variable() -> dict[str, Any]:
    """The choice of an installation."""
    query = "label_values(earshot_http_requests_in_progress, namespace)"
    name = {"name": "namespace", "label": "Namespace"}
    return name | {"type": "query", "datasource": DATASOURCE, "query": query, "refresh": 2, "sort": 1}


def panels(dashboard: Dashboard) -> Iterator[dict[str, Any]]:
    """Headings and graphs in the order of reading, each with its place in the grid and an id."""
    number, y = 0, 0
    for title, row in dashboard.rows:
        number += 1
        yield {"id": number, "type": "row", "title": title, "collapsed": False, "gridPos": place(0, y, WIDTH, 1), "panels": []}
        x, y = 0, y + 1
        for panel in row:
            if x + panel.width > WIDTH:
                x, y = 0, y + HEIGHT
            number += 1
            yield graph(panel, number, place(x, y, panel.width, HEIGHT))
            x += panel.width
        y += HEIGHT


def place(x: int, y: int, width: int, height: int) -> dict[str, int]:
    """A place in the grid."""
    return {"x": x, "y": y, "w": width, "h": height}


def graph(panel: Panel, number: int, position: dict[str, int]) -> dict[str, Any]:
    """A panel as Grafana imports it."""
    targets = [
        {
            "refId": chr(ord("A") + index),
            "datasource": DATASOURCE,
            "expr": query.expr.replace("HERE", HERE),
            "legendFormat": query.legend,
        }
        for index, query in enumerate(panel.queries)
    ]
    return {
        "id": number,
        "type": panel.kind,
        "title": panel.title,
        "description": panel.description,
        "datasource": DATASOURCE,
        "gridPos": position,
        "fieldConfig": {"defaults": {"unit": panel.unit} | ({"min": 0} if panel.from_zero else {}), "overrides": []},
        "targets": targets,
    }
