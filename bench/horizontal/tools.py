"""The callers: a tool that posts signed webhooks and sends each again until it is accepted, and a dashboard that reads a KPI."""

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from statistics import median
from time import perf_counter
from typing import Any
from uuid import uuid4

import httpx

from tests.signing import standard

AGAIN_SECONDS = 0.5
QUERY_SECONDS = 0.5
NO_ANSWER = "no answer"


@dataclass
class Phase:
    """Requests of one phase: seconds until a webhook was accepted, refused attempts and queries by status."""

    waits: list[float] = field(default_factory=list)
    refused: Counter[str] = field(default_factory=Counter)
    queries: Counter[str] = field(default_factory=Counter)
    query_seconds: list[float] = field(default_factory=list)

    @property
    def failed_queries(self) -> int:
        """Queries that were not answered by 200."""
        return sum(count for status, count in self.queries.items() if status != "200")

    def __str__(self) -> str:
        waits, times = self.waits or [0.0], self.query_seconds or [0.0]
        refused = ", ".join(f"{count} × {status}" for status, count in sorted(self.refused.items())) or "none"
        return (
            f"{len(self.waits):>4} webhooks accepted, after p50 {median(waits) * 1000:.0f} ms, longest {max(waits):.2f} s; "
            f"refused attempts: {refused}; {self.queries.total()} queries, {self.failed_queries} failed, "
            f"p50 {median(times) * 1000:.0f} ms"
        )


class Callers:
    """One tool and one dashboard of a tenant. `phase` collects their requests, each at its end."""

    def __init__(self, hook: dict[str, Any], gateway: str, key: str, rate: float) -> None:
        self.phase = Phase()
        self.accepted: set[str] = set()
        self.with_comment: set[str] = set()
        self._hook = hook
        self._rate = rate
        self._posts: set[asyncio.Task[None]] = set()
        headers = {"authorization": f"Bearer {key}"}
        self._tool = httpx.AsyncClient(timeout=12, trust_env=False, limits=httpx.Limits(max_keepalive_connections=0))
        limits = httpx.Limits(max_keepalive_connections=0)
        self._dashboard = httpx.AsyncClient(base_url=gateway, headers=headers, timeout=12, trust_env=False, limits=limits)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Post and query. At the end every webhook has been accepted."""
        tasks = [asyncio.create_task(self._post_all()), asyncio.create_task(self._query())]
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            await asyncio.gather(*self._posts)

    async def aclose(self) -> None:
        """Close the connections."""
        await asyncio.gather(self._tool.aclose(), self._dashboard.aclose())

    async def count(self, kpi: str) -> int:
        """The n of a KPI over the last day; -1 if the query fails."""
        try:
            answer = await self._dashboard.get(f"/v1/kpis/{kpi}", params={"window": "24h"})
        except httpx.HTTPError:
            return -1
        return int(sum(row["n"] for row in answer.json()["rows"])) if answer.status_code == httpx.codes.OK else -1

    async def wait_until_counted(self) -> float:
        """Wait until every accepted response and comment is counted. Returns the seconds."""
        began = perf_counter()
        goals = {"nps": len(self.accepted), "sentiment": len(self.with_comment)}

        async def is_counted() -> bool:
            return all([await self.count(kpi) >= goal for kpi, goal in goals.items()])

        await wait_until(is_counted, f"counts of {goals}")
        return perf_counter() - began

    async def _post_all(self) -> None:
        number = 0
        while True:
            number += 1
            task = asyncio.create_task(self._post(f"response-{number}", has_comment=number % 2 == 0))
            self._posts.add(task)
            task.add_done_callback(self._posts.discard)
            await asyncio.sleep(1 / self._rate)

    async def _post(self, name: str, *, has_comment: bool) -> None:
        answers: list[dict[str, Any]] = [{"question": "q1", "kind": "nps", "value": 9}]
        if has_comment:
            answers.append({"question": "q2", "kind": "comment", "text": f"Delivery {name} came late, again.", "language": "en"})
        record = {"type": "response", "id": name, "at": datetime.now(UTC).isoformat(), "answers": answers}
        body = json.dumps({"type": "feedback", "timestamp": record["at"], "data": record}).encode()
        began, delivery = perf_counter(), f"msg_{uuid4().hex}"
        while (status := await self._send(body, delivery)) not in {"200", "202"}:
            self.phase.refused[status] += 1
            await asyncio.sleep(AGAIN_SECONDS)
        self.phase.waits.append(perf_counter() - began)
        self.accepted.add(name)
        if has_comment:
            self.with_comment.add(name)

    async def _send(self, body: bytes, delivery: str) -> str:
        headers = standard(self._hook["secret"], body, delivery=delivery)
        try:
            return str((await self._tool.post(self._hook["hook_url"], content=body, headers=headers)).status_code)
        except httpx.HTTPError:
            return NO_ANSWER

    async def _query(self) -> None:
        while True:
            began = perf_counter()
            try:
                status = str((await self._dashboard.get("/v1/kpis/nps", params={"window": "24h"})).status_code)
            except httpx.HTTPError:
                status = NO_ANSWER
            self.phase.queries[status] += 1
            self.phase.query_seconds.append(perf_counter() - began)
            await asyncio.sleep(QUERY_SECONDS)


async def wait_until(condition: Callable[[], Any], description: str, seconds: float = 180.0) -> None:
    """Wait until `await condition()` is true. Raises TimeoutError with the description."""
    try:
        async with asyncio.timeout(seconds):
            while not await condition():  # noqa: ASYNC110
                await asyncio.sleep(0.1)
    except TimeoutError:
        raise TimeoutError(f"not within {seconds:.0f} s: {description}") from None
