"""How long a quiet tenant waits while another tenant floods: from its webhook to its live event, and to its comment's score.

    python -m bench.fairness .local/demo.json [--flood 6000] [--seconds 20]

The quiet tenant posts one answer with one comment every half second, at fixed times. Three runs: alone; while the demo's tenant
sends `--flood` webhooks with comments as fast as ingest takes them; while the demo's whole history is replayed. Time runs from
when a webhook was due. The k-th count on the stream is taken to be of the k-th webhook.
"""

import argparse
import asyncio
import json
import multiprocessing
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from concurrent.futures import ProcessPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from time import perf_counter
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import httpx

from bench.gateway import share
from bench.ingest_load import post, requests
from bench.posting import Posting, posting
from deploy.local.environment import read_environment
from services.gateway.admin import open_admin
from services.gateway.settings import Settings
from tests.signing import standard

EVERY = 0.5
"""Seconds between two webhooks of the quiet tenant."""
PATIENCE = 400.0
"""Seconds until the last count must have come."""
FLOOD_CONNECTIONS = 64
KPIS = {"live event": "nps", "score counted": "sentiment"}
"""What is measured, and the KPI whose n tells of it."""

Took = dict[str, list[float]]
Load = Callable[[], Awaitable[object]]


@dataclass(frozen=True)
class Quiet:
    """The tenant whose waits are measured."""

    gateway_url: str
    api_key: str
    hook_url: str
    secret: str


async def quiet_tenant(demo: dict[str, Any], environment: dict[str, str]) -> Quiet:
    """A new tenant with a key and a connection."""
    settings = Settings(
        database_url=environment["GATEWAY_DATABASE_URL"],
        internal_token=environment["INTERNAL_TOKEN"],
        ingest_url=environment["GATEWAY_INGEST_URL"],
        metrics_url=environment["GATEWAY_METRICS_URL"],
        sentiment_url=environment["GATEWAY_SENTIMENT_URL"],
    )
    tenant = f"quiet-{uuid4().hex[:12]}"
    async with open_admin(settings) as admin:
        await admin.create_tenant(tenant, "UTC")
        _, key = await admin.create_key(tenant, ["metrics:read"])
        connection = await admin.create_connection(tenant, provider="standard", name="quiet")
    return Quiet(demo["gateway_url"], key, connection["hook_url"], connection["secret"])


def webhook(secret: str, survey: str, number: int) -> tuple[dict[str, str], bytes]:
    """Headers and body of one delivery: an NPS answer and a comment."""
    record = {
        "type": "response",
        "id": f"{survey}-{number}",
        "at": datetime.now(UTC).isoformat(),
        "survey": {"id": survey},
        "answers": [
            {"question": "q1", "kind": "nps", "value": number % 11},
            {"question": "q2", "kind": "comment", "text": f"Delivery {number} came late, again.", "language": "en"},
        ],
    }
    body = json.dumps({"type": "feedback", "timestamp": record["at"], "data": record}).encode()
    return standard(secret, body), body


async def post_all(door: Posting, secret: str, survey: str, due: list[float]) -> None:
    """Post one webhook at each of the times in `due`."""

    async def one(number: int) -> None:
        status = await door.post(*webhook(secret, survey, number))
        if status != httpx.codes.ACCEPTED:
            raise SystemExit(f"a webhook was answered with {status}")

    async with asyncio.TaskGroup() as group:
        for number, at in enumerate(due):
            await asyncio.sleep(max(0.0, at - perf_counter()))
            group.create_task(one(number))


async def counted(http: httpx.AsyncClient, kpi: str, survey: str, count: int, ready: asyncio.Event) -> list[float]:
    """When the live stream first told that n is at least k, for every k up to `count`."""
    heard: list[float] = []
    query = {"kpis": kpi, "window": "1h", "filter[survey]": survey}
    async with http.stream("GET", "/v1/live", params=query) as stream:
        stream.raise_for_status()
        async for line in stream.aiter_lines():
            now = perf_counter()
            if line.startswith("data:"):
                told = json.loads(line.removeprefix("data:"))
                ready.set()
                n = told["rows"][0]["n"] if "rows" in told else 0
                heard += [now] * (n - len(heard))
            if len(heard) >= count:
                return heard
    raise SystemExit("the live stream ended too soon")


async def measure(quiet: Quiet, count: int, load: Load | None) -> Took:
    """Seconds that each webhook of the quiet tenant took, by what is measured, while `load` is at work."""
    survey = f"bench-{uuid4().hex[:12]}"
    headers = {"authorization": f"Bearer {quiet.api_key}"}
    async with (
        httpx.AsyncClient(base_url=quiet.gateway_url, headers=headers, timeout=PATIENCE) as http,
        posting(quiet.hook_url, 4) as door,
        asyncio.timeout(count * EVERY + PATIENCE),
        asyncio.TaskGroup() as group,
    ):
        ready = [asyncio.Event() for _ in KPIS]
        streams = [
            group.create_task(counted(http, kpi, survey, count, heard)) for kpi, heard in zip(KPIS.values(), ready, strict=True)
        ]
        await asyncio.gather(*(heard.wait() for heard in ready))
        flooding = asyncio.ensure_future(load()) if load else None
        began = perf_counter() + 0.2
        due = [began + number * EVERY for number in range(count)]
        await post_all(door, quiet.secret, survey, due)
        heard_at = await asyncio.gather(*streams)
        if flooding:
            await flooding
    return {
        name: [at - posted for posted, at in zip(due, heard, strict=True)] for name, heard in zip(KPIS, heard_at, strict=True)
    }


def flood(hook_url: str, secret: str, count: int, name: str) -> str:
    """Send `count` webhooks as fast as they are taken; what it came to."""
    url = urlsplit(hook_url)
    run = post(url.port or 80, requests(url.path, secret, count, name), FLOOD_CONNECTIONS)
    return f"{run.taken:,} webhooks taken in {run.seconds:.1f} s"


async def flooding(pool: ProcessPoolExecutor, demo: dict[str, Any], count: int) -> None:
    """The demo's tenant floods, from a process of its own."""
    connection = next(c for c in demo["connections"] if c["provider"] == "standard")
    arguments = (connection["hook_url"], connection["secret"], count, f"flood-{uuid4().hex[:8]}")
    print(f"  flood: {await asyncio.get_running_loop().run_in_executor(pool, flood, *arguments)}", flush=True)


async def replaying(demo: dict[str, Any]) -> None:
    """All that the demo's tenant ever sent is published again."""
    async with httpx.AsyncClient(timeout=60, headers={"authorization": f"Bearer {demo['admin_key']}"}) as http:
        answer = await http.post(f"{demo['gateway_url']}/v1/replay", json={})
        answer.raise_for_status()
        print(f"  replay: {answer.json()}", flush=True)


async def drained(demo: dict[str, Any], token: str) -> None:
    """Wait until nothing waits in ingest any more, so that one run does not disturb the next."""
    async with httpx.AsyncClient(timeout=60, headers={"authorization": f"Bearer {token}"}) as http:
        async with asyncio.timeout(PATIENCE):
            while (await http.get(f"{demo['ingest_url']}/internal/head")).json()["unpublished"]:  # noqa: ASYNC110
                await asyncio.sleep(0.5)


@asynccontextmanager
async def workers() -> AsyncIterator[ProcessPoolExecutor]:
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool:
        yield pool


def line(name: str, took: list[float]) -> str:
    p50, p90 = (share(took, part) for part in (0.5, 0.9))
    return f"  webhook → {name:14} p50 {p50:7.2f} s   p90 {p90:7.2f} s   longest {max(took):7.2f} s   ({len(took)} webhooks)"


async def bench(demo: dict[str, Any], environment: dict[str, str], count: int, quiet_count: int) -> None:
    """Measure and print all three runs."""
    quiet = await quiet_tenant(demo, environment)
    async with workers() as pool:
        loads: dict[str, Load | None] = {
            "alone": None,
            f"while another tenant sends {count:,} comments": partial(flooding, pool, demo, count),
            "while another tenant's history is replayed": partial(replaying, demo),
        }
        alone: Took = {}
        await drained(demo, environment["INTERNAL_TOKEN"])
        await measure(quiet, 1, None)  # waits until the comments of the demo's history are scored
        for name, load in loads.items():
            await drained(demo, environment["INTERNAL_TOKEN"])
            print(f"quiet tenant {name}", flush=True)
            took = await measure(quiet, quiet_count, load)
            alone = alone or took
            for what, waits in took.items():
                ratio = share(waits, 0.5) / share(alone[what], 0.5)
                print(line(what, waits) + (f"   p50 {ratio:.1f} times that alone" if load else ""), flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("demo", type=Path, help="demo.json of a running stack; services.env lies beside it")
    parser.add_argument("--flood", type=int, default=6_000, help="comments that the other tenant sends")
    parser.add_argument("--seconds", type=float, default=20.0, help="how long the quiet tenant posts")
    arguments = parser.parse_args()
    demo, environment = json.loads(arguments.demo.read_text()), read_environment(arguments.demo.parent / "services.env")
    try:
        asyncio.run(bench(demo, environment, arguments.flood, int(arguments.seconds / EVERY)))
    except TimeoutError:
        sys.exit("not every webhook of the quiet tenant was told of on the live stream")


if __name__ == "__main__":
    main()
