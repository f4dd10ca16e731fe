"""Measure the time from a signed webhook to its event on the live stream.

    python -m bench.live .local/demo.json [--rate 300] [--seconds 10]

Webhooks are posted at fixed times, whether or not earlier ones have been answered, and time is measured from these. Each has one
NPS answer of a survey of this run, and the stream shows that survey: an event with n = k shows k answers. The k-th count is
attributed to the k-th webhook: if two overtake one another, the mean is still right and the 99th percentile slightly too low.
"""

import argparse
import asyncio
import json
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx

from bench.gateway import share
from bench.posting import open_poster, post_at
from tests.signing import standard

CONNECTIONS = 64
TIMEOUT = 30.0


def webhook(secret: str, survey: str, number: int) -> tuple[dict[str, str], bytes]:
    """Headers and body of one delivery, signed now."""
    record = {
        "type": "response",
        "id": f"{survey}-{number}",
        "at": datetime.now(UTC).isoformat(),
        "survey": {"id": survey},
        "answers": [{"question": "q1", "kind": "nps", "value": number % 11}],
    }
    body = json.dumps({"type": "feedback", "timestamp": record["at"], "data": record}).encode()
    return standard(secret, body), body


async def listen(http: httpx.AsyncClient, kpi: str, survey: str, count: int, ready: asyncio.Event) -> list[float]:
    """The times at which n of the KPI on the live stream was first at least k, for k from 1 to `count`.

    Sets `ready` at the first event.
    """
    times: list[float] = []
    query = {"kpis": kpi, "window": "1h", "filter[survey]": survey}
    async with http.stream("GET", "/v1/live", params=query) as stream:
        stream.raise_for_status()
        async for line in stream.aiter_lines():
            now = time.perf_counter()
            if line.startswith("data:"):
                event = json.loads(line.removeprefix("data:"))
                ready.set()
                n = event["rows"][0]["n"] if "rows" in event else 0
                times += [now] * (n - len(times))
            if len(times) >= count:
                return times
    raise SystemExit("the live stream ended early")


async def measure(demo: dict[str, Any], rate: float = 300.0, seconds: float = 10.0) -> list[float]:
    """Milliseconds from the due time to the live event, for each webhook."""
    connection = next(c for c in demo["connections"] if c["provider"] == "standard")
    survey, count, ready = f"bench-{uuid4().hex[:12]}", int(rate * seconds), asyncio.Event()
    headers = {"authorization": f"Bearer {demo['api_key']}"}
    async with (
        httpx.AsyncClient(base_url=demo["gateway_url"], headers=headers, timeout=TIMEOUT) as http,
        open_poster(connection["hook_url"], CONNECTIONS) as poster,
    ):
        listening = asyncio.create_task(listen(http, "nps", survey, count, ready))
        async with asyncio.timeout(seconds + TIMEOUT):
            await ready.wait()
            began = time.perf_counter() + 0.2
            due = [began + number / rate for number in range(count)]
            await post_at(poster, lambda number: webhook(connection["secret"], survey, number), due)
            times = await listening
    return [(at - posted) * 1000 for posted, at in zip(due, times, strict=True)]


def summary(took: list[float], rate: float) -> str:
    p50, p90, p99 = (share(took, part) for part in (0.5, 0.9, 0.99))
    return (
        f"webhook → live event at {rate:.0f} per second: {len(took)} webhooks, p50 {p50:.0f} ms, p90 {p90:.0f} ms,"
        f" p99 {p99:.0f} ms, longest {max(took):.0f} ms (aim: p50 < 100 ms, p99 < 500 ms)"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("demo", type=Path, help="demo.json of a running stack")
    parser.add_argument("--rate", type=float, default=300.0)
    parser.add_argument("--seconds", type=float, default=10.0)
    arguments = parser.parse_args()
    demo = json.loads(arguments.demo.read_text())
    try:
        took = asyncio.run(measure(demo, arguments.rate, arguments.seconds))
    except TimeoutError:
        sys.exit("not every webhook reached the live stream in time")
    print(summary(took, arguments.rate))


if __name__ == "__main__":
    main()
