"""A promotion publishes a change on the real broker, so that live streams query again."""

from collections.abc import Sequence
from datetime import UTC, datetime
from uuid import uuid4

import httpx
from pydantic import SecretStr

from services.metrics.app import create_app
from services.metrics.settings import Settings
from shared.events import KpiChange, decode_change
from shared.kafka import IncomingRecord, ensure_topics
from shared.topics import CHANGES, TOPICS
from tests.conftest import NewDatabase
from tests.contract.kafka_topic import KafkaTopic, until
from tests.service.metrics.database import TOKEN, open_metrics_db, score_of, survey_response
from tests.unit.metrics.build import words

NOON = datetime(2026, 11, 2, 12, tzinfo=UTC)


async def test_a_promotion_is_published_on_the_topic_of_changes(kafka: str, database: NewDatabase) -> None:
    await ensure_topics(kafka, TOPICS)
    tenant, url, changes = f"t-{uuid4().hex[:8]}", await database("metrics"), list[KpiChange]()

    async def collect(records: Sequence[IncomingRecord]) -> None:  # the topic also holds records of other tests
        changes.extend(decode_change(record.value) for record in records if record.key == tenant.encode())

    async with open_metrics_db(url) as metrics:
        await metrics.tenant(tenant)
        await metrics.apply(
            survey_response(1, words("fine"), at=NOON, tenant=tenant),
            score_of("c1/response/1", "fine", 0.5, "linear-1", tenant=tenant),
        )
    settings = Settings(
        database_url=SecretStr(url), internal_token=SecretStr(TOKEN), kafka_bootstrap_servers=kafka, consume=False, seal=False
    )
    app = create_app(settings)
    headers = {"Authorization": f"Bearer {TOKEN}", "X-Earshot-Tenant": tenant}
    async with (
        KafkaTopic(kafka, CHANGES, f"consumer-{tenant}").consuming(collect) as consumer,
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://metrics", headers=headers) as http,
    ):
        await until(lambda: consumer.joined, 60)
        assert (await http.post("/v1/models/linear-1:promote")).status_code == 200
        await until(lambda: bool(changes), 60)
    assert {"sentiment", "net_sentiment", "sentiment_share"} <= set(changes[0].kpis)
