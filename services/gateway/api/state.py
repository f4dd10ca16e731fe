"""What the routes use, built once by `create_app`."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from fastapi import Request

from services.gateway.api.limits import Guesses, Limits
from services.gateway.api.rooms import Rooms
from services.gateway.clients.upstream import Upstream
from services.gateway.live.hub import Hub
from services.gateway.store.keyring import KeyRing
from services.gateway.store.keys import Keys


@dataclass(frozen=True, slots=True)
class Gateway:
    """Everything a request may need."""

    keys: Keys
    keyring: KeyRing
    limits: Limits
    guesses: Guesses
    rooms: Rooms
    hub: Hub
    keys_per_tenant: int
    """Keys that work at one time; `/v1/keys` makes no more."""
    ping: float
    """Seconds of silence on a live stream until a comment shows that it lives."""
    upstreams: Mapping[str, Upstream]

    def upstream(self, name: Literal["ingest", "metrics", "sentiment"]) -> Upstream:
        return self.upstreams[name]


def gateway_of(request: Request) -> Gateway:
    gateway: Gateway = request.app.state.gateway
    return gateway
