"""Measure KPI queries at the gateway, authentication included, one after the other, on the data of a running stack.

python -m bench.gateway .local/demo.json [--seconds 10]
"""

import argparse
import asyncio
import json
import time
from pathlib import Path
from typing import Any

import httpx

QUERIES = {
    "one value, 24 hours": ("nps", {"window": "24h"}),
    "one value, 90 days": ("nps", {"window": "90d"}),
    "one value, 90 days, against the 90 before": ("csat", {"window": "90d", "compare": "previous"}),
    "90 days by team": ("csat", {"window": "90d", "group_by": "team"}),
    "90 days, a bucket a day": ("nps", {"window": "90d", "grain": "P1D"}),
    "30 days, a bucket a day, sentiment": ("sentiment", {"window": "30d", "grain": "P1D"}),
    "backlog at each day's end, 30 days": ("backlog", {"window": "30d", "grain": "P1D"}),
    "median span, 30 days": ("first_reply_time", {"window": "30d"}),
    "tickets opened, 24 hours by hour": ("tickets_opened", {"window": "24h", "grain": "PT1H"}),
}
CONDITIONAL = "not modified (304)"


def share(values: list[float], part: float) -> float:
    """The value below which `part` of `values` lie."""
    return sorted(values)[min(len(values) - 1, int(part * len(values)))]


async def measure(demo: dict[str, Any], seconds: float = 10.0) -> dict[str, list[float]]:
    """Milliseconds of each response, by query. The queries take turns."""
    took: dict[str, list[float]] = {name: [] for name in (*QUERIES, CONDITIONAL)}
    headers = {"authorization": f"Bearer {demo['api_key']}"}
    async with httpx.AsyncClient(base_url=demo["gateway_url"], headers=headers, timeout=30) as http:
        for kpi, params in QUERIES.values():
            (await http.get(f"/v1/kpis/{kpi}", params=params)).raise_for_status()
        end = time.perf_counter() + seconds
        while time.perf_counter() < end:
            for name, (kpi, params) in QUERIES.items():
                answer = await timed(http, f"/v1/kpis/{kpi}", params, took[name])
                answer.raise_for_status()
            tag = {"if-none-match": answer.headers["etag"]}
            unchanged: list[float] = []
            answer = await timed(http, f"/v1/kpis/{kpi}", params, unchanged, tag)
            if answer.status_code == httpx.codes.NOT_MODIFIED:
                took[CONDITIONAL] += unchanged
    return took


async def timed(
    http: httpx.AsyncClient, path: str, params: dict[str, str], took: list[float], headers: dict[str, str] | None = None
) -> httpx.Response:
    began = time.perf_counter()
    answer = await http.get(path, params=params, headers=headers)
    took.append((time.perf_counter() - began) * 1000)
    return answer


def table(took: dict[str, list[float]]) -> str:
    """A line for each query, and one for all except the 304s."""
    everything = [ms for name, values in took.items() if name != CONDITIONAL for ms in values]
    lines = [f"{'KPI query at the gateway':<44}{'n':>7}{'p50 ms':>9}{'p99 ms':>9}"]
    for name, values in {**took, "all of them (aim: p99 < 25 ms)": everything}.items():
        if values:
            lines.append(f"{name:<44}{len(values):>7}{share(values, 0.5):>9.1f}{share(values, 0.99):>9.1f}")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("demo", type=Path, help="demo.json of a running stack")
    parser.add_argument("--seconds", type=float, default=10.0)
    arguments = parser.parse_args()
    print(table(asyncio.run(measure(json.loads(arguments.demo.read_text()), arguments.seconds))))


if __name__ == "__main__":
    main()
