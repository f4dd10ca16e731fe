"""CloudEvents that are posted to `/v1/feedback`: the answer says where events are read, and which form is read here."""

import json
from typing import Any

import pytest

from tests.service.ingest.client import IngestClient
from tests.unit.ingest.making import nps, response

EVENT = {"specversion": "1.0", "id": "1", "source": "/shop", "type": "org.example.rated"}
BINARY = {"ce-specversion": "1.0", "ce-id": "1", "ce-source": "/shop", "ce-type": "org.example.rated"}


@pytest.mark.parametrize("path", ["/v1/feedback", "/v1/feedback:batch"])
@pytest.mark.parametrize("media_type", ["application/cloudevents+json; charset=utf-8", "application/cloudevents-batch+json"])
async def test_a_structured_event_is_415(ingest: IngestClient, path: str, media_type: str) -> None:
    body = json.dumps({**EVENT, "data": response(nps(9))})
    answer = await ingest.call("POST", path, content=body, headers={"content-type": media_type})
    assert answer.status_code == 415
    for text in (
        "CloudEvents are not read here",
        "hook_url",
        "provider cloudevents",
        "`data`",
        "`type`",
        "response, review, ticket",
        "`id`",
        "`at`",
    ):
        assert text in answer.json()["detail"]
    assert await ingest.events() == []


async def test_an_event_that_is_posted_as_json_is_422(ingest: IngestClient) -> None:
    event = {**EVENT, "data": response(nps(9))}
    answer = await ingest.call("POST", "/v1/feedback", json=event)
    assert (answer.status_code, [param["name"] for param in answer.json()["invalid_params"]]) == (422, ["specversion"])
    assert "canonical record alone" in answer.json()["detail"]
    [result, other] = (await ingest.call("POST", "/v1/feedback:batch", json=[event, 5])).json()["results"]
    assert "canonical record alone" in result["problem"]["detail"]
    assert "CloudEvents" not in other["problem"]["detail"]


@pytest.mark.parametrize(("data", "status"), [(response(nps(9)), 202), ({"rating": 9}, 422), ([], 422)])
async def test_the_data_of_an_event_in_binary_mode_must_be_a_record(ingest: IngestClient, data: Any, status: int) -> None:
    answer = await ingest.call("POST", "/v1/feedback", json=data, headers=BINARY)
    assert answer.status_code == status
    if status == 422:
        assert "the data of the CloudEvents event is no record" in answer.json()["detail"]
        assert answer.json()["invalid_params"]


async def test_a_wrong_record_is_explained_as_before(ingest: IngestClient) -> None:
    answer = await ingest.call("POST", "/v1/feedback", json=response(nps(11)))
    assert "CloudEvents" not in answer.text
