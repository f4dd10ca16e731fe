"""`POST /v1/score`, health checks, and an unreachable Kafka."""

import gzip
import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import httpx
import pytest

from services.sentiment.api.scores import MAX_BODY, MAX_TOTAL, ScoreResponse
from services.sentiment.app import create_app
from services.sentiment.domain.scorer import Scorer, ScorerUnavailable
from services.sentiment.domain.vader import VaderScorer
from services.sentiment.settings import Settings
from shared.events import text_hash
from tests.unit.sentiment.test_scoring import FailsOn

TOKEN = "internal-token-of-the-tests"
NOWHERE = "127.0.0.1:1"


@asynccontextmanager
async def running(
    scorer: Scorer | None = None, ingest: httpx.MockTransport | None = None, **settings: Any
) -> AsyncIterator[httpx.AsyncClient]:
    """A client of sentiment, whose Kafka is unreachable."""
    config = Settings(internal_token=TOKEN, kafka_bootstrap_servers=NOWHERE, **settings)
    app = create_app(config, scorer=scorer, transport=ingest)
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(app.router.lifespan_context(app))
        transport = httpx.ASGITransport(app, raise_app_exceptions=False)
        headers = {"authorization": f"Bearer {TOKEN}"}
        yield await stack.enter_async_context(httpx.AsyncClient(transport=transport, base_url="http://s", headers=headers))


@pytest.fixture(scope="module")
async def http() -> AsyncIterator[httpx.AsyncClient]:
    async with running(VaderScorer()) as client:
        yield client


async def score(http: httpx.AsyncClient, *comments: Any) -> httpx.Response:
    return await http.post("/v1/score", json={"comments": comments})


async def test_every_comment_gets_a_score_with_all_fields(http: httpx.AsyncClient) -> None:
    answer = await score(http, {"text": "I love it", "language": "en"}, {"text": "n/a"})
    assert answer.status_code == 200
    assert answer.json()["model"] == {"id": "vader", "version": "3.3.2"}
    loved, non_answer = answer.json()["scores"]
    assert loved == {
        "label": "positive", "score": 0.6369, "confidence": 0.8185, "language": "en", "mixed": False, "themes": [], "flags": [],
        "taxonomy": 0, "urgency": [], "text_hash": text_hash("I love it"),
    }  # fmt: skip
    assert (non_answer["label"], non_answer["score"], non_answer["language"], non_answer["flags"]) == (
        None,
        None,
        None,
        ["non_answer"],
    )


async def test_a_score_lists_the_reasons_of_urgency(http: httpx.AsyncClient) -> None:
    answer = await score(http, {"text": "0/10, I will sue you"}, {"text": "I was charged twice. Third email about it!"})
    assert [one["urgency"] for one in answer.json()["scores"]] == [["legal_threat"], ["money_taken", "repeated_contact"]]


async def test_the_most_comments_allowed_are_scored_in_order(http: httpx.AsyncClient) -> None:
    answer = await score(http, *({"text": f"text {n}"} for n in range(256)))
    assert [s["text_hash"] for s in answer.json()["scores"]] == [text_hash(f"text {n}") for n in range(256)]


@pytest.mark.parametrize(
    ("body", "place"),
    [
        ({}, "comments"),
        ({"comments": []}, "comments"),
        ({"comments": [{"text": "x"}] * 257}, "comments"),
        ({"comments": [{"text": "x"}], "model": "mine"}, "model"),
        ({"comments": [{"text": "x"}, {"text": "x", "languag": "en"}]}, "comments.1.languag"),
        ({"comments": [{"text": 3}]}, "comments.0.text"),
        ({"comments": [{"text": "x" * 20_001}]}, "comments.0.text"),
        ({"comments": [{"text": "x", "language": "English, please"}]}, "comments.0.language"),
        ({"comments": [{"language": "en"}]}, "comments.0.text"),
    ],
)
async def test_an_invalid_body_is_422_with_the_place(http: httpx.AsyncClient, body: Any, place: str) -> None:
    answer = await http.post("/v1/score", json=body)
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    assert [fault["name"] for fault in answer.json()["invalid_params"]] == [place]


@pytest.mark.parametrize(
    "body",
    [
        b"", b"{", b"null", b"\xff\xfe", b'{"comments": [{"text": "\\ud800"}]}', b"[" * 10_000, b'{"comments": 1e400}',
        b'{"comments": [{"text": NaN}]}',
    ],
)  # fmt: skip
async def test_a_malformed_body_is_422(http: httpx.AsyncClient, body: bytes) -> None:
    assert (await http.post("/v1/score", content=body)).status_code == 422
    assert (await score(http, {"text": "and the next one is served\0"})).status_code == 200


async def test_an_oversized_body_is_413(http: httpx.AsyncClient) -> None:
    assert (await http.post("/v1/score", content=b" " * (MAX_BODY + 1))).status_code == 413


async def test_a_problem_quotes_nothing_of_the_body(http: httpx.AsyncClient) -> None:
    answer = await http.post("/v1/score", content=json.dumps({"comments": [{"text": "x", "hidden": "my secret"}]}))
    assert "my secret" not in answer.text


async def test_a_call_without_the_internal_token_is_401(http: httpx.AsyncClient) -> None:
    for headers in ({"authorization": "Bearer wrong"}, {"authorization": ""}):
        assert (await http.post("/v1/score", json={"comments": [{"text": "x"}]}, headers=headers)).status_code == 401


async def test_without_kafka_it_is_alive_and_ready_and_scores(http: httpx.AsyncClient) -> None:
    assert (await http.get("/livez")).status_code == 200
    ready = await http.get("/readyz")
    assert (ready.status_code, ready.json()) == (200, {"status": "ok", "missing": [], "degraded": ["kafka"]})
    assert (await score(http, {"text": "fine"})).status_code == 200


async def test_an_unavailable_model_is_503_with_retry_after() -> None:
    async with running(FailsOn("fine", error=ScorerUnavailable)) as http:
        answer = await score(http, {"text": "fine"})
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")


async def test_a_text_on_which_the_model_fails_is_422_with_its_place() -> None:
    async with running(FailsOn("poison")) as http:
        answer = await score(http, {"text": "fine"}, {"text": "poison"})
    assert answer.status_code == 422
    assert [fault["name"] for fault in answer.json()["invalid_params"]] == ["comments.1.text"]


async def test_a_setting_selects_the_linear_model(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SENTIMENT_SCORER", "linear")
    async with running() as http:
        answer = await score(
            http, {"text": "Sehr freundliche Beratung, vielen Dank für alles"}, {"text": "Unverschämt, nie wieder"}
        )
    assert answer.json()["model"] == {"id": "linear", "version": "2"}
    assert [(s["label"], s["flags"]) for s in answer.json()["scores"]] == [("positive", []), ("negative", [])]
    assert answer.json()["scores"][0]["language"] == "de"


# --- themes -----------------------------------------------------------------------------------------------------------------
OWN = {"revision": 3, "themes": [{"id": "pool", "name": "Pool", "description": "The swimming pool", "examples": ["lovely pool"]}]}


def ingest(request: httpx.Request) -> httpx.Response:
    """Ingest with own themes of acme; it fails for any other tenant."""
    if request.url.path != "/internal/taxonomies/acme":
        return httpx.Response(503)
    return httpx.Response(200, json=OWN)


async def score_themes(tenant: str | None) -> httpx.Response:
    headers = {"x-earshot-tenant": tenant} if tenant else {}
    async with running(ingest=httpx.MockTransport(ingest)) as http:
        return await http.post("/v1/score", json={"comments": [{"text": "The pool was closed all week"}]}, headers=headers)


async def test_a_text_is_read_for_the_themes_of_the_calling_tenant() -> None:
    answer = (await score_themes("acme")).json()
    (score,) = answer["scores"]
    assert answer["model"] == {"id": "e5", "version": "7"}
    assert ([theme["theme"] for theme in score["themes"]], score["taxonomy"]) == (["pool"], 3)
    assert score["themes"][0]["score"] < 0


async def test_a_call_without_a_tenant_gets_no_themes() -> None:
    assert [score["themes"] for score in (await score_themes(None)).json()["scores"]] == [[]]


async def test_while_a_tenants_themes_are_unavailable_the_call_is_503_with_retry_after() -> None:
    answer = await score_themes("bolt")
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")


# --- explanations -----------------------------------------------------------------------------------------------------------
async def explain(http: httpx.AsyncClient, *texts: str, explain: Any = True) -> httpx.Response:
    return await http.post("/v1/score", json={"comments": [{"text": text} for text in texts], "explain": explain})


async def test_an_explanation_has_the_weights_of_the_words_or_the_rule(http: httpx.AsyncClient) -> None:
    answer = await explain(http, "Great product", "0/10", "Terrible support")
    good, by_rule, bad = (score["explanation"] for score in answer.json()["scores"])
    assert good["rule"] is None
    assert good["words"][1] == {"word": "product", "start": 6, "end": 13, "weight": 0.0}
    assert good["words"][0]["weight"] > 0.5
    assert by_rule == {"rule": "rating", "words": []}
    assert (bad["words"][0]["word"], bad["words"][0]["weight"] < -0.4) == ("Terrible", True)


async def test_the_score_is_the_same_with_an_explanation_and_without(http: httpx.AsyncClient) -> None:
    explained, plain = await explain(http, "Great product"), await explain(http, "Great product", explain=False)
    (score,) = explained.json()["scores"]
    assert score.pop("explanation")
    assert [score] == plain.json()["scores"]


async def test_the_variants_of_all_texts_are_scored_together() -> None:
    scorer = FailsOn()
    async with running(scorer) as http:
        await explain(http, "one two three", "four five six")
    assert list(map(len, scorer.calls)) == [2, 8]


@pytest.mark.parametrize(
    ("texts", "place"),
    [
        (["x"] * 9, "comments"),
        (["x", "y" * 1001], "comments.1.text"),
        (["ok"] * 7 + ["y" * 20_000], "comments.7.text"),
    ],
)
async def test_texts_too_large_to_explain_are_422_with_their_place(http: httpx.AsyncClient, texts: list[str], place: str) -> None:
    answer = await explain(http, *texts)
    assert (answer.status_code, [fault["name"] for fault in answer.json()["invalid_params"]]) == (422, [place])
    assert (await explain(http, *texts, explain=False)).status_code == 200


async def test_the_most_text_allowed_is_explained(http: httpx.AsyncClient) -> None:
    answer = await explain(http, *["so good " * 125] * 8)
    assert [len(score["explanation"]["words"]) for score in answer.json()["scores"]] == [50] * 8


async def test_explain_must_be_a_boolean(http: httpx.AsyncClient) -> None:
    assert (await explain(http, "x", explain="yes")).status_code == 422


async def test_a_body_of_many_values_is_refused_before_validation(
    http: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """For 700,000 unknown fields pydantic makes as many errors: seconds, and 300 MB."""
    monkeypatch.setattr(
        "services.sentiment.api.scores.ScoreRequest.model_validate_json", lambda body: pytest.fail("the body was validated")
    )
    fields = ",".join(f'"unknown_{number}": 1' for number in range(5_000))
    answer = await http.post("/v1/score", content=f'{{"comments": [{{"text": "x"}}], {fields}}}')
    assert (answer.status_code, answer.json()["detail"]) == (422, "more than 2000 values")


async def test_the_largest_allowed_call_has_fewer_values_than_allowed(http: httpx.AsyncClient) -> None:
    comments = [{"text": 'a, "b", [c]' * 70, "language": "en"} for _ in range(256)]
    assert (await http.post("/v1/score", json={"comments": comments, "explain": False})).status_code == 200


async def test_the_largest_allowed_texts_fit_in_a_body_however_they_are_escaped(http: httpx.AsyncClient) -> None:
    """A character beyond the Basic Multilingual Plane takes twelve bytes as two escapes."""
    comments = [{"text": "\N{OLD ITALIC LETTER A}" * (MAX_TOTAL // 200), "language": "en"} for _ in range(200)]
    body = json.dumps({"comments": comments}, ensure_ascii=True).encode()
    assert len(body) > 12 * MAX_TOTAL
    assert (await http.post("/v1/score", content=body)).status_code == 200


# --- the contract -----------------------------------------------------------------------------------------------------------
async def test_responses_have_the_documented_fields(http: httpx.AsyncClient) -> None:
    answer = (await explain(http, "Great product", "0/10", "n/a")).json()
    assert ScoreResponse.model_validate(answer, strict=True).model_dump(mode="json") == answer


async def test_an_undeclared_query_parameter_is_400(http: httpx.AsyncClient) -> None:
    answer = await http.post("/v1/score?explain=true", json={"comments": [{"text": "fine"}]})
    assert (answer.status_code, answer.json()["invalid_params"][0]["name"]) == (400, "explain")


async def test_the_openapi_document_describes_the_body_and_the_response(http: httpx.AsyncClient) -> None:
    document = (await http.get("/openapi.json")).json()
    operation = document["paths"]["/v1/score"]["post"]
    assert operation["operationId"] == "score_texts"
    assert operation["requestBody"]["content"]["application/json"]["schema"]["$ref"].endswith("/ScoreRequest")
    assert operation["responses"]["200"]["content"]["application/json"]["schema"]["$ref"].endswith("/ScoreResponse")
    assert {"400", "401", "413", "422", "503"} < operation["responses"].keys()
    undescribed = {
        f"{name}.{field}"
        for name in ("CommentToScore", "ScoreRequest", "TextScore", "ScoreExplanation")
        for field, schema in document["components"]["schemas"][name]["properties"].items()
        if "description" not in schema
    }
    assert undescribed == set()


async def test_a_compressed_body_is_scored_and_another_encoding_is_415(http: httpx.AsyncClient) -> None:
    body = gzip.compress(json.dumps({"comments": [{"text": "I love it"}]}).encode())
    scored = await http.post("/v1/score", content=body, headers={"content-encoding": "gzip"})
    assert scored.json()["scores"][0]["label"] == "positive"
    refused = await http.post("/v1/score", content=body, headers={"content-encoding": "br"})
    assert refused.status_code == 415
