"""Bodies in gzip: records and batches are decompressed within their limits, webhooks are refused."""

import gzip
import json
from typing import Any

import pytest

from shared.bodies import MIB
from tests.service.ingest.client import IngestClient
from tests.signing import SIGN
from tests.unit.ingest.making import nps, response

GZIP = {"content-type": "application/json", "content-encoding": "gzip"}


def packed(content: Any) -> bytes:
    return gzip.compress(json.dumps(content).encode())


async def test_a_compressed_record_equals_the_same_record_as_it_is(ingest: IngestClient) -> None:
    record = response(nps(9))
    key = {"idempotency-key": "k-1"}
    first = await ingest.call("POST", "/v1/feedback", content=packed(record), headers=GZIP | key)
    again = await ingest.call("POST", "/v1/feedback", content=json.dumps(record).encode(), headers=key)
    assert (first.status_code, first.json()["status"], again.json()["status"]) == (202, "accepted", "duplicate")


@pytest.mark.parametrize("media_type", ["application/json", "application/x-ndjson"])
async def test_a_compressed_batch_is_stored(ingest: IngestClient, media_type: str) -> None:
    records = [response(nps(9), id=f"r-{n}") for n in range(50)]
    lines = b"\n".join(json.dumps(record).encode() for record in records)
    body = packed(records) if media_type == "application/json" else gzip.compress(lines)
    answer = await ingest.call("POST", "/v1/feedback:batch", content=body, headers=GZIP | {"content-type": media_type})
    assert [result["status"] for result in answer.json()["results"]] == ["accepted"] * 50


@pytest.mark.parametrize(("path", "limit"), [("/v1/feedback", MIB), ("/v1/feedback:batch", 8 * MIB), ("/v1/overrides", MIB)])
async def test_a_bomb_is_refused_by_its_decompressed_size(ingest: IngestClient, path: str, limit: int) -> None:
    bomb = gzip.compress(b"[" + b" " * limit + b"]")
    answer = await ingest.call("POST", path, content=bomb, headers=GZIP)
    assert (len(bomb) < limit // 100, answer.status_code) == (True, 413)
    assert "decompressed" in answer.json()["detail"]


async def test_a_body_that_is_not_gzip_is_400_and_another_encoding_415(ingest: IngestClient) -> None:
    broken = await ingest.call("POST", "/v1/feedback", content=b"{}", headers=GZIP)
    other = await ingest.call("POST", "/v1/feedback", content=b"{}", headers=GZIP | {"content-encoding": "br"})
    assert (broken.status_code, other.status_code, other.headers["accept-encoding"]) == (400, 415, "gzip")


async def test_a_compressed_webhook_is_refused(ingest: IngestClient) -> None:
    connection = await ingest.connect()
    body = packed({"data": response(nps(9))})
    headers = SIGN["standard"](connection["secret"], body) | {"content-encoding": "gzip"}
    answer = await ingest.http.post(f"/v1/hooks/{connection['id']}", content=body, headers=headers)
    assert (answer.status_code, answer.headers["accept-encoding"]) == (415, "identity")
