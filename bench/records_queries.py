"""The queries of `bench.records`: each declared cuboid over several windows, timed in turns at several endpoints."""

import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

import httpx

GROUPS = {
    "total": "",
    "team": "&group_by=team",
    "agent": "&group_by=agent",
    "team × channel": "&group_by=team,channel",
    "team × priority": "&group_by=team,priority",
    "filter on a pair": "&group_by=channel&filter[team]=team-1",
}
OF_SURVEYS = {
    "total": "",
    "channel": "&group_by=channel",
    "survey × segment": "&group_by=survey,segment",
    "filter on a pair": "&group_by=segment&filter[survey]=s-1",
}
OF_COMMENTS = {"theme": "&group_by=theme", "theme × product": "&group_by=theme,product"}
WINDOWS = {
    "24 hours": "window=24h",
    "30 days": "window=30d",
    "90 days": "window=90d",
    "365 days": "window=365d",
    "a value a day, 90 days": "window=90d&grain=P1D",
    "a value a day, 365 days": "window=365d&grain=P1D",
}
KPIS = {"nps": OF_SURVEYS, "first_reply_time": GROUPS, "tickets_opened": GROUPS, "sentiment": OF_COMMENTS}


@dataclass(frozen=True, slots=True)
class Query:
    """One query by its KPI, cuboid and window."""

    kpi: str
    cuboid: str
    window: str

    @property
    def path(self) -> str:
        return f"/v1/kpis/{self.kpi}?{WINDOWS[self.window]}{KPIS[self.kpi][self.cuboid]}"


QUERIES = [
    Query(kpi, cuboid, window)
    for kpi, cuboids in KPIS.items()
    for cuboid in cuboids
    for window in WINDOWS
    if not ("a day" in window and (cuboid == "agent" or "×" in cuboid))
]
"""A value a day of each agent or pair would be more than the 10,000 rows that a result may have."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where queries of one tenant go: metrics itself, or the gateway."""

    name: str
    http: httpx.AsyncClient


async def time_queries(endpoints: Sequence[Endpoint], rounds: int, seconds: float) -> dict[tuple[str, Query], list[float]]:
    """Milliseconds of each response by endpoint and query. Queries and endpoints take turns; the first round is not counted.

    No round begins after `seconds`, except the first one that counts.
    """
    took: dict[tuple[str, Query], list[float]] = {}
    began = time.perf_counter()
    for number in range(rounds + 1):
        if number > 1 and time.perf_counter() > began + seconds:
            print(f"{number - 1} rounds of queries, for lack of time", flush=True)
            break
        for query in QUERIES:
            for endpoint in endpoints:
                sent = time.perf_counter()
                response = await endpoint.http.get(query.path)
                if not response.is_success:
                    sys.exit(f"{endpoint.name} {query.path}: {response.status_code} {response.text[:300]}")
                if number:
                    took.setdefault((endpoint.name, query), []).append((time.perf_counter() - sent) * 1000)
        if not number:
            print(f"the first round of queries, which does not count: {time.perf_counter() - began:.0f} s", flush=True)
    return took


def share(values: Sequence[float], part: float) -> float:
    """The value below which `part` of `values` lie."""
    return sorted(values)[min(len(values) - 1, int(part * len(values)))]


def print_times(took: dict[tuple[str, Query], list[float]]) -> None:
    """A line for each query, then one for each window and one for all."""
    names = list(dict.fromkeys(name for name, _ in took))
    print(f"{'milliseconds, p50 / p99':<62}" + "".join(f"{name:>20}" for name in names))

    def line(title: str, queries: Sequence[Query]) -> None:
        cells = [[ms for query in queries for ms in took[name, query]] for name in names]
        print(f"{title:<62}" + "".join(f"{median(ms):>11.1f} / {share(ms, 0.99):>6.1f}" for ms in cells), flush=True)

    for one in QUERIES:
        line(f"{one.kpi}, {one.cuboid}, {one.window}", [one])
    for window in WINDOWS:
        line(f"all of {window}", [query for query in QUERIES if query.window == window])
    for kpi in KPIS:
        line(f"all of {kpi}", [query for query in QUERIES if query.kpi == kpi])
    line("all (aim: p99 15 ms at metrics, 25 ms at the gateway)", QUERIES)
