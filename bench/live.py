"""How long it takes from a signed webhook to the event on the live stream that tells of it.

    python -m bench.live .local/demo.json [--rate 300] [--seconds 10]

Webhooks are posted at fixed times, whatever the answers do; time runs from when a post was due. Each holds one NPS answer of a
survey that only this run has, and the stream watches that survey: an event with n = k tells of k answers. The k-th is taken to be
the k-th posted: where two overtake one another on their way the mean is still right, the 99th percentile a little too kind.
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
from bench.posting import Posting, posting
from tests.signing import standard

CONNECTIONS = 64
PATIENCE = 30.0


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


async def post_all(door: Posting, secret: str, survey: str, due: list[float]) -> None:
    """Post one webhook at each of the times in `due`."""

    async def one(number: int) -> None:
        headers, body = webhook(secret, survey, number)
        status = await door.post(headers, body)
        if status != 202:
            raise SystemExit(f"a webhook was answered with {status}")

    async with asyncio.TaskGroup() as group:
        for number, at in enumerate(due):
            await asyncio.sleep(max(0.0, at - time.perf_counter()))
            group.create_task(one(number))


async def listen(http: httpx.AsyncClient, survey: str, count: int, ready: asyncio.Event) -> list[float]:
    """When the k-th answer was told of, for every k up to `count`."""
    heard: list[float] = []
    query = {"kpis": "nps", "window": "1h", "filter[survey]": survey}
    async with http.stream("GET", "/v1/live", params=query) as stream:
        stream.raise_for_status()
        async for line in stream.aiter_lines():
            now = time.perf_counter()
            if line.startswith("data:"):
                told = json.loads(line.removeprefix("data:"))
                ready.set()
                n = told["rows"][0]["n"] if "rows" in told else 0
                heard += [now] * (n - len(heard))
            if len(heard) >= count:
                return heard
    raise SystemExit("the live stream ended too soon")


async def measure(demo: dict[str, Any], rate: float = 300.0, seconds: float = 10.0) -> list[float]:
    """Milliseconds from due post to live event, for each webhook."""
    connection = next(c for c in demo["connections"] if c["provider"] == "standard")
    survey, count, ready = f"bench-{uuid4().hex[:12]}", int(rate * seconds), asyncio.Event()
    headers = {"authorization": f"Bearer {demo['api_key']}"}
    async with (
        httpx.AsyncClient(base_url=demo["gateway_url"], headers=headers, timeout=PATIENCE) as http,
        posting(connection["hook_url"], CONNECTIONS) as door,
    ):
        listening = asyncio.create_task(listen(http, survey, count, ready))
        async with asyncio.timeout(seconds + PATIENCE):
            await ready.wait()
            began = time.perf_counter() + 0.2
            due = [began + number / rate for number in range(count)]
            await post_all(door, connection["secret"], survey, due)
            heard = await listening
    return [(at - posted) * 1000 for posted, at in zip(due, heard, strict=True)]


def line(took: list[float], rate: float) -> str:
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
        sys.exit("not every webhook was told of on the live stream")
    print(line(took, arguments.rate))


if __name__ == "__main__":
    main()
