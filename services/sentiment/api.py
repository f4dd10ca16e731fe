"""`POST /v1/score`: try the model on some texts. For Earshot's own services; the gateway passes it on to key holders."""

from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Depends, Request
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from services.sentiment.domain.judging import Comment, Unscorable
from services.sentiment.domain.scorer import ScorerAway
from services.sentiment.pool import Pool
from services.sentiment.settings import Settings
from shared.events import Score
from shared.http import internal_only
from shared.problems import TooLarge, Unavailable, Unprocessable, places

MAX_COMMENTS = 256
MAX_CHARACTERS = 20_000
MAX_BODY = 8 * 1024 * 1024


class Closed(BaseModel):
    """A body whose unknown fields are refused."""

    model_config = ConfigDict(extra="forbid", strict=True)


class CommentBody(Closed):
    text: str = Field(max_length=MAX_CHARACTERS)
    language: Annotated[str, Field(pattern=r"^[A-Za-z]{2,3}(-[A-Za-z0-9]{1,8})*$", max_length=35)] | None = None


class ScoreBody(Closed):
    comments: list[CommentBody] = Field(min_length=1, max_length=MAX_COMMENTS)


def routes(settings: Settings, pool: Pool) -> APIRouter:
    router = APIRouter(dependencies=[Depends(internal_only(settings.internal_token))])

    @router.post("/v1/score", openapi_extra={"requestBody": {"content": {"application/json": {"schema": schema()}}}})
    async def score(request: Request) -> dict[str, Any]:
        body = parse(await read(request))
        if pool.waiting >= settings.max_waiting:
            raise Unavailable("too many texts are waiting to be scored")
        try:
            scores = await pool.judge([Comment(c.text, c.language) for c in body.comments])
        except ScorerAway as away:
            raise Unavailable("the model can't score now") from away
        if failed := [place for place, one in enumerate(scores) if isinstance(one, Unscorable)]:
            raise Unprocessable(invalid_params=[{"name": f"comments.{p}.text", "reason": "can't be scored"} for p in failed])
        return {"model": pool.model._asdict(), "scores": [shown(one) for one in scores if isinstance(one, Score)]}

    return router


def schema() -> dict[str, Any]:
    return ScoreBody.model_json_schema()


async def read(request: Request) -> bytes:
    """The body, as far as it is allowed to go."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_BODY:
            raise TooLarge(f"a body may have {MAX_BODY} bytes")
    return bytes(body)


def parse(body: bytes) -> ScoreBody:
    """The body, or Unprocessable with every place that is wrong."""
    try:
        return ScoreBody.model_validate_json(body)
    except ValidationError as error:
        raise Unprocessable(invalid_params=places(error.errors(include_input=False, include_url=False))) from error


def shown(score: Score) -> dict[str, Any]:
    """A score with all its fields, the empty ones too."""
    return {**msgspec.structs.asdict(score), "themes": [msgspec.structs.asdict(theme) for theme in score.themes]}
