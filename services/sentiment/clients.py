"""Read the themes of a tenant from ingest."""

import re
from dataclasses import dataclass

import httpx
import msgspec

from shared.kafka import Retry
from shared.taxonomy import TenantTaxonomy

REST = 5.0
"""Seconds before ingest is asked again after a failure."""

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
