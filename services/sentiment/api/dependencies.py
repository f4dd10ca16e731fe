"""Dependencies of the routes: the running service, and the tenant of a call."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request

from services.sentiment.pool import Pool
from services.sentiment.taxonomy_cache import Taxonomies
from shared.fair_queue import FairQueue
from shared.http import TENANT_HEADER


@dataclass(frozen=True, slots=True)
class Sentiment:
    """The running service. `queue` bounds the calls in progress per tenant."""

    pool: Pool
    taxonomies: Taxonomies
    queue: FairQueue


async def sentiment_of(request: Request) -> Sentiment:
    """The running service of a request."""
    sentiment: Sentiment = request.app.state.sentiment
    return sentiment


SentimentState = Annotated[Sentiment, Depends(sentiment_of)]
"""A parameter of a route: the running service."""


async def tenant_or_empty(request: Request) -> str:
    """The tenant that the call speaks for; empty if it names none."""
    return request.headers.get(TENANT_HEADER, "")


OptionalTenant = Annotated[str, Depends(tenant_or_empty)]
