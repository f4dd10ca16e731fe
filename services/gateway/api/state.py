"""The application state that routes use, built once by `create_app`."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from fastapi import Request

from services.gateway.api.limits import GuessLimit, RateLimits
from services.gateway.clients.upstream import Upstream
from services.gateway.live.hub import Hub
from services.gateway.store.keys import KeyCache, Keys

UpstreamName = Literal["ingest", "metrics", "sentiment"]


@dataclass(frozen=True, slots=True)
class Gateway:
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


def gateway_of(request: Request) -> Gateway:
    """The state of the request's application."""
    gateway: Gateway = request.app.state.gateway
    return gateway
