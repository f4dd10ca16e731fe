"""Load the demo's history through the gateway's batch route, once per data folder. It can be resumed without duplicates."""

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
TIMEOUT = 120.0
"""Seconds within which a chunk must be accepted, and within which the counts must grow."""


async def load_history(settings: Settings, tenant: DemoTenant, http: httpx.AsyncClient, terminal: Terminal) -> datetime:
    """Post the history and wait until it is counted, unless that was done before. Returns the end of the history.

    The end is stored at the first attempt. A second attempt posts the same deliveries, which ingest drops as duplicates.
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
        await wait_until_counted(records, until, tenant, http, terminal)
        replace_json(marker, state | {"counted": True})
        terminal.done(f"{len(records):,} subjects of {DAYS} days")
    return until


async def post(records: Sequence[tuple[str, Record]], tenant: DemoTenant, http: httpx.AsyncClient, terminal: Terminal) -> None:
    """Post all records in chunks, each with an idempotency key of its own."""
    done = 0
    for provider, start, chunk in chunks(records):
        terminal.doing(f"loading the history: {done:,} of {len(records):,} subjects")
        await post_chunk(tenant, http, provider, f"demo-history-{provider}-{start}", chunk)
        done += len(chunk)


def chunks(records: Sequence[tuple[str, Record]]) -> Iterator[tuple[str, int, list[Record]]]:
    """(provider, index of its first record, records) of each chunk."""
    by_provider: dict[str, list[Record]] = defaultdict(list)
    for provider, record in records:
        by_provider[provider].append(record)
    for provider, own in sorted(by_provider.items()):
        for start in range(0, len(own), CHUNK):
            yield provider, start, own[start : start + CHUNK]


async def post_chunk(tenant: DemoTenant, http: httpx.AsyncClient, provider: str, key: str, chunk: Sequence[Record]) -> None:
    """Post one chunk, with retries. Raises StartFailed if a record is rejected or the chunk is not accepted in time."""
    url = f"{tenant.gateway_url}/v1/feedback:batch"
    headers = {"authorization": f"Bearer {tenant.admin_key}", "idempotency-key": key, "content-type": "application/json"}
    body = json.dumps(chunk).encode()
    answer = None
    deadline = asyncio.get_running_loop().time() + TIMEOUT
    while asyncio.get_running_loop().time() < deadline:
        try:
            answer = await http.post(url, params={"connection": tenant.connection(provider)["id"]}, content=body, headers=headers)
        except httpx.HTTPError:
            answer = None
        if answer and answer.status_code == httpx.codes.OK:
            return check_accepted(answer.json()["results"])
        if answer and answer.status_code != httpx.codes.SERVICE_UNAVAILABLE:
            break
        await asyncio.sleep(1)
    reason = f"{answer.status_code} {answer.text[:300]}" if answer else "the gateway did not answer"
    raise StartFailed(f"the demo's history was not accepted: {reason}")


def check_accepted(results: Sequence[dict[str, Any]]) -> None:
    """Raise StartFailed if ingest rejected any record of a batch."""
    if rejected := next((result for result in results if result["status"] == "rejected"), None):
        raise StartFailed(f"a record of the demo's history was rejected: {rejected.get('problem')}")


async def wait_until_counted(
    records: Sequence[tuple[str, Record]], until: datetime, tenant: DemoTenant, http: httpx.AsyncClient, terminal: Terminal
) -> None:
    """Wait until metrics has applied the history. Raises StartFailed if its counts do not grow for TIMEOUT seconds."""
    expected = expected_counts([record for _, record in records])
    best, deadline = -1, 0.0
    while True:
        counts = {kpi: await count_of(kpi, until, tenant, http) for kpi in expected}
        if all(counts[kpi] >= n for kpi, n in expected.items()):
            return
        now = asyncio.get_running_loop().time()
        if sum(counts.values()) > best:
            best, deadline = sum(counts.values()), now + TIMEOUT
        if now > deadline:
            raise StartFailed(f"the history is not counted: {counts} instead of {expected}; see the logs of metrics")
        terminal.doing(f"counting the history: {sum(counts.values()):,} of {sum(expected.values()):,} answers and tickets")
        await asyncio.sleep(0.25)


def expected_counts(records: Sequence[Record]) -> dict[str, int]:
    """KPI → its n when all records are counted."""
    answers = [answer for record in records for answer in record.get("answers", ())]
    tickets = [record for record in records if record["type"] == "ticket"]
    spam = [record for record in tickets if any(fact["fact"] == "spam" for fact in record["facts"])]
    return {"nps": sum(answer["kind"] == "nps" for answer in answers), "tickets_opened": len(tickets) - len(spam)}


async def count_of(kpi: str, until: datetime, tenant: DemoTenant, http: httpx.AsyncClient) -> int:
    """The KPI's n over the history; 0 if the gateway does not answer."""
    span = {"from": (until - timedelta(days=DAYS + 1)).isoformat(), "to": until.isoformat()}
    try:
        answer = await http.get(
            f"{tenant.gateway_url}/v1/kpis/{kpi}", params=span, headers={"authorization": f"Bearer {tenant.api_key}"}
        )
    except httpx.HTTPError:
        return 0
    return int(answer.json()["rows"][0]["n"]) if answer.status_code == httpx.codes.OK else 0
