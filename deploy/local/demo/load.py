"""Loading the demo's history: once per data folder, through the gateway's batch door, resumable without doubling anything."""

import asyncio
import json
from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx

from deploy.local.demo.history import SEED, Record, history
from deploy.local.demo.story import DAYS
from deploy.local.demo.tenant import DemoTenant
from deploy.local.files import read_json, replace_json
from deploy.local.processes import StartFailed
from deploy.local.settings import Settings
from deploy.local.terminal import Terminal

CHUNK = 500
PATIENCE = 120.0
"""Seconds for a chunk to be taken, and for the numbers to move on."""


async def load_history(settings: Settings, tenant: DemoTenant, http: httpx.AsyncClient, terminal: Terminal) -> datetime:
    """Post what has not been posted yet and wait until it is counted; returns the instant at which the history ends.

    That instant is fixed at the first attempt and kept, so a second attempt posts the very same deliveries, which ingest drops.
    """
    marker = settings.history_file
    state = read_json(marker)
    if "until" not in state:
        state = {"until": datetime.now(UTC).isoformat(timespec="seconds"), "seed": SEED, "counted": False}
        replace_json(marker, state)
    until = datetime.fromisoformat(state["until"])
    if not state["counted"]:
        records = await asyncio.to_thread(history, until, state["seed"])
        await post(records, tenant, http, terminal)
        await counted(records, until, tenant, http, terminal)
        replace_json(marker, state | {"counted": True})
        terminal.done(f"{len(records):,} subjects of {DAYS} days")
    return until


async def post(records: Sequence[tuple[str, Record]], tenant: DemoTenant, http: httpx.AsyncClient, terminal: Terminal) -> None:
    """Post all records in chunks, each under an idempotency key of its own."""
    done = 0
    for provider, start, chunk in chunks(records):
        terminal.doing(f"loading the history: {done:,} of {len(records):,} subjects")
        await post_chunk(tenant, http, provider, f"demo-history-{provider}-{start}", chunk)
        done += len(chunk)


def chunks(records: Sequence[tuple[str, Record]]) -> Iterator[tuple[str, int, list[Record]]]:
    """(provider, where the chunk starts, its records): the same for the same records."""
    by_provider: dict[str, list[Record]] = defaultdict(list)
    for provider, record in records:
        by_provider[provider].append(record)
    for provider, theirs in sorted(by_provider.items()):
        for start in range(0, len(theirs), CHUNK):
            yield provider, start, theirs[start : start + CHUNK]


async def post_chunk(tenant: DemoTenant, http: httpx.AsyncClient, provider: str, key: str, chunk: Sequence[Record]) -> None:
    """Post one chunk until it is taken. Raises StartFailed when a record is rejected, or nobody takes it."""
    url = f"{tenant.gateway_url}/v1/feedback:batch"
    headers = {"authorization": f"Bearer {tenant.admin_key}", "idempotency-key": key, "content-type": "application/json"}
    body = json.dumps(chunk).encode()
    answer = None
    deadline = asyncio.get_running_loop().time() + PATIENCE
    while asyncio.get_running_loop().time() < deadline:
        try:
            answer = await http.post(url, params={"connection": tenant.connection(provider)["id"]}, content=body, headers=headers)
        except httpx.HTTPError:
            answer = None
        if answer and answer.status_code == httpx.codes.OK:
            return check_taken(answer.json()["results"])
        if answer and answer.status_code != httpx.codes.SERVICE_UNAVAILABLE:
            break
        await asyncio.sleep(1)
    why = f"{answer.status_code} {answer.text[:300]}" if answer else "the gateway did not answer"
    raise StartFailed(f"the demo's history was not taken: {why}")


def check_taken(results: Sequence[dict[str, Any]]) -> None:
    if rejected := next((result for result in results if result["status"] == "rejected"), None):
        raise StartFailed(f"a record of the demo's history was rejected: {rejected.get('problem')}")


async def counted(
    records: Sequence[tuple[str, Record]], until: datetime, tenant: DemoTenant, http: httpx.AsyncClient, terminal: Terminal
) -> None:
    """Wait until metrics has applied the history. Raises StartFailed when its numbers stand still for PATIENCE seconds."""
    wanted = expected([record for _, record in records])
    best, deadline = -1, 0.0
    while True:
        found = {kpi: await count_of(kpi, until, tenant, http) for kpi in wanted}
        if all(found[kpi] >= n for kpi, n in wanted.items()):
            return
        now = asyncio.get_running_loop().time()
        if sum(found.values()) > best:
            best, deadline = sum(found.values()), now + PATIENCE
        if now > deadline:
            raise StartFailed(f"the history is not counted: {found} instead of {wanted}; see the logs of metrics")
        terminal.doing(f"counting the history: {sum(found.values()):,} of {sum(wanted.values()):,} answers and tickets")
        await asyncio.sleep(0.25)


def expected(records: Sequence[Record]) -> dict[str, int]:
    """KPI → the n that it must show once all records are counted."""
    answers = [answer for record in records for answer in record.get("answers", ())]
    tickets = [record for record in records if record["type"] == "ticket"]
    spam = [record for record in tickets if any(fact["fact"] == "spam" for fact in record["facts"])]
    return {"nps": sum(answer["kind"] == "nps" for answer in answers), "tickets_opened": len(tickets) - len(spam)}


async def count_of(kpi: str, until: datetime, tenant: DemoTenant, http: httpx.AsyncClient) -> int:
    """The KPI's n over the history; 0 while it can't be told."""
    span = {"from": (until - timedelta(days=DAYS + 1)).isoformat(), "to": until.isoformat()}
    try:
        answer = await http.get(
            f"{tenant.gateway_url}/v1/kpis/{kpi}", params=span, headers={"authorization": f"Bearer {tenant.api_key}"}
        )
    except httpx.HTTPError:
        return 0
    return int(answer.json()["rows"][0]["n"]) if answer.status_code == httpx.codes.OK else 0
