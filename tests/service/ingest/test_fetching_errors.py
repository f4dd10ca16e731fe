"""Each error of a tool's API has one outcome: quarantined with its reason, tried again, or ignored; others are not delayed."""

import json

import pytest

from services.ingest.tool_client import MAX_ANSWER_BYTES
from tests.contract.inbox import until
from tests.fake_tool_api import Answer
from tests.service.ingest.fetching import SECRET, TOKEN, Fetching, details
from tests.unit.ingest.surveymonkey_documents import response


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (Answer(403, {}), "the tool's API answered 403: the credentials lack a permission for this object"),
        (Answer(400, {}), "the tool's API answered 400"),
        (Answer(301, {}, {"location": "http://169.254.169.254/"}), "the tool's API answered 301"),
        (Answer(200, b"[" + b"0," * (MAX_ANSWER_BYTES // 2) + b"0]"), f"longer than {MAX_ANSWER_BYTES} bytes"),
        (Answer(200, [0] * 60_000), "the answer of the tool's API has too many values"),
        (Answer(200, []), "the response has no collector_id"),
    ],
    ids=["403", "400", "301", "long", "values", "shape"],
)
async def test_an_answer_that_stays_unusable_is_quarantined_and_fetched_again_on_retry(
    fetching: Fetching, answer: Answer, reason: str
) -> None:
    fetching.api.queue(fetching.path, answer)
    await fetching.deliver()
    await until(fetching.is_quarantined)
    [item] = await fetching.quarantined()
    assert reason in item["reason"]
    assert (await fetching.health())["quarantined_24h"] == 1
    retried = (await fetching.ingest.call("POST", f"/v1/quarantine/{item['id']}:retry")).json()
    assert retried["status"] == "pending"
    await until(fetching.has_events)
    assert await fetching.quarantined() == []


@pytest.mark.parametrize(
    "answer",
    [
        Answer(500, {}),
        Answer(503, {}, {"retry-after": "1"}),
        Answer(200, response(), missing_bytes=5),
        Answer(200, json.dumps(response()).encode()[:-40]),
        Answer(200, b"<html>maintenance</html>"),
    ],
    ids=["500", "503", "truncated", "half", "html"],
)
async def test_a_passing_failure_is_tried_again_later(fetching: Fetching, answer: Answer) -> None:
    fetching.api.queue(fetching.path, answer)
    await fetching.deliver()
    await until(fetching.has_error)
    health = (await fetching.health())["api"]
    assert (health["waiting"], health["stopped"]) == (1, None)
    assert (await fetching.ingest.events(), await fetching.quarantined()) == ([], [])


async def test_a_slow_tool_delays_no_other(fetching: Fetching) -> None:
    slow = [f"{fetching.response}{i}" for i in range(6)]
    for one in slow:
        fetching.api.queue(details(one), Answer(seconds=30))
    for one in slow:
        await fetching.deliver(response=one)
    await until(lambda: called_any(fetching, slow))
    other = await fetching.ingest.connect("surveymonkey", secret=SECRET, credentials={"access_token": TOKEN})
    await Fetching(fetching.ingest, fetching.api, other, fetching.response).deliver()
    await until(fetching.has_events)
    called = [path for path in fetching.api.paths() if path in {details(one) for one in slow}]
    assert len(called) <= 4  # two calls for each of the two processes


async def called_any(fetching: Fetching, responses: list[str]) -> bool:
    return any(details(one) in fetching.api.paths() for one in responses)
