"""Service level objectives, and the rules that compare how fast each error budget is spent over several windows.

Google, The Site Reliability Workbook, chapter 5, "Multiwindow, Multi-Burn-Rate Alerts": a long window shows that a considerable
part of the budget is spent, a short one that it is still being spent.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

PERIOD = "30d"
"""The budget is for this time."""


@dataclass(frozen=True)
class Slo:
    """An objective. `bad` and `total` are rates by namespace, with WINDOW in place of the range."""

    name: str
    """The first part of the names of its recorded series, `earshot:<name>:bad_ratio_<window>`."""
    alert: str
    objective: float
    """The least share of good events, 0 to 1."""
    bad: str
    total: str
    bad_events: str
    """Which events are bad; the end of the alert's summary, after their share."""

    def series(self, window: str) -> str:
        """The recorded series: the share of bad events in the last `window`, by namespace."""
        return f"earshot:{self.name}:bad_ratio_{window}"


class Burn(NamedTuple):
    """An alert fires while the budget is spent `factor` times too fast over both windows."""

    long: str
    short: str
    factor: float
    severity: str
    lasting: str
    """The alert's `for`."""


BURNS = (
    Burn("1h", "5m", 14.4, "critical", "2m"),
    Burn("6h", "30m", 6, "critical", "15m"),
    Burn("1d", "2h", 3, "warning", "1h"),
    Burn("3d", "6h", 1, "warning", "3h"),
)
"""2 % of the budget in an hour, 5 % in six hours, 10 % in a day, 10 % in three days."""

WINDOWS = ("5m", "30m", "1h", "2h", "6h", "1d", "3d")

FRESH_SECONDS = 30.0
"""A live event should be counted within this time of its receipt. A bucket of `earshot_metrics_event_seconds`."""

FEEDBACK = 'job="earshot-ingest", route=~"/v1/hooks/.+|/v1/feedback.*|other"'
"""Requests with feedback. Requests that were refused because the process was busy have the route `other`."""

SLOS = (
    Slo(
        name="ingest",
        alert="EarshotIngestBudgetBurn",
        objective=0.999,
        bad=f'sum by (namespace) (rate(earshot_http_request_seconds_count{{{FEEDBACK}, status="5xx"}}[WINDOW]))',
        total=f"sum by (namespace) (rate(earshot_http_request_seconds_count{{{FEEDBACK}}}[WINDOW]))",
        bad_events="requests with feedback failed (5xx)",
    ),
    Slo(
        name="freshness",
        alert="EarshotFreshnessBudgetBurn",
        objective=0.995,
        bad="sum by (namespace) (rate(earshot_metrics_event_seconds_count[WINDOW]))"
        f' - sum by (namespace) (rate(earshot_metrics_event_seconds_bucket{{le="{FRESH_SECONDS}"}}[WINDOW]))',
        total="sum by (namespace) (rate(earshot_metrics_event_seconds_count[WINDOW]))",
        bad_events=f"live events were counted later than {FRESH_SECONDS:.0f} seconds after their receipt",
    ),
)


def recording_rules(slo: Slo) -> Iterator[dict[str, object]]:
    """One rule for each window."""
    for window in WINDOWS:
        yield {
            "record": slo.series(window),
            "expr": f"(({slo.bad}) or 0 * {slo.total}) / {slo.total}".replace("WINDOW", window),
            "labels": {"objective": str(slo.objective)},
        }


def condition(slo: Slo, burn: Burn) -> str:
    """The expression of an alert."""
    limit = f"{burn.factor:g} * {1 - slo.objective:.4g}"
    return f"{slo.series(burn.long)} > {limit} and {slo.series(burn.short)} > {limit}"
