"""`/metrics` of ingest: its own families, the outbox and the pools."""

import asyncio

from prometheus_client.parser import text_string_to_metric_families

from tests.conftest import NewDatabase
from tests.service.ingest.client import IngestClient, running_ingest
from tests.unit.ingest.making import nps, response


async def scrape(ingest: IngestClient) -> dict[tuple[str, ...], float]:
    """Value by name and values of the labels."""
    text = (await ingest.http.get("/metrics")).text
    samples = [sample for family in text_string_to_metric_families(text) for sample in family.samples]
    return {(sample.name, *sample.labels.values()): sample.value for sample in samples}


async def test_only_metrics_of_ingest_are_exported(ingest: IngestClient) -> None:
    names = {name for name, *_ in await scrape(ingest)}
    assert not [name for name in names if name.startswith(("earshot_gateway_", "earshot_metrics_", "earshot_sentiment_"))]
    assert {"earshot_ingest_outbox_deliveries", "process_resident_memory_bytes"} <= names


async def test_the_outbox_and_the_pools_are_measured(database: NewDatabase) -> None:
    async with running_ingest(await database("ingest")) as ingest:
        ingest.broker.unavailable = True
        await ingest.call("PUT", "/internal/tenants/acme", json={"name": "Acme", "zone": "UTC"})
        for number in range(3):
            answer = await ingest.call("POST", "/v1/feedback", json=response(nps(9), id=f"r-{number}"))
            assert answer.status_code == 202, answer.text
        await asyncio.sleep(0.05)
        metrics = await scrape(ingest)
        assert metrics["earshot_ingest_outbox_deliveries",] == 3
        assert 0.04 < metrics["earshot_ingest_outbox_seconds",] < 60
        assert metrics["earshot_database_connections_limit", "commits"] == 3
        assert metrics["earshot_database_connections", "commits", "in_use"] == 1, "the committer's connection"


async def test_an_empty_outbox_has_no_age(database: NewDatabase) -> None:
    async with running_ingest(await database("ingest")) as ingest:
        metrics = await scrape(ingest)
    assert (metrics["earshot_ingest_outbox_deliveries",], metrics["earshot_ingest_outbox_seconds",]) == (0, 0)


async def test_without_a_database_the_outbox_is_unknown() -> None:
    async with running_ingest("postgresql+asyncpg://nobody@127.0.0.1:1/nothing") as ingest:
        value = (await scrape(ingest))["earshot_ingest_outbox_deliveries",]
    assert value != value, "NaN"


async def test_deliveries_are_counted_by_the_template_of_the_hook(ingest: IngestClient) -> None:
    connection = await ingest.connect()
    labels = ("earshot_http_request_seconds_count", "POST", "/v1/hooks/{connection}")
    before = await scrape(ingest)
    await ingest.deliver_record(connection, response(nps(9)))
    await ingest.http.post(f"/v1/hooks/{connection['id']}", content=b"{}", headers={"content-type": "application/json"})
    after = await scrape(ingest)
    counts = {status: after[*labels, status] - before.get((*labels, status), 0) for status in ("2xx", "4xx")}
    assert counts == {"2xx": 1, "4xx": 1}
