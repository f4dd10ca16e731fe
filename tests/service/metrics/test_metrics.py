"""`/metrics` of the metrics service: the backlog of the sealer."""

import httpx

from tests.service.metrics.database import MetricsDatabase, serving


def value(scraped: httpx.Response, name: str) -> float:
    [line] = [line for line in scraped.text.splitlines() if line.startswith(f"{name} ")]
    return float(line.split()[-1])


async def test_the_backlog_of_the_sealer_is_measured(metrics_db: MetricsDatabase) -> None:
    await metrics_db.pool.execute("DELETE FROM sealing")
    await metrics_db.pool.execute("""
        INSERT INTO sealing (tenant, revision, due)
        VALUES (101, 1, now() - interval '1 hour'), (102, 1, now() + interval '1 hour')
    """)
    async with serving(metrics_db.url, seal_after_seconds=60) as http:
        scraped = await http.get("/metrics")
    assert value(scraped, "earshot_metrics_sealing_tenants") == 1
    assert 3530 < value(scraped, "earshot_metrics_sealing_seconds") < 3600
