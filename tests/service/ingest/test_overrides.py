"""A human's judgement of a comment: a statement on the subject that made it, and on no other tenant's."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from shared.events import Override, text_hash
from tests.service.ingest.door import TENANTS, Door
from tests.unit.ingest.making import response

WORDS = "It logs me out every five minutes."
COMMENT = text_hash(WORDS)


async def spoken(door: Door, text: str = WORDS, id: str = "r-1", **fields: Any) -> str:
    """Have a customer say something; the subject that it makes."""
    said = {"question": "q1", "kind": "comment", "text": text}
    assert (await door.call("POST", "/v1/feedback", json=response(said, id=id, **fields))).status_code == 202
    return (await door.events())[-1].subject


def judgement(subject: str, **more: Any) -> dict[str, Any]:
    return {"subject": subject, "comment": COMMENT, "label": "negative", **more}


async def verdict(door: Door, body: Any, **headers: str) -> tuple[int, str | None]:
    answer = await door.call("POST", "/v1/overrides", json=body, headers=headers)
    return answer.status_code, answer.json().get("status") if answer.status_code == 202 else None


async def test_a_judgement_is_a_statement_on_the_subject_as_it_is_named(door: Door) -> None:
    subject = await spoken(door, id="r/1 ü")
    assert await verdict(door, judgement(subject, themes=["reliability"])) == (202, "accepted")
    said, judged = await door.events()
    assert (judged.tenant, judged.subject, judged.source) == (said.tenant, said.subject, "api")
    assert judged.body == Override(comment=COMMENT, label="negative", themes=("reliability",))


async def test_it_is_published_under_the_key_of_what_it_judges(door: Door) -> None:
    await verdict(door, judgement(await spoken(door)))
    async with asyncio.timeout(10):
        while len(door.broker.sent) < 2:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
    assert len({message.key for message in door.broker.sent}) == 1


async def test_the_same_key_again_is_the_same_judgement_but_no_other_record(door: Door) -> None:
    subject = await spoken(door)
    key = {"idempotency-key": "k-1"}
    assert (await door.call("POST", "/v1/feedback", json=response(id="r-2"), headers=key)).json()["status"] == "accepted"
    assert await verdict(door, judgement(subject), **key) == (202, "accepted")
    assert await verdict(door, judgement(subject), **key) == (202, "duplicate")
    assert len(await door.events()) == 3


async def test_a_later_judgement_has_the_later_stamp(door: Door) -> None:
    now = datetime(2026, 11, 20, 10, tzinfo=UTC)
    door.at(now)
    subject = await spoken(door, at=now.isoformat())
    for minute, label in enumerate(("negative", "neutral", None)):
        door.at(now + timedelta(minutes=minute))
        assert (await verdict(door, judgement(subject, label=label)))[0] == 202
    judged = sorted((event for event in await door.events() if isinstance(event.body, Override)), key=lambda event: event.at)
    assert [event.body.label for event in judged if isinstance(event.body, Override)] == ["negative", "neutral", None]


async def test_what_the_subject_never_said_can_not_be_judged(door: Door) -> None:
    subject = await spoken(door)
    assert (await verdict(door, judgement(subject, comment=text_hash("Something else."))))[0] == 404
    assert (await verdict(door, judgement(f"{subject}0")))[0] == 404
    assert len(await door.events()) == 1


async def test_another_tenants_subject_is_not_there(door: Door) -> None:
    subject = await spoken(door)
    other = replace(door, tenant=f"tenant-{next(TENANTS)}")
    await other.call("PUT", f"/internal/tenants/{other.tenant}", json={"name": "Other", "zone": "UTC"})
    assert (await verdict(other, judgement(subject)))[0] == 404
    assert await other.events() == []
    assert len(await door.events()) == 1


async def test_an_unknown_tenant_has_nothing_to_judge(door: Door) -> None:
    assert (await verdict(replace(door, tenant="nobody"), judgement(await spoken(door))))[0] == 404


async def test_a_text_that_was_edited_may_still_be_judged(door: Door) -> None:
    subject = await spoken(door)
    await spoken(door, "Works now.")
    assert (await verdict(door, judgement(subject)))[0] == 202


async def test_an_agents_words_are_no_comment(door: Door) -> None:
    at = "2026-11-20T10:00:00Z"
    message = {"fact": "message", "at": at, "by": "agent", "text": WORDS}
    ticket = {"type": "ticket", "id": "T-1", "at": at, "facts": [{"fact": "opened", "at": at}, message]}
    door.at(datetime(2026, 11, 21, tzinfo=UTC))
    assert (await door.call("POST", "/v1/feedback", json=ticket)).status_code == 202
    assert (await verdict(door, judgement((await door.events())[-1].subject)))[0] == 404


async def test_what_was_erased_can_not_be_judged_and_its_judgements_go_with_it(door: Door) -> None:
    subject = await spoken(door, customer={"id": "anna"})
    await verdict(door, judgement(subject))
    erasure = {"type": "erasure", "id": "e", "at": "2026-01-20T10:00:00Z", "customer": {"id": "anna"}}
    assert (await door.call("POST", "/v1/feedback", json=erasure)).status_code == 202
    assert [type(event.body).__name__ for event in await door.events()] == ["Tombstone"]
    assert (await verdict(door, judgement(subject)))[0] == 404


@pytest.mark.parametrize(
    ("wrong", "name"),
    [
        ({"subject": "r-1"}, "subject"),
        ({"comment": WORDS}, "comment"),
        ({"label": "angry"}, "label"),
        ({"themes": [""]}, "themes.0"),
        ({"themes": ["t"] * 51}, "themes"),
        ({"by": "anna@example.org"}, "by"),
    ],
)
async def test_every_place_that_is_wrong_is_named(door: Door, wrong: dict[str, Any], name: str) -> None:
    answer = await door.call("POST", "/v1/overrides", json=judgement(await spoken(door)) | wrong)
    assert answer.status_code == 422
    assert [place["name"] for place in answer.json()["invalid_params"]] == [name]


async def test_a_label_left_out_by_mistake_takes_nothing_back(door: Door) -> None:
    body = {"subject": await spoken(door), "comment": COMMENT}
    assert (await verdict(door, body))[0] == 422


async def test_only_the_gateway_gets_in_and_only_with_what_is_known(door: Door) -> None:
    body = judgement(await spoken(door))
    assert (await door.http.post("/v1/overrides", json=body)).status_code == 401
    assert (await door.call("POST", "/v1/overrides?connection=x", json=body)).status_code == 400
