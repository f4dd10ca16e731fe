"""Measure how long a quiet tenant waits while another floods: from its webhook to the live event and to its comment's score.

    python -m bench.fairness .local/demo.json [--flood 6000] [--seconds 20]

The quiet tenant posts one answer with one comment every half second, at fixed times. Three runs: alone; while the demo's tenant
sends `--flood` webhooks with comments as fast as ingest accepts them; while the demo's whole history is replayed. Time is taken
from when a webhook was due. The k-th count on the stream is attributed to the k-th webhook.
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
from bench.live import listen
from bench.posting import open_poster, post_at
from deploy.local.environment import read_environment
from services.gateway.admin import open_admin
from services.gateway.settings import Settings
from tests.signing import standard

EVERY = 0.5
"""Seconds between two webhooks of the quiet tenant."""
TIMEOUT = 400.0
"""Seconds until the last count must have arrived."""
FLOOD_CONNECTIONS = 64
KPIS = {"live event": "nps", "score counted": "sentiment"}
"""The KPI whose n shows that a webhook has arrived, by the name of the measurement."""

Waits = dict[str, list[float]]
"""Seconds for each webhook, by the name of the measurement."""
Load = Callable[[], Awaitable[object]]


@dataclass(frozen=True)
class Quiet:
    """The tenant whose waits are measured."""

    gateway_url: str
    api_key: str
    hook_url: str
    secret: str


def admin_settings(environment: dict[str, str]) -> Settings:
    """The settings for `services.gateway.admin`, from the environment of a local stack."""
    return Settings(
        database_url=environment["GATEWAY_DATABASE_URL"],
        internal_token=environment["INTERNAL_TOKEN"],
        ingest_url=environment["GATEWAY_INGEST_URL"],
        metrics_url=environment["GATEWAY_METRICS_URL"],
        sentiment_url=environment["GATEWAY_SENTIMENT_URL"],
    )


async def quiet_tenant(demo: dict[str, Any], environment: dict[str, str]) -> Quiet:
    """A new tenant with a key and a connection."""
    tenant = f"quiet-{uuid4().hex[:12]}"
    async with open_admin(admin_settings(environment)) as admin:
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


async def measure(quiet: Quiet, count: int, load: Load | None) -> Waits:
    """The waits of the quiet tenant while `load` runs."""
    survey = f"bench-{uuid4().hex[:12]}"
    headers = {"authorization": f"Bearer {quiet.api_key}"}
    async with (
        httpx.AsyncClient(base_url=quiet.gateway_url, headers=headers, timeout=TIMEOUT) as http,
        open_poster(quiet.hook_url, 4) as poster,
        asyncio.timeout(count * EVERY + TIMEOUT),
        asyncio.TaskGroup() as group,
    ):
        ready = [asyncio.Event() for _ in KPIS]
        streams = [
            group.create_task(listen(http, kpi, survey, count, event)) for kpi, event in zip(KPIS.values(), ready, strict=True)
        ]
        await asyncio.gather(*(event.wait() for event in ready))
        flooding = asyncio.ensure_future(load()) if load else None
        began = perf_counter() + 0.2
        due = [began + number * EVERY for number in range(count)]
        await post_at(poster, lambda number: webhook(quiet.secret, survey, number), due)
        counted_at = await asyncio.gather(*streams)
        if flooding:
            await flooding
    return {
        name: [at - posted for posted, at in zip(due, times, strict=True)] for name, times in zip(KPIS, counted_at, strict=True)
    }


def flood(hook_url: str, secret: str, count: int, name: str) -> str:
    """Send `count` webhooks as fast as they are accepted; returns a summary."""
    url = urlsplit(hook_url)
    run = post(url.port or 80, requests(url.path, secret, count, name), FLOOD_CONNECTIONS)
    return f"{run.accepted:,} webhooks accepted in {run.seconds:.1f} s"


async def flooding(pool: ProcessPoolExecutor, demo: dict[str, Any], count: int) -> None:
    """Let the demo tenant flood, from another process."""
    connection = next(c for c in demo["connections"] if c["provider"] == "standard")
    arguments = (connection["hook_url"], connection["secret"], count, f"flood-{uuid4().hex[:8]}")
    print(f"  flood: {await asyncio.get_running_loop().run_in_executor(pool, flood, *arguments)}", flush=True)


async def replaying(demo: dict[str, Any]) -> None:
    """Publish everything again that the demo tenant ever sent."""
    async with httpx.AsyncClient(timeout=60, headers={"authorization": f"Bearer {demo['admin_key']}"}) as http:
        answer = await http.post(f"{demo['gateway_url']}/v1/replay", json={})
        answer.raise_for_status()
        print(f"  replay: {answer.json()}", flush=True)


async def wait_until_published(demo: dict[str, Any], token: str) -> None:
    """Wait until ingest has published everything, so that one run does not disturb the next."""
    async with httpx.AsyncClient(timeout=60, headers={"authorization": f"Bearer {token}"}) as http:
        async with asyncio.timeout(TIMEOUT):
            while (await http.get(f"{demo['ingest_url']}/internal/head")).json()["unpublished"]:  # noqa: ASYNC110
                await asyncio.sleep(0.5)


@asynccontextmanager
async def workers() -> AsyncIterator[ProcessPoolExecutor]:
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool:
        yield pool


def summary(name: str, took: list[float]) -> str:
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
        alone: Waits = {}
        await wait_until_published(demo, environment["INTERNAL_TOKEN"])
        await measure(quiet, 1, None)  # waits until the comments of the demo's history are scored
        for name, load in loads.items():
            await wait_until_published(demo, environment["INTERNAL_TOKEN"])
            print(f"quiet tenant {name}", flush=True)
            waits = await measure(quiet, quiet_count, load)
            alone = alone or waits
            for measured, seconds in waits.items():
                ratio = share(seconds, 0.5) / share(alone[measured], 0.5)
                print(summary(measured, seconds) + (f"   p50 {ratio:.1f} times that alone" if load else ""), flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("demo", type=Path, help="demo.json of a running stack; services.env is in the same folder")
    parser.add_argument("--flood", type=int, default=6_000, help="comments that the other tenant sends")
    parser.add_argument("--seconds", type=float, default=20.0, help="how long the quiet tenant posts")
    arguments = parser.parse_args()
    demo, environment = json.loads(arguments.demo.read_text()), read_environment(arguments.demo.parent / "services.env")
    try:
        asyncio.run(bench(demo, environment, arguments.flood, int(arguments.seconds / EVERY)))
    except TimeoutError:
        sys.exit("not every webhook of the quiet tenant reached the live stream in time")


if __name__ == "__main__":
    main()
