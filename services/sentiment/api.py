"""`POST /v1/score`: try the model on some texts. For Earshot's own services; the gateway passes it on to key holders.

No tenant can keep the others from scoring: each has PER_TENANT calls at work and a line of its own, and tenants take turns. A
call is given up when its client leaves or when its answer would be late.
"""

import asyncio
from collections.abc import Sequence
from itertools import islice
from math import ceil
from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Depends, Request
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from services.sentiment.domain.explanations import Explanation, explanation_of, occlusion_of
from services.sentiment.domain.scorer import ScorerAway
from services.sentiment.domain.scoring import Comment, Unscorable
from services.sentiment.pool import Pool
from services.sentiment.settings import Settings
from services.sentiment.taxonomy_cache import Taxonomies
from shared.disconnects import cancelled_on_disconnect
from shared.events import Score
from shared.fair_queue import FairQueue
from shared.http import TENANT_HEADER, TIMEOUT_HEADER, internal_only
from shared.kafka import Retry
from shared.problems import TooLarge, Unavailable, Unprocessable, refused
from shared.strict_json import OutOfBounds, check_bounds
from shared.taxonomy import Taxonomy

REST = 5
"""Seconds until a caller should ask again, where the model doesn't say when it can."""
AT_ONCE, PER_TENANT = 8, 2
"""Calls at work, of all tenants and of one."""
LONGEST, SPARE = 30.0, 1.0
"""Seconds: the longest that a call may take, and what of the caller's time-out is left for the answer's way back."""
MAX_COMMENTS = 256
MAX_CHARACTERS = 20_000
MAX_TOTAL = 200_000
"""Characters of all texts of a call."""
MAX_VALUES = 2_000
"""Values, arrays and objects of a body; MAX_COMMENTS texts with their languages have 770."""
MAX_BODY = 8 * 1024 * 1024
MAX_EXPLAINED, MAX_EXPLAINED_CHARACTERS = 8, 1_000
"""An explanation scores a text once for each of its words."""


class Closed(BaseModel):
    """A body whose unknown fields are refused."""

    model_config = ConfigDict(extra="forbid", strict=True)


class CommentBody(Closed):
    text: str = Field(max_length=MAX_CHARACTERS)
    language: Annotated[str, Field(pattern=r"^[A-Za-z]{2,3}(-[A-Za-z0-9]{1,8})*$", max_length=35)] | None = None


class ScoreBody(Closed):
    comments: list[CommentBody] = Field(min_length=1, max_length=MAX_COMMENTS)
    explain: bool = Field(False, description=f"Return the words that moved each score: of up to {MAX_EXPLAINED} texts")


def routes(settings: Settings, pool: Pool, taxonomies: Taxonomies) -> APIRouter:
    router = APIRouter(dependencies=[Depends(internal_only(settings.internal_token))])

    turns = FairQueue(AT_ONCE, PER_TENANT, settings.max_waiting)

    @router.post("/v1/score", openapi_extra={"requestBody": {"content": {"application/json": {"schema": schema()}}}})
    async def score(request: Request) -> dict[str, Any]:
        seconds = seconds_left(request.headers.get(TIMEOUT_HEADER))
        if not seconds:
            raise Unavailable("the caller's time-out is too short for any answer", retry_after=REST)
        tenant = request.headers.get(TENANT_HEADER, "")
        body = parse(await read(request))
        try:
            async with cancelled_on_disconnect(request), asyncio.timeout(seconds), turns.turn(tenant, seconds):
                return await answered(body, request)
        except TimeoutError:
            raise Unavailable(f"not scored within {seconds:g} s; send fewer or shorter texts", retry_after=REST) from None
        except ScorerAway as away:
            raise Unavailable("the model can't score now", retry_after=ceil(away.retry_after or REST)) from away
        except Retry as away:
            raise Unavailable("the tenant's themes can't be known now", retry_after=ceil(away.delay)) from away

    async def answered(body: ScoreBody, request: Request) -> dict[str, Any]:
        """The scores of the texts, as JSON."""
        taxonomy = await taxonomy_of(request, pool, taxonomies)
        scores = await pool.score_comments([Comment(c.text, c.language, taxonomy) for c in body.comments], lane="calls")
        explanations = await explain(pool, [c.text for c in body.comments]) if body.explain else ()
        if failed := [place for place, one in enumerate(scores) if isinstance(one, Unscorable)]:
            raise Unprocessable(invalid_params=[{"name": f"comments.{p}.text", "reason": "can't be scored"} for p in failed])
        found = [shown(one) for one in scores if isinstance(one, Score)]
        for score, explanation in zip(found, explanations, strict=False):
            score["explanation"] = told(explanation)
        return {"model": pool.model._asdict(), "scores": found}

    return router


def seconds_left(header: str | None) -> float:
    """How long a call may take, given TIMEOUT_HEADER: never longer than LONGEST. A header that is no number counts as none."""
    try:
        given = float(header or LONGEST)
    except ValueError:
        given = LONGEST
    return max(0.0, (given if 0 <= given <= LONGEST else LONGEST) - SPARE)


async def taxonomy_of(request: Request, pool: Pool, taxonomies: Taxonomies) -> Taxonomy | None:
    """The themes of the tenant that the call speaks for, prepared, if it speaks for one and the model finds themes."""
    tenant = request.headers.get(TENANT_HEADER)
    if not tenant or not pool.finds_themes:
        return None
    taxonomy = await taxonomies.of(tenant)
    await pool.prepare(taxonomy)
    return taxonomy


def schema() -> dict[str, Any]:
    return ScoreBody.model_json_schema()


async def read(request: Request) -> bytes:
    """The body. Raises TooLarge beyond MAX_BODY."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_BODY:
            raise TooLarge(f"a body may have {MAX_BODY} bytes")
    return bytes(body)


def parse(body: bytes) -> ScoreBody:
    """The body, or Unprocessable with the places that are wrong. A body of many values is refused before they take memory."""
    try:
        check_bounds(body, MAX_VALUES)
        parsed = ScoreBody.model_validate_json(body)
    except OutOfBounds as error:
        raise Unprocessable(str(error)) from None
    except ValidationError as error:
        raise refused(Unprocessable, error) from None
    total = sum(len(comment.text) for comment in parsed.comments)
    if total > MAX_TOTAL:
        reason = f"the texts have {total} characters; at most {MAX_TOTAL} are allowed in one call"
        raise Unprocessable(invalid_params=[{"name": "comments", "reason": reason}])
    if parsed.explain and (faults := too_much_to_explain(parsed)):
        raise Unprocessable(invalid_params=faults)
    return parsed


def too_much_to_explain(body: ScoreBody) -> list[dict[str, str]]:
    """Why the texts can't be explained, by place; empty if they can."""
    if len(body.comments) > MAX_EXPLAINED:
        return [{"name": "comments", "reason": f"at most {MAX_EXPLAINED} can be explained at once"}]
    long = [place for place, comment in enumerate(body.comments) if len(comment.text) > MAX_EXPLAINED_CHARACTERS]
    reason = f"at most {MAX_EXPLAINED_CHARACTERS} characters can be explained"
    return [{"name": f"comments.{place}.text", "reason": reason} for place in long]


async def explain(pool: Pool, texts: Sequence[str]) -> list[Explanation]:
    """The words that moved each text's score. All variants of all texts are scored together."""
    questions = [occlusion_of(text) for text in texts]
    answers = iter(await pool.opinions([variant for asked in questions for variant in asked.variants]))
    return [explanation_of(asked, list(islice(answers, len(asked.variants)))) for asked in questions]


def told(explanation: Explanation) -> dict[str, Any]:
    return {"rule": explanation.rule, "words": [word_weight._asdict() for word_weight in explanation.words]}


def shown(score: Score) -> dict[str, Any]:
    """A score with all its fields, the empty ones too."""
    return {**msgspec.structs.asdict(score), "themes": [msgspec.structs.asdict(theme) for theme in score.themes]}
