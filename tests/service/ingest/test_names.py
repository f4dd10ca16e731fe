"""Names that deliveries state wait in the database until metrics has them."""

from typing import Any

from tests.contract.inbox import until
from tests.service.ingest.client import IngestClient
from tests.service.ingest.test_health import submission
from tests.unit.ingest.making import nps, response


async def test_a_delivery_and_a_record_name_their_survey(ingest: IngestClient) -> None:
    """Metrics can't be reached in these tests: deliveries are accepted all the same."""
    connection = await ingest.connect("typeform")
    body = submission(definition={"title": "Shop survey", "fields": []})
    assert (await ingest.deliver(connection, body)).status_code == 202
    record = response(nps(), survey={"id": "post-support", "name": "After support"})
    assert (await ingest.call("POST", "/v1/feedback", json=record)).status_code == 202

    async def names() -> dict[str, Any]:
        rows = await ingest.app.state.reads.fetch(
            "SELECT value, name, due FROM value_names WHERE tenant = $1 AND dimension = 'survey'", ingest.tenant
        )
        return {row["value"]: row["name"] for row in rows if row["due"]}

    async def are_stored() -> bool:
        return len(await names()) == 2

    await until(are_stored)
    assert await names() == {"f": "Shop survey", "post-support": "After support"}
