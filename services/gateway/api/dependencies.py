"""Dependencies of the routes: the running service."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Literal

from fastapi import Depends, Request

from services.gateway.api.limits import GuessLimit, RateLimits
from services.gateway.clients.upstream import Upstream
from services.gateway.live.hub import Hub
from services.gateway.store.keys import KeyCache, Keys

UpstreamName = Literal["ingest", "metrics", "sentiment"]


@dataclass(frozen=True, slots=True)
class Gateway:
    """The running service."""

    keys: Keys
    key_cache: KeyCache
    limits: RateLimits
    guesses: GuessLimit
    hub: Hub
    keys_per_tenant: int
    """Active keys of a tenant; `/v1/keys` creates no more."""
    ping_seconds: float
    """Seconds of silence on a live stream before a keep-alive comment."""
    upstreams: Mapping[str, Upstream]

    def upstream(self, name: UpstreamName) -> Upstream:
        """The client of one service."""
        return self.upstreams[name]


async def gateway_of(request: Request) -> Gateway:
    """The running service of a request."""
    gateway: Gateway = request.app.state.gateway
    return gateway


GatewayState = Annotated[Gateway, Depends(gateway_of)]
"""A parameter of a route: the running service."""
