"""A fake of metrics for tests of the live hub, and what they share."""

import asyncio
import json
from collections.abc import Callable

from services.gateway.domain.watch import Watch
from services.gateway.live.query import Pace
from shared.problems import NotFound, Unavailable

SOON = Pace(min_interval=0.005, rest_ratio=0, retry=0.01)
TIMEOUT = 2.0
NPS = Watch(("nps",), "window=24h", recheck=60)


class Metrics:
    """Plays metrics: holds a value for each (tenant, KPI), records evaluations, and can be slow or unavailable."""

    def __init__(self) -> None:
        self.values: dict[tuple[str, str], int] = {}
        self.evaluations: list[tuple[str, str, str]] = []
        self.unavailable = False
        self.gate = asyncio.Event()
        self.gate.set()

    async def __call__(self, tenant: str, kpi: str, query: str) -> bytes:
        self.evaluations.append((tenant, kpi, query))
        await self.gate.wait()
        if self.unavailable:
            raise Unavailable("no metrics")
        if kpi == "unknown":
            raise NotFound("there is no such KPI")
        window = {"from": str(len(self.evaluations)), "to": str(len(self.evaluations) + 1)}
        return json.dumps({"kpi": kpi, "window": window, "rows": [{**window, "n": self.values.get((tenant, kpi), 0)}]}).encode()


async def until(truth: Callable[[], bool]) -> None:
    for _ in range(2_000):
        if truth():
            return
        await asyncio.sleep(0.001)
    raise AssertionError("the condition did not become true")
