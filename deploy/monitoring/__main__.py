"""`python -m deploy.monitoring`: write the rules, the dashboards and the list of runbooks; `make docs` runs it."""

import json
from pathlib import Path

import yaml

from deploy.monitoring.alerts import ALERTS
from deploy.monitoring.grafana import to_json
from deploy.monitoring.overview import OVERVIEW
from deploy.monitoring.pipeline import PIPELINE
from deploy.monitoring.rules import groups, prometheus_rule
from deploy.monitoring.slos import BURNS, SLOS

ROOT = Path(__file__).parents[2]
COMPONENT = ROOT / "deploy" / "k8s" / "components" / "monitoring"
HEADER = "# Written by `python -m deploy.monitoring`; a test compares them. Don't edit.\n"
INDEX = """\
# Runbooks

A page for each alert of [deploy/monitoring](../../deploy/monitoring): its meaning, its impact, where to look, what to do.
`critical`: act at once; `warning`: on the next working day. [observability.md](../observability.md) describes the metrics and how
to install the alerts. `python -m deploy.monitoring` (`make docs`) writes this list; the pages are written by hand.

| alert | severity | after | says |
| --- | --- | --- | --- |
"""


def files() -> dict[Path, str]:
    """The content of each file."""
    dashboards = {
        COMPONENT / "dashboards" / f"{board.uid}.json": json.dumps(to_json(board), indent=2) + "\n"
        for board in (OVERVIEW, PIPELINE)
    }
    return {
        ROOT / "deploy" / "monitoring" / "rules.yaml": HEADER + yaml.safe_dump({"groups": groups()}, sort_keys=False, width=1000),
        COMPONENT / "rules.yaml": HEADER + yaml.safe_dump(prometheus_rule(), sort_keys=False, width=1000),
        ROOT / "docs" / "runbooks" / "README.md": index(),
        **dashboards,
    }


def index() -> str:
    """The list of alerts."""
    after = f"{BURNS[0].lasting} to {BURNS[-1].lasting}"
    rows = [
        f"| [{slo.alert}]({slo.alert}.md) | critical, warning | {after} | more than {1 - slo.objective:.1%} of the"
        f" {slo.bad_events} |"
        for slo in SLOS
    ]
    rows += [f"| [{a.name}]({a.name}.md) | {a.severity} | {a.lasting} | {plain(a.summary)} |" for a in ALERTS]
    return INDEX + "\n".join(rows) + "\n"


def plain(summary: str) -> str:
    """A summary without its template: names of labels, and … for the value."""
    for braces in summary.split("{{ ")[1:]:
        template = braces.split(" }}")[0]
        name = template.split(" ")[0]
        summary = summary.replace(f"{{{{ {template} }}}}", "…" if name == "$value" else f"`{name.removeprefix('$labels.')}`")
    return summary


if __name__ == "__main__":
    for path, text in files().items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
