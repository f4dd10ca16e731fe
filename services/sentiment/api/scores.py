"""`POST /v1/score`: score texts on request. The gateway passes it on for API keys.

Tenants share the model fairly: each has at most PER_TENANT calls at work and a queue of its own. A call is cancelled when its
client disconnects or its time is over.
"""

import asyncio
from collections.abc import Sequence
from itertools import islice
from math import ceil
from typing import Annotated

import msgspec
from fastapi import APIRouter, Depends, Request
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from services.sentiment.api.dependencies import OptionalTenant, Sentiment, SentimentState
from services.sentiment.domain.explanations import Explanation, explanation_of, occlusion_of
from services.sentiment.domain.scorer import ScorerUnavailable
from services.sentiment.domain.scoring import Comment, Unscorable
from services.sentiment.pool import Pool
from services.sentiment.settings import Settings
from services.sentiment.taxonomy_cache import Taxonomies
from shared.bodies import MIB, Bodies, BodyMemory, headers_of, read_content
from shared.disconnects import ClientMessages, cancelled_on_disconnect
from shared.events import Label, Score, Urgency
from shared.fair_queue import FairQueue
from shared.http import TIMEOUT_HEADER, InternalOnly
from shared.kafka import Retry
from shared.problems import (
    BadRequest,
    NotAuthenticated,
    TooLarge,
    Unavailable,
    Unprocessable,
    UnsupportedMedia,
    responses,
    validation_problem,
)
from shared.routes import TypedRoute, documented_body
from shared.strict_json import OutOfBounds, check_bounds
from shared.taxonomy import Taxonomy

RETRY_SECONDS = 5
"""`Retry-After` if the model does not state one."""
AT_ONCE, PER_TENANT = 8, 2
"""Calls at work, of all tenants and of one."""
MAX_SECONDS, MARGIN_SECONDS = 30.0, 1.0
"""The longest time of a call, and the part of the caller's time-out that is left for the response."""
MAX_COMMENTS = 256
MAX_CHARACTERS = 20_000
MAX_TOTAL = 200_000
"""Characters of all texts of a call."""
MAX_VALUES = 2_000
"""Values, arrays and objects of a body; MAX_COMMENTS texts with their languages have 770."""
MAX_BODY = 3 * MIB
"""Bytes: MAX_TOTAL characters beyond the Basic Multilingual Plane, escaped, are 12 bytes each."""
MAX_EXPLAINED, MAX_EXPLAINED_CHARACTERS = 8, 1_000
"""An explanation scores a text once for each of its words."""
BODY_BYTES, BODY_BYTES_PER_TENANT = 64 * MIB, 32 * MIB
"""Memory of bodies in progress. A tenant's calls at work and waiting fit in its share, with the default settings."""


class ClosedModel(BaseModel):
    """Refuses unknown fields and converts no types."""

    model_config = ConfigDict(extra="forbid", strict=True)


class CommentToScore(ClosedModel):
    """A text and its language."""

    text: str = Field(
        max_length=MAX_CHARACTERS,
        description=f"All texts of a call together may have {MAX_TOTAL:,} characters; the model reads 4,000 of each",
        examples=["The delivery was late again"],
    )
    language: Annotated[str, Field(pattern=r"^[A-Za-z]{2,3}(-[A-Za-z0-9]{1,8})*$", max_length=35)] | None = Field(
        None, description="BCP 47; null: it is detected", examples=["en"]
    )


class ScoreRequest(ClosedModel):
    """Texts to score."""

    comments: list[CommentToScore] = Field(min_length=1, max_length=MAX_COMMENTS, description="Scored in this order")
    explain: bool = Field(
        False,
        description="Also return how much each word moved the score: "
        f"of up to {MAX_EXPLAINED} texts of up to {MAX_EXPLAINED_CHARACTERS:,} characters",
    )


class ModelName(BaseModel):
    """The model that scored. A change that can change a score changes the version."""

    id: str = Field(examples=["e5"])
    version: str = Field(examples=["2"])


class ThemeScore(BaseModel):
    """A theme of the text."""

    theme: str = Field(description="Its id in the tenant's taxonomy", examples=["delivery"])
    score: float = Field(description="−1 to 1: the sentiment where the text speaks of this theme", examples=[-0.62])


class ExplainedWord(BaseModel):
    """A word, or a run of words of a long text, at `[start, end)` in characters of the text."""

    word: str = Field(examples=["late"])
    start: int = Field(examples=[17])
    end: int = Field(examples=[21])
    weight: float = Field(description="The score of the text minus its score without the word", examples=[-0.48])


class ScoreExplanation(BaseModel):
    """The rule that decided the score, else the weights of the words."""

    rule: str | None = Field(
        description="`rating`, `emoji`, `non_answer` or `auto_reply`; null: the model decided", examples=[None]
    )
    words: list[ExplainedWord] = Field(description="In the order of the text; empty if a rule decided")


class TextScore(BaseModel):
    """The score of one text, as `feedback.scores` carries it."""

    label: Label | None = Field(
        description="null: the text is a non-answer, such as n/a, or an automatic reply", examples=["negative"]
    )
    score: float | None = Field(
        description="−1 to 1, in the range of the label (before e5-4 not always); null: the text is a non-answer",
        examples=[-0.71],
    )
    confidence: float = Field(description="0 to 1: the confidence in the label", examples=[0.93])
    language: str | None = Field(description="BCP 47: stated or detected; null: unknown", examples=["en"])
    mixed: bool = Field(description="Whether the text has both positive and negative parts")
    themes: list[ThemeScore] = Field(description="Of the tenant's taxonomy, the likeliest first")
    taxonomy: int = Field(description="The revision of the taxonomy; 0: the default one", examples=[3])
    urgency: list[Urgency] = Field(description="Reasons not to wait, most pressing first", examples=[["repeated_contact"]])
    flags: list[str] = Field(
        description="`truncated`, `unsupported_language`, `non_answer`; with `auto_reply` it is an automatic reply or a bounce",
        examples=[[]],
    )
    text_hash: str = Field(description="BLAKE2b-128 of the UTF-8 text, in hex", examples=["ffeeb77388214009044bf6eb3d6da452"])
    explanation: ScoreExplanation | None = Field(None, description="Only if the request has `explain`")


class ScoreResponse(BaseModel):
    """The scores of the texts, in their order."""

    model: ModelName
    scores: list[TextScore]


def build(settings: Settings, pool: Pool, taxonomies: Taxonomies) -> Sentiment:
    """The running service with an empty queue, for `app.state.sentiment`."""
    return Sentiment(pool, taxonomies, FairQueue(AT_ONCE, PER_TENANT, settings.max_waiting))


def bodies() -> Bodies:
    """The bounds of request bodies, for `app.state.bodies`."""
    return Bodies(BodyMemory(BODY_BYTES, BODY_BYTES_PER_TENANT))


async def call_seconds(request: Request) -> float:
    """The seconds that the call may take, from TIMEOUT_HEADER. Raises Unavailable if they are too few for any answer."""
    seconds = parse_seconds(request.headers.get(TIMEOUT_HEADER))
    if not seconds:
        raise Unavailable("the caller's time-out is too short for any answer", retry_after=RETRY_SECONDS)
    return seconds


def parse_seconds(header: str | None) -> float:
    """Seconds of a call: those of the header, at most MAX_SECONDS, less the margin. An invalid header counts as missing."""
    try:
        seconds = float(header or MAX_SECONDS)
    except ValueError:
        seconds = MAX_SECONDS
    return max(0.0, (seconds if 0 <= seconds <= MAX_SECONDS else MAX_SECONDS) - MARGIN_SECONDS)


async def read_request(request: Request, tenant: OptionalTenant) -> ScoreRequest:
    """Read and validate the body. Raises UnsupportedMedia, TooLarge, BadRequest or Unprocessable."""
    memory: BodyMemory = request.app.state.bodies.memory
    with memory.reserve(tenant) as reservation:
        return parse_request(await read_content(headers_of(request.scope), request.receive, reservation, MAX_BODY))


def parse_request(body: bytes) -> ScoreRequest:
    """Validate a body. Raises Unprocessable with the invalid places. Values are counted before pydantic makes errors of them."""
    try:
        check_bounds(body, MAX_VALUES)
        parsed = ScoreRequest.model_validate_json(body)
    except OutOfBounds as error:
        raise Unprocessable(str(error)) from None
    except ValidationError as error:
        raise validation_problem(Unprocessable, error, ScoreRequest) from None
    total = sum(len(comment.text) for comment in parsed.comments)
    if total > MAX_TOTAL:
        reason = f"the texts have {total} characters; at most {MAX_TOTAL} are allowed in one call"
        raise Unprocessable(invalid_params=[{"name": "comments", "reason": reason}])
    if parsed.explain and (faults := faults_of_explain(parsed)):
        raise Unprocessable(invalid_params=faults)
    return parsed


def faults_of_explain(body: ScoreRequest) -> list[dict[str, str]]:
    """The places that are too large to explain."""
    if len(body.comments) > MAX_EXPLAINED:
        return [{"name": "comments", "reason": f"at most {MAX_EXPLAINED} can be explained at once"}]
    long = [index for index, comment in enumerate(body.comments) if len(comment.text) > MAX_EXPLAINED_CHARACTERS]
    reason = f"at most {MAX_EXPLAINED_CHARACTERS} characters can be explained"
    return [{"name": f"comments.{index}.text", "reason": reason} for index in long]


routes = APIRouter(route_class=TypedRoute, tags=["scoring"], dependencies=[InternalOnly])


@routes.post(
    "/v1/score",
    operation_id="score_texts",
    summary="Score texts with the sentiment model",
    description=f"Try the model on up to {MAX_COMMENTS} texts of {MAX_TOTAL:,} characters in all, read for the tenant's themes. "
    "Nothing is stored, and no KPI changes.",
    response_model_exclude_unset=True,
    responses=responses(BadRequest, NotAuthenticated, TooLarge, UnsupportedMedia, Unprocessable),
)
async def score(
    client: ClientMessages,
    state: SentimentState,
    tenant: OptionalTenant,
    seconds: Annotated[float, Depends(call_seconds)],
    body: Annotated[ScoreRequest, documented_body(read_request, ScoreRequest)],
) -> ScoreResponse:
    """Wait for the tenant's turn, then score. Raises Unavailable if the queue is full, time is over, or the model can't score."""
    try:
        async with cancelled_on_disconnect(client), asyncio.timeout(seconds), state.queue.turn(tenant, seconds):
            return await score_texts(state, tenant, body)
    except TimeoutError:
        raise Unavailable(f"not scored within {seconds:g} s; send fewer or shorter texts", retry_after=RETRY_SECONDS) from None
    except ScorerUnavailable as error:
        raise Unavailable("the model can't score now", retry_after=ceil(error.retry_after or RETRY_SECONDS)) from error
    except Retry as error:
        raise Unavailable("the tenant's themes are unavailable now", retry_after=ceil(error.delay)) from error


async def score_texts(state: Sentiment, tenant: str, body: ScoreRequest) -> ScoreResponse:
    """Score the texts. Raises Unprocessable naming those on which the model fails."""
    pool = state.pool
    taxonomy = await load_taxonomy(state, tenant)
    results = await pool.score_comments([Comment(c.text, c.language, taxonomy) for c in body.comments], lane="calls")
    explanations = await explain(pool, [c.text for c in body.comments]) if body.explain else ()
    if failed := [index for index, result in enumerate(results) if isinstance(result, Unscorable)]:
        raise Unprocessable(invalid_params=[{"name": f"comments.{i}.text", "reason": "can't be scored"} for i in failed])
    scores = [to_response(result) for result in results if isinstance(result, Score)]
    for one, explanation in zip(scores, explanations, strict=False):
        one.explanation = ScoreExplanation(
            rule=explanation.rule, words=[ExplainedWord(**word._asdict()) for word in explanation.words]
        )
    return ScoreResponse(model=ModelName(id=pool.model.id, version=pool.model.version), scores=scores)


async def load_taxonomy(state: Sentiment, tenant: str) -> Taxonomy | None:
    """The prepared taxonomy of the tenant; None for a call without a tenant, or a model that finds no themes."""
    if not tenant or not state.pool.finds_themes:
        return None
    taxonomy = await state.taxonomies.of(tenant)
    await state.pool.prepare(taxonomy)
    return taxonomy


async def explain(pool: Pool, texts: Sequence[str]) -> list[Explanation]:
    """The explanations of the texts' scores. The variants of all texts are scored together."""
    occlusions = [occlusion_of(text, pool.model.rules) for text in texts]
    opinions = iter(await pool.opinions([variant for occlusion in occlusions for variant in occlusion.variants]))
    return [explanation_of(occlusion, list(islice(opinions, len(occlusion.variants)))) for occlusion in occlusions]


def to_response(score: Score) -> TextScore:
    """A score with all of its fields, those with default values too."""
    themes = [ThemeScore(theme=theme.theme, score=theme.score) for theme in score.themes]
    return TextScore(**{**msgspec.structs.asdict(score), "themes": themes})
