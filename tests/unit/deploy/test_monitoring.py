"""The rules and dashboards: each expression parses, and reads series and labels that exist; each alert has a runbook."""

import importlib
import re
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import promql_parser as promql
import pytest
import yaml
from prometheus_client.metrics import MetricWrapperBase

from deploy.monitoring import rules
from deploy.monitoring.__main__ import ROOT, files
from deploy.monitoring.external import EXTERNAL
from deploy.monitoring.grafana import WIDTH, Dashboard, to_json
from deploy.monitoring.overview import OVERVIEW
from deploy.monitoring.pipeline import PIPELINE
from deploy.monitoring.slos import BURNS, FRESH_SECONDS, SLOS, WINDOWS
from services.metrics.instruments import EVENT_SECONDS
from shared.instruments import registry_of
from tests.unit.deploy.manifests import SERVICES

SCRAPED = {"namespace", "job"}
"""Labels that Prometheus adds to what it scrapes, as far as we use them."""
RUNBOOKS = ROOT / rules.RUNBOOKS
HEADINGS = ["Meaning", "Impact", "Look here", "Do this"]
LOG_EVENT = re.compile(r"`([a-z]+(?:\.[a-z_]+)+)`")
SUFFIXES = {"counter": ("_total",), "histogram": ("_bucket", "_count", "_sum")}
DASHBOARDS = (OVERVIEW, PIPELINE)


def labels_of(family: object) -> set[str]:
    """The labels of an instrument; they are read from a series that is added and removed."""
    if isinstance(family, MetricWrapperBase):
        for count in range(1, 5):
            values = ["probe"] * count
            with suppress(ValueError):
                family.labels(*values)
                [labels] = {
                    frozenset(s.labels) - {"le"} for m in family.collect() for s in m.samples if "probe" in s.labels.values()
                }
                family.remove(*values)
                return set(labels)
    return set()


def exported() -> dict[str, set[str]]:
    """Series → its labels, of all services, from their instruments."""
    series: dict[str, set[str]] = {}
    for service in SERVICES:
        families = importlib.import_module(f"services.{service}.instruments").FAMILIES
        labels = {metric.name: labels_of(family) for family in families for metric in family.describe()}
        for metric in registry_of(families).collect():
            for suffix in SUFFIXES.get(metric.type, ("",)):
                series[metric.name + suffix] = labels.get(metric.name, set()) | ({"le"} if suffix == "_bucket" else set())
    return series


SERIES = (
    exported()
    | {name: set(series.labels) for name, series in EXTERNAL.items()}
    | {slo.series(window): {"objective"} for slo in SLOS for window in WINDOWS}
)
"""Series → the labels that an expression may use beside SCRAPED."""


def every_rule() -> list[dict[str, Any]]:
    return [rule for group in rules.groups() for rule in group["rules"]]


def targets(board: Dashboard) -> list[dict[str, Any]]:
    return [target for panel in to_json(board)["panels"] for target in panel.get("targets", [])]


def expressions() -> Iterator[str]:
    yield from (rule["expr"] for rule in every_rule())
    yield from (target["expr"] for board in DASHBOARDS for target in targets(board))


def nodes(expression: promql.Expr) -> list[promql.Expr]:
    """The parts of an expression, itself first."""
    parts: list[promql.Expr] = []
    promql.walk(expression, parts.append)
    return parts


def selectors(expression: promql.Expr) -> list[promql.VectorSelector]:
    ranges = [part.vector_selector for part in nodes(expression) if isinstance(part, promql.MatrixSelector)]
    instants = [part for part in nodes(expression) if isinstance(part, promql.VectorSelector)]
    return [*ranges, *instants]


def unknown_labels(expression: promql.Expr) -> set[str]:
    """The labels that are matched or grouped by and that the selected series don't have."""
    unknown = set()
    for selector in selectors(expression):
        unknown |= {matcher.name for matcher in selector.matchers.matchers} - SERIES[str(selector.name)] - SCRAPED
    for part in nodes(expression):
        if isinstance(part, promql.AggregateExpr) and part.modifier:
            grouped = set(part.modifier.labels)
            unknown |= grouped - SCRAPED - set().union(*(SERIES[str(selector.name)] for selector in selectors(part.expr)))
    return unknown


@pytest.mark.parametrize("text", sorted(set(expressions())))
def test_an_expression_reads_series_and_labels_that_exist(text: str) -> None:
    expression = promql.parse(text)
    read = {str(selector.name) for selector in selectors(expression)}
    assert read, "no series"
    assert read - SERIES.keys() == set()
    assert unknown_labels(expression) == set()


@pytest.mark.parametrize(
    ("text", "labels"),
    [
        ('earshot_kafka_lag_seconds{topics="x"}', {"topics"}),
        ("sum by (group, provider) (rate(earshot_kafka_handled_total[5m]))", {"provider"}),
        ('sum by (le) (rate(earshot_http_request_seconds_bucket{status="5xx"}[5m]))', set()),
    ],
)
def test_a_label_that_a_series_lacks_is_noticed(text: str, labels: set[str]) -> None:
    assert unknown_labels(promql.parse(text)) == labels


def test_the_files_are_those_of_the_code() -> None:
    assert [
        str(path.relative_to(ROOT)) for path, text in files().items() if not path.exists() or path.read_text() != text
    ] == [], "run `python -m deploy.monitoring`"


def test_every_alert_has_a_runbook_and_every_runbook_an_alert() -> None:
    alerts = {rule["annotations"]["runbook"] for rule in every_rule() if "alert" in rule}
    assert alerts == {f"{rules.RUNBOOKS}/{page.name}" for page in RUNBOOKS.glob("*.md") if page.name != "README.md"}


@pytest.mark.parametrize("page", sorted(p for p in RUNBOOKS.glob("*.md") if p.name != "README.md"), ids=lambda page: page.stem)
def test_a_runbook_has_its_four_parts_and_names_log_events_that_exist(page: Any) -> None:
    text = page.read_text()
    assert text.startswith(f"# {page.stem}\n")
    assert re.findall(r"^## (.*)$", text, re.MULTILINE) == HEADINGS
    assert [part for part in re.split(r"^## .*\n", text, flags=re.MULTILINE)[1:] if len(part.strip()) < 5] == []
    assert set(LOG_EVENT.findall(text)) - log_events() - EXCEPTIONS == set()


EXCEPTIONS = {"storage.size", "feedback.events.dlq", "feedback.scores.dlq", "health.quarantined_24h", "health.api"}
"""Names with a point in the runbooks that are no events of the log."""


def log_events() -> set[str]:
    """Every text with points in the code of the services."""
    sources = [path.read_text() for folder in ("services", "shared") for path in (ROOT / folder).rglob("*.py")]
    return {name for source in sources for name in re.findall(r'"([a-z]+(?:\.[a-z_]+)+)"', source)}


def test_every_alert_has_a_severity_and_a_summary() -> None:
    for rule in every_rule():
        if "alert" in rule:
            assert rule["labels"]["severity"] in ("critical", "warning")
            assert rule["annotations"]["summary"].startswith("Earshot: ")


def test_every_burn_compares_windows_that_are_recorded() -> None:
    assert {window for burn in BURNS for window in (burn.long, burn.short)} <= set(WINDOWS)
    for burn in BURNS:
        assert promql.parse_duration(burn.short) < promql.parse_duration(burn.long)


def test_the_freshness_objective_is_a_bucket() -> None:
    [metric] = EVENT_SECONDS.collect()
    assert str(FRESH_SECONDS) in {sample.labels.get("le") for sample in metric.samples}


@pytest.mark.parametrize("board", DASHBOARDS, ids=lambda board: board.uid)
def test_a_dashboard_can_be_imported(board: Dashboard) -> None:
    panels = to_json(board)["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)
    cells = [
        (x, y)
        for panel in panels
        for x in range(panel["gridPos"]["x"], panel["gridPos"]["x"] + panel["gridPos"]["w"])
        for y in range(panel["gridPos"]["y"], panel["gridPos"]["y"] + panel["gridPos"]["h"])
    ]
    assert len(set(cells)) == len(cells), "panels overlap"
    assert max(x for x, _ in cells) < WIDTH
    for panel in panels:
        assert panel["type"] == "row" or (panel["title"] and panel["description"] and panel["targets"])


def test_every_alert_has_a_case_in_which_it_fires() -> None:
    """`make rules-check` runs the cases by promtool."""
    cases = yaml.safe_load((ROOT / "deploy" / "monitoring" / "rules_test.yaml").read_text())["tests"]
    fired = {check["alertname"] for case in cases for check in case.get("alert_rule_test", []) if check.get("exp_alerts")}
    silent = {check["alertname"] for case in cases for check in case.get("alert_rule_test", []) if not check.get("exp_alerts")}
    assert fired == {rule["alert"] for rule in every_rule() if "alert" in rule}
    assert fired == silent
