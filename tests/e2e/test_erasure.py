"""An erasure from the API through Kafka to metrics: the customer's records, comments and counts are gone, all others stay."""

from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from tests.e2e.stack import Stack, nps_response, until

WORDS = "The zebra-striped umbrella broke on the first day"


async def values_of_records(stack: Stack, kpi: str, connection: dict[str, str]) -> list[Any]:
    answer = await stack.get(f"/v1/kpis/{kpi}/records", window="24h", **{"filter[connection]": connection["id"]})
    assert answer.status_code == 200, answer.text
    return list(answer.json()["records"])


async def test_an_erased_customer_is_in_no_record_and_no_kpi_and_others_are_kept(stack: Stack) -> None:
    connection = await stack.new_connection("standard")
    anna, ben = {"id": f"anna-{uuid4().hex}"}, {"id": f"ben-{uuid4().hex}"}
    first, second = uuid4().hex, uuid4().hex
    deliveries = [
        (first, nps_response(1, id=first, comment=WORDS, customer=anna)),
        (second, nps_response(2, id=second, customer=anna)),
        (uuid4().hex, nps_response(10, comment="Lovely.", customer=ben)),
    ]
    for delivery, record in deliveries:
        answer = await stack.deliver("standard", {"data": record}, connection=connection, delivery=delivery)
        assert answer.json() == {"status": "accepted"}

    async def counts(nps: int, comments: int) -> bool:
        own = {"filter[connection]": connection["id"]}
        return [(await stack.row(kpi, **own))["n"] for kpi in ("nps", "sentiment")] == [nps, comments]

    await until(lambda: counts(3, 2), description="all answers and comments counted")
    assert any(record["text"] == WORDS for record in await values_of_records(stack, "sentiment", connection))

    erasure = {"type": "erasure", "id": uuid4().hex, "at": datetime.now(UTC).isoformat(), "customer": anna}
    answer = await stack.admin("POST", "/v1/feedback", json=erasure)
    assert answer.json()["status"] == "accepted"
    await until(lambda: counts(1, 1), description="the customer's answers and comments gone")
    assert [record["value"] for record in await values_of_records(stack, "nps", connection)] == [10]
    assert [record["text"] for record in await values_of_records(stack, "sentiment", connection)] == ["Lovely."]

    for delivery, record in deliveries[:2]:
        answer = await stack.deliver("standard", {"data": record}, connection=connection, delivery=delivery)
        assert answer.json() == {"status": "duplicate"}
    answer = await stack.deliver("standard", {"data": deliveries[0][1]}, connection=connection, delivery=uuid4().hex)
    assert answer.json() == {"status": "ignored"}
    marker = {"data": nps_response(9, customer=ben)}
    assert (await stack.deliver("standard", marker, connection=connection)).json() == {"status": "accepted"}
    await until(lambda: counts(2, 1), description="only the other customer's new answer counted")
    result = await stack.verify()
    assert result.returncode == 0, result.stdout + result.stderr
