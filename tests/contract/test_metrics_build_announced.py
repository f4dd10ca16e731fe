"""The end of a build is announced to live streams."""

from datetime import timedelta

import pytest

from services.metrics.builder import Builder
from shared.kafka import Undelivered
from tests.contract.test_metrics_builder import change, metrics, rows_of_builds, status
from tests.service.metrics.database import MetricsDatabase

__all__ = ["metrics"]


@pytest.mark.parametrize("reachable", [True, False])
async def test_the_end_of_a_build_is_announced_if_the_broker_is_reachable(metrics: MetricsDatabase, reachable: bool) -> None:
    announced: list[tuple[str, int]] = []

    async def announce(tenant: str) -> None:
        announced.append((tenant, (await status(metrics, tenant)).revision))
        if not reachable:
            raise Undelivered("no broker")

    await change(metrics, "plan")
    announcing = Builder(metrics.pool, seal_patience=timedelta(0), announce=announce)
    while await announcing.step(metrics.writer):
        pass
    assert announced == [("acme", 2)]
    assert await rows_of_builds(metrics) == (0, 0, 0, 0, 0)
