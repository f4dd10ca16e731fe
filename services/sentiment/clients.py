"""Calls to other services: ingest is asked to publish again what was lost, and for the themes that a tenant set."""

import re
from dataclasses import dataclass
from datetime import datetime

import httpx
import msgspec
from pydantic import SecretStr

from shared.kafka import Retry
from shared.taxonomy import TenantTaxonomy

REST = 5.0
"""Seconds before a replay that could not be asked for is asked for again."""

ASKING = 5.0
"""Seconds that ingest has to tell a taxonomy, for which events wait."""

TENANT_ID = re.compile(r"[a-z0-9-]{1,40}")


@dataclass(frozen=True, slots=True)
class Told:
    """A taxonomy as ingest told it, and the entity tag under which it can be asked whether that still stands."""

    taxonomy: TenantTaxonomy
    tag: str = ""


@dataclass(frozen=True, slots=True)
class Ingest:
    """The part of ingest that sentiment needs."""

    http: httpx.AsyncClient

    async def replay(self, since: datetime | None) -> None:
        """Have everything received since then published again (None: everything). Raises Retry when it isn't granted."""
        try:
            answer = await self.http.post("/internal/replay", json={"since": since and since.isoformat()})
        except httpx.HTTPError as error:
            raise Retry(REST, f"ingest can't be asked for a replay: {type(error).__name__}") from error
        if not answer.is_success:
            raise Retry(REST, f"ingest grants no replay: {answer.status_code}")

    async def taxonomy(self, tenant: str, known: Told | None = None) -> Told:
        """What the tenant has in force; `known` itself where it still is. Raises Retry when ingest can't be asked."""
        if not TENANT_ID.fullmatch(tenant):
            return Told(TenantTaxonomy(0))  # nobody has such an id, so nobody set anything
        headers = {"If-None-Match": known.tag} if known else {}
        try:
            answer = await self.http.get(f"/internal/taxonomies/{tenant}", headers=headers, timeout=ASKING)
            if known and answer.status_code == httpx.codes.NOT_MODIFIED:
                return known
            answer.raise_for_status()
            return Told(decode_taxonomy(answer.content), answer.headers.get("ETag", ""))
        except (httpx.HTTPError, msgspec.MsgspecError) as error:
            raise Retry(REST, f"ingest can't be asked for a taxonomy: {type(error).__name__}") from error


decode_taxonomy = msgspec.json.Decoder(TenantTaxonomy).decode


def client_of(url: str, token: SecretStr, transport: httpx.AsyncBaseTransport | None = None) -> httpx.AsyncClient:
    """A client that shows the internal token; `transport` is for tests that play the other side."""
    headers = {"Authorization": f"Bearer {token.get_secret_value()}"}
    return httpx.AsyncClient(base_url=url, headers=headers, timeout=30, transport=transport)
