"""A company's own model server: its responses are checked, an outage makes no text unscorable, and logs quote no text."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
from structlog.testing import capture_logs

from services.sentiment.domain.scorer import Model, ScorerUnavailable
from services.sentiment.domain.scoring import Comment, Unscorable, score_comments
from services.sentiment.remote import Refused, RemoteScorer, parse_retry_after, remote_scorer_of
from services.sentiment.settings import Settings
from shared.events import Score
from tests.service.sentiment.model_server import ModelServer, Reply, ok, scores, well
from tests.service.sentiment.test_score import TOKEN, running, score

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
SECRET = "token-of-the-model-server"


@pytest.fixture
def server() -> Iterator[ModelServer]:
    with ModelServer().running() as server:
        yield server


def settings_for(server: ModelServer, **more: Any) -> dict[str, Any]:
    own = {"scorer": "http", "scorer_url": server.url, "scorer_token": SECRET, "scorer_model": "mine", "scorer_version": "7"}
    return {**own, "scorer_timeout": 0.4, **more}


@pytest.fixture
def remote(server: ModelServer) -> Iterator[RemoteScorer]:
    scorer = remote_scorer_of(Settings(internal_token=TOKEN, scorer_batch=8, **settings_for(server)))
    yield scorer
    scorer.close()


def one(**fields: Any) -> dict[str, Any]:
    return {"label": "positive", "score": 0.5, "confidence": 0.75, **fields}


def test_texts_are_posted_in_batches_with_the_token_to_the_url(server: ModelServer, remote: RemoteScorer) -> None:
    texts = [f"schön {n}" for n in range(20)]
    assert len(remote.score(texts)) == 20
    assert server.calls == [texts[:8], texts[8:16], texts[16:]]
    assert {headers["authorization"] for headers in server.headers} == {f"Bearer {SECRET}"}
    assert {headers["path"] for headers in server.headers} == {"/v1/models/mine"}


def test_mixed_is_optional_and_unknown_fields_are_ignored(server: ModelServer, remote: RemoteScorer) -> None:
    server.behave = lambda texts: ok([one(topic="delivery"), one(mixed=True)])
    assert [opinion.mixed for opinion in remote.score(["a", "b"])] == [False, True]


@pytest.mark.parametrize(
    "answer",
    [
        ok([one(label="glad")]), ok([one(score=1.01)]), ok([one(score=float("nan"))]), ok([one(score="0.5")]),
        ok([one(confidence=-0.1)]), ok([one(score=None)]), ok([{"label": "neutral"}]), ok([]), ok([one(), one()]),
        ok(None), Reply(body=b""), Reply(body=b"[]"), Reply(body=b"\xff"), Reply(body=b"[" * 15_000),
        ok([one(pad="x" * 20_000)]), Reply(body=ok([one()]).body.replace(b"0.5", b"1e999")),
        Reply(400), Reply(413), Reply(422), Reply(500),
    ],
)  # fmt: skip
def test_a_malformed_response_refuses_the_batch(server: ModelServer, remote: RemoteScorer, answer: Reply) -> None:
    server.behave = lambda texts: answer
    with pytest.raises(Refused):
        remote.score(["fine"])
    with pytest.raises(ScorerUnavailable):  # for it makes no sense of what is beyond blame either
        score_comments(remote, [Comment("fine", None)])


@pytest.mark.parametrize("model", [{"id": "mine", "version": "8"}, {"id": "other", "version": "7"}])
def test_a_response_of_another_model_is_unavailable(server: ModelServer, remote: RemoteScorer, model: Any) -> None:
    server.behave = lambda texts: ok(scores(texts), model)
    with capture_logs() as logs, pytest.raises(ScorerUnavailable):
        score_comments(remote, [Comment("fine", None)])
    assert [(entry["event"], entry["model"], entry["reason"]) for entry in logs] == [
        ("scorer.unavailable", "mine-7", "the server has another model")
    ]


@pytest.mark.parametrize("status", [301, 401, 403, 404, 429, 501, 502, 503, 504])
def test_an_unavailable_server_raises_scorer_away(server: ModelServer, remote: RemoteScorer, status: int) -> None:
    server.behave = lambda texts: Reply(status)
    with pytest.raises(ScorerUnavailable) as caught:
        score_comments(remote, [Comment("fine", None), Comment("too", None)])
    assert (caught.value.retry_after, len(server.calls)) == (None, 1)


@pytest.mark.parametrize("status", [429, 503])
def test_retry_after_of_the_server_is_passed_on(server: ModelServer, remote: RemoteScorer, status: int) -> None:
    server.behave = lambda texts: Reply(status, headers={"Retry-After": "17"})
    with pytest.raises(ScorerUnavailable) as caught:
        score_comments(remote, [Comment("fine", None)])
    assert caught.value.retry_after == 17


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("17", 17), (" 17 ", 17), ("0", 1), ("86400", 300), ("9" * 400, 300), ("Fri, 20 Nov 2026 12:00:30 GMT", 30),
        ("Fri, 20 Nov 2026 11:00:00 GMT", 1), ("Sat, 20 Nov 2027 12:00:00 GMT", 300), ("Fri, 20 Nov 2026 12:00:30 -0000", 30),
        (None, None), ("", None), ("soon", None), ("-5", None), ("1.5", None), ("١٧", None),
        ("Fri, 99 Nov 2026 12:00:30 GMT", None),
    ],
)  # fmt: skip
def test_retry_after_is_seconds_or_a_date_within_bounds(header: str | None, seconds: float | None) -> None:
    assert parse_retry_after(header, NOON) == seconds


@pytest.mark.parametrize("reply", [Reply(delay=0.8), Reply(body=b" " * 200, delay=0.02, drips=True)], ids=["late", "dripping"])
def test_a_slow_response_raises_scorer_away(server: ModelServer, remote: RemoteScorer, reply: Reply) -> None:
    server.behave = lambda texts: reply
    with pytest.raises(ScorerUnavailable):
        remote.score(["fine"])


def test_a_client_closed_during_a_request_raises_scorer_away(remote: RemoteScorer) -> None:
    remote.close()
    with pytest.raises(ScorerUnavailable):
        score_comments(remote, [Comment("fine", None)])


def test_a_server_that_is_down_is_unavailable_until_it_is_back() -> None:
    server = ModelServer()
    scorer = RemoteScorer(httpx.Client(timeout=0.4), server.url, Model("mine", "7"))
    with scorer.client:
        with pytest.raises(ScorerUnavailable):
            scorer.score(["fine"])
        for _ in range(2):
            with server.running():
                assert len(scorer.score(["fine"])) == 1
            with pytest.raises(ScorerUnavailable):
                scorer.score(["fine"])


@pytest.mark.parametrize("status", [400, 413, 422, 500])
def test_only_the_text_on_which_the_server_fails_is_unscorable(server: ModelServer, remote: RemoteScorer, status: int) -> None:
    server.behave = lambda texts: Reply(status) if "poison" in texts else well(texts)
    results = score_comments(remote, [Comment("poison" if n == 5 else f"text {n}", None) for n in range(20)])
    assert [n for n, score in enumerate(results) if isinstance(score, Unscorable)] == [5]
    assert sum(isinstance(score, Score) for score in results) == 19


def test_a_single_500_does_not_make_a_text_unscorable(server: ModelServer, remote: RemoteScorer) -> None:
    stumbles = iter([Reply(500), Reply(500)])
    server.behave = lambda texts: next(stumbles, None) or well(texts)
    (score,) = score_comments(remote, [Comment("It came on Monday", None)])
    assert isinstance(score, Score)


def test_a_text_that_json_cannot_hold_is_unscorable_alone(remote: RemoteScorer) -> None:
    good, bad = score_comments(remote, [Comment("fine by me", None), Comment("half a \ud83d pair", None)])
    assert isinstance(good, Score)
    assert isinstance(bad, Unscorable)


def test_logs_and_errors_quote_neither_texts_nor_the_token(server: ModelServer, remote: RemoteScorer) -> None:
    replies = [Reply(503), Reply(body=b'{"private words": '), Reply(422), Reply(delay=0.8)]
    for reply in replies:
        server.behave = lambda texts, reply=reply: reply
        with capture_logs() as logs, pytest.raises((ScorerUnavailable, Refused)) as caught:
            remote.score(["private words"])
        everything = f"{logs} {caught.value!r} {caught.value.__cause__!r} {remote!r}"
        assert not [word for word in ("private words", SECRET) if word in everything]


# --- put together -----------------------------------------------------------------------------------------------------------
async def test_the_service_uses_it_and_passes_its_retry_after_on(server: ModelServer, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = settings_for(server, scorer_timeout=5)
    monkeypatch.setenv("SENTIMENT_SCORER", settings.pop("scorer"))
    async with running(**settings) as http:
        answer = await score(http, {"text": "I love it"}, {"text": "0/10"})
        assert answer.json()["model"] == {"id": "mine", "version": "7"}
        assert [s["label"] for s in answer.json()["scores"]] == ["positive", "negative"]
        server.behave = lambda texts: Reply(429, headers={"Retry-After": "17"})
        unavailable = await score(http, {"text": "I love it"})
    assert (unavailable.status_code, unavailable.headers["retry-after"]) == (503, "17")
    assert SECRET not in unavailable.text


@pytest.mark.parametrize(
    ("left_out", "named"),
    [("scorer_url", "SENTIMENT_SCORER_URL"), ("scorer_model", "SENTIMENT_SCORER_MODEL"), ("scorer_version", "_VERSION")],
)
def test_incomplete_server_settings_are_refused_without_quoting_secrets(left_out: str, named: str) -> None:
    settings = settings_for(ModelServer()) | {left_out: None}
    with pytest.raises(ValueError, match=named) as caught:
        Settings(internal_token=TOKEN, **settings)
    assert not [secret for secret in (SECRET, TOKEN) if secret in str(caught.value)]


@pytest.mark.parametrize(
    "wrong",
    [{"scorer_model": "linear"}, {"scorer_model": "a b"}, {"scorer_url": "mine"}, {"scorer_timeout": 0}, {"scorer_batch": 0}],
)
def test_an_invalid_setting_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="1 validation error"):
        Settings(internal_token=TOKEN, **settings_for(ModelServer()) | wrong)
