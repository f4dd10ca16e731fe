"""`Idempotency-Key`: a retry is a duplicate, and another content under a used key is refused, never dropped in silence."""

import asyncio
import json
from typing import Any

import httpx
import pytest

from shared.events import text_hash
from tests.service.ingest.client import IngestClient
from tests.unit.ingest.making import comment, nps, response

KEY = {"idempotency-key": "k-1"}
REUSED = "urn:earshot:problem:idempotency-key-reused"


async def post(ingest: IngestClient, record: Any, **headers: str) -> httpx.Response:
    return await ingest.call("POST", "/v1/feedback", json=record, headers=headers or KEY)


async def batch(ingest: IngestClient, *records: Any) -> list[dict[str, Any]]:
    answer = await ingest.call("POST", "/v1/feedback:batch", json=records, headers=KEY)
    assert answer.status_code == 200, answer.text
    results: list[dict[str, Any]] = answer.json()["results"]
    return results


def erasure(customer: str) -> dict[str, Any]:
    return {"type": "erasure", "id": "e", "at": "2026-11-20T10:00:00Z", "customer": {"id": customer}}


def is_refused(answer: httpx.Response) -> bool:
    return answer.status_code == 422 and answer.json()["type"] == REUSED


async def test_a_retry_is_a_duplicate_and_another_content_is_422(ingest: IngestClient) -> None:
    assert (await post(ingest, response(nps(9)))).json()["status"] == "accepted"
    assert (await post(ingest, response(nps(9)))).json()["status"] == "duplicate"
    answer = await post(ingest, response(nps(3)))
    assert is_refused(answer), answer.text
    assert "new key" in answer.json()["detail"]
    assert [event.body.answers[0].value for event in await ingest.events()] == [9]  # type: ignore[union-attr]
    assert (await post(ingest, response(nps(3)), **{"idempotency-key": "k-2"})).json()["status"] == "accepted"


async def test_a_retry_may_write_the_same_record_in_another_way(ingest: IngestClient) -> None:
    record = response(nps(9), comment("call +49 30 901820"))
    await post(ingest, record)
    turned = json.dumps(dict(reversed(record.items())), indent=2)
    answer = await ingest.call("POST", "/v1/feedback", content=turned, headers=KEY)
    assert answer.json()["status"] == "duplicate"


async def test_a_refused_first_use_leaves_the_key_free(ingest: IngestClient) -> None:
    assert (await post(ingest, response(nps(11)))).status_code == 422
    assert (await post(ingest, response(nps(9)))).json()["status"] == "accepted"


async def test_two_contents_at_once_under_one_key_are_one_acceptance_and_one_refusal(ingest: IngestClient) -> None:
    answers = await asyncio.gather(*[post(ingest, response(nps(n))) for n in (9, 3)])
    assert sorted(answer.status_code for answer in answers) == [202, 422]


async def test_each_record_of_a_batch_has_a_key_of_its_own(ingest: IngestClient) -> None:
    await batch(ingest, response(nps(9), id="a"), response(nps(11), id="b"), response(nps(7), id="c"))
    results = await batch(ingest, response(nps(9), id="a"), response(nps(8), id="b"), response(nps(6), id="c"))
    assert [result["status"] for result in results] == ["duplicate", "accepted", "rejected"]
    assert results[2]["problem"]["title"] == "Idempotency key reused"


async def test_after_an_erasure_a_retry_is_a_duplicate(ingest: IngestClient) -> None:
    record = response(nps(9), customer={"id": "anna"})
    await post(ingest, record)
    await post(ingest, erasure("anna"), **{"idempotency-key": "forget-anna"})
    assert (await post(ingest, record)).json()["status"] == "duplicate"


async def test_a_key_of_an_erasure_is_valid_for_its_customer_only(ingest: IngestClient) -> None:
    await post(ingest, response(nps(9), customer={"id": "ben"}), **{"idempotency-key": "ben"})
    assert (await post(ingest, erasure("anna"))).json()["status"] == "accepted"
    assert (await post(ingest, erasure("anna"))).json()["status"] == "duplicate"
    assert is_refused(await post(ingest, erasure("ben")))
    assert is_refused(await post(ingest, response(nps(9))))
    assert is_refused(await post(ingest, erasure("anna"), **{"idempotency-key": "ben"}))


async def test_judging_a_comment_under_a_used_key_follows_the_same_rule(ingest: IngestClient) -> None:
    await ingest.call("POST", "/v1/feedback", json=response(comment("Fine.")))
    [event] = await ingest.events()
    judged = {"subject": event.subject, "comment": text_hash("Fine.")}

    async def judge(label: str) -> httpx.Response:
        return await ingest.call("POST", "/v1/overrides", json=judged | {"label": label}, headers=KEY)

    assert [(await judge("positive")).json()["status"] for _ in range(2)] == ["accepted", "duplicate"]
    assert is_refused(await judge("negative"))


async def test_a_webhooks_delivery_id_makes_a_duplicate_whatever_its_body(ingest: IngestClient) -> None:
    connection = await ingest.connect()
    statuses = [await ingest.deliver_record(connection, response(nps(n)), delivery="msg_1") for n in (9, 3)]
    assert statuses == ["accepted", "duplicate"]


@pytest.mark.parametrize("key", ["", "   ", "x" * 256, "a\tb", "\xfc"])
@pytest.mark.parametrize("path", ["/v1/feedback", "/v1/feedback:batch"])
async def test_a_blank_long_or_unprintable_key_is_400(ingest: IngestClient, path: str, key: str) -> None:
    answer = await ingest.call("POST", path, json=response(nps(9)), headers={"idempotency-key": key.encode("latin-1")})  # type: ignore[dict-item]
    assert answer.status_code == 400
    assert [place["name"] for place in answer.json()["invalid_params"]] == ["Idempotency-Key"]
    assert await ingest.events() == []
