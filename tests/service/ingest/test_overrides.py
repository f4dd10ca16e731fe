"""A human's judgement of a comment: a statement about its subject, never about another tenant's."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from shared.events import Override, text_hash
from tests.service.ingest.client import TENANTS, IngestClient
from tests.unit.ingest.making import response

WORDS = "It logs me out every five minutes."
COMMENT = text_hash(WORDS)


async def post_comment(ingest: IngestClient, text: str = WORDS, id: str = "r-1", **fields: Any) -> str:
    """Post a comment of a customer. Returns its subject."""
    answer = {"question": "q1", "kind": "comment", "text": text}
    assert (await ingest.call("POST", "/v1/feedback", json=response(answer, id=id, **fields))).status_code == 202
    return (await ingest.events())[-1].subject


def judgement(subject: str, **more: Any) -> dict[str, Any]:
    return {"subject": subject, "comment": COMMENT, "label": "negative", **more}


async def verdict(ingest: IngestClient, body: Any, **headers: str) -> tuple[int, str | None]:
    answer = await ingest.call("POST", "/v1/overrides", json=body, headers=headers)
    return answer.status_code, answer.json().get("status") if answer.status_code == 202 else None


async def test_a_judgement_is_a_statement_about_its_subject(ingest: IngestClient) -> None:
    subject = await post_comment(ingest, id="r/1 ü")
    assert await verdict(ingest, judgement(subject, themes=["reliability"])) == (202, "accepted")
    commented, judged = await ingest.events()
    assert (judged.tenant, judged.subject, judged.source) == (commented.tenant, commented.subject, "api")
    assert judged.body == Override(comment=COMMENT, label="negative", themes=("reliability",))


async def test_a_judgement_is_published_under_the_key_of_its_subject(ingest: IngestClient) -> None:
    subject = await post_comment(ingest)
    await verdict(ingest, judgement(subject))
    key = f"{ingest.tenant}/{subject}".encode()
    async with asyncio.timeout(10):
        while sum(message.key == key for message in ingest.broker.sent) < 2:  # noqa: ASYNC110
            await asyncio.sleep(0.01)


async def test_the_same_key_again_is_the_same_judgement_but_no_other_record(ingest: IngestClient) -> None:
    subject = await post_comment(ingest)
    key = {"idempotency-key": "k-1"}
    assert (await ingest.call("POST", "/v1/feedback", json=response(id="r-2"), headers=key)).json()["status"] == "accepted"
    assert await verdict(ingest, judgement(subject), **key) == (202, "accepted")
    assert await verdict(ingest, judgement(subject), **key) == (202, "duplicate")
    assert len(await ingest.events()) == 3


async def test_a_later_judgement_has_the_later_stamp(ingest: IngestClient) -> None:
    now = datetime(2026, 11, 20, 10, tzinfo=UTC)
    ingest.set_clock(now)
    subject = await post_comment(ingest, at=now.isoformat())
    for minute, label in enumerate(("negative", "neutral", None)):
        ingest.set_clock(now + timedelta(minutes=minute))
        assert (await verdict(ingest, judgement(subject, label=label)))[0] == 202
    judged = sorted((event for event in await ingest.events() if isinstance(event.body, Override)), key=lambda event: event.at)
    assert [event.body.label for event in judged if isinstance(event.body, Override)] == ["negative", "neutral", None]


async def test_a_comment_that_the_subject_never_had_is_404(ingest: IngestClient) -> None:
    subject = await post_comment(ingest)
    assert (await verdict(ingest, judgement(subject, comment=text_hash("Something else."))))[0] == 404
    assert (await verdict(ingest, judgement(f"{subject}0")))[0] == 404
    assert len(await ingest.events()) == 1


async def test_another_tenants_subject_is_404(ingest: IngestClient) -> None:
    subject = await post_comment(ingest)
    other = replace(ingest, tenant=f"tenant-{next(TENANTS)}")
    await other.call("PUT", f"/internal/tenants/{other.tenant}", json={"name": "Other", "zone": "UTC"})
    assert (await verdict(other, judgement(subject)))[0] == 404
    assert await other.events() == []
    assert len(await ingest.events()) == 1


async def test_an_unknown_tenant_is_404(ingest: IngestClient) -> None:
    assert (await verdict(replace(ingest, tenant="nobody"), judgement(await post_comment(ingest))))[0] == 404


async def test_an_edited_comment_can_still_be_judged(ingest: IngestClient) -> None:
    subject = await post_comment(ingest)
    await post_comment(ingest, "Works now.")
    assert (await verdict(ingest, judgement(subject)))[0] == 202


async def test_an_agents_words_are_no_comment(ingest: IngestClient) -> None:
    at = "2026-11-20T10:00:00Z"
    message = {"fact": "message", "at": at, "by": "agent", "text": WORDS}
    ticket = {"type": "ticket", "id": "T-1", "at": at, "facts": [{"fact": "opened", "at": at}, message]}
    ingest.set_clock(datetime(2026, 11, 21, tzinfo=UTC))
    assert (await ingest.call("POST", "/v1/feedback", json=ticket)).status_code == 202
    assert (await verdict(ingest, judgement((await ingest.events())[-1].subject)))[0] == 404


async def test_an_erased_comment_is_404_and_its_judgements_are_deleted(ingest: IngestClient) -> None:
    subject = await post_comment(ingest, customer={"id": "anna"})
    await verdict(ingest, judgement(subject))
    erasure = {"type": "erasure", "id": "e", "at": "2026-01-20T10:00:00Z", "customer": {"id": "anna"}}
    assert (await ingest.call("POST", "/v1/feedback", json=erasure)).status_code == 202
    assert [type(event.body).__name__ for event in await ingest.events()] == ["Tombstone"]
    assert (await verdict(ingest, judgement(subject)))[0] == 404


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
async def test_every_invalid_place_is_named(ingest: IngestClient, wrong: dict[str, Any], name: str) -> None:
    answer = await ingest.call("POST", "/v1/overrides", json=judgement(await post_comment(ingest)) | wrong)
    assert answer.status_code == 422
    assert [place["name"] for place in answer.json()["invalid_params"]] == [name]


async def test_a_judgement_without_a_label_is_refused(ingest: IngestClient) -> None:
    body = {"subject": await post_comment(ingest), "comment": COMMENT}
    assert (await verdict(ingest, body))[0] == 422


async def test_only_the_gateway_is_authenticated_and_unknown_parameters_are_refused(ingest: IngestClient) -> None:
    body = judgement(await post_comment(ingest))
    assert (await ingest.http.post("/v1/overrides", json=body)).status_code == 401
    assert (await ingest.call("POST", "/v1/overrides?connection=x", json=body)).status_code == 400
