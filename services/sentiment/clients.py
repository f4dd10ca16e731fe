"""Load the taxonomy of a tenant from ingest."""

import re
from dataclasses import dataclass

import httpx
import msgspec

from shared.kafka import Retry
from shared.taxonomy import TenantTaxonomy

RETRY_SECONDS = 5.0
TIMEOUT = 5.0
"""Seconds. Events wait for the answer."""

TENANT_ID = re.compile(r"[a-z0-9-]{1,40}")

decode_taxonomy = msgspec.json.Decoder(TenantTaxonomy).decode


@dataclass(frozen=True, slots=True)
class TaggedTaxonomy:
    """A taxonomy as ingest returned it, and its entity tag for If-None-Match."""

    taxonomy: TenantTaxonomy
    tag: str = ""


@dataclass(frozen=True, slots=True)
class Ingest:
    """The internal routes of ingest that sentiment calls. `http` is an `ingest_client`."""

    http: httpx.AsyncClient

    async def taxonomy(self, tenant: str, known: TaggedTaxonomy | None = None) -> TaggedTaxonomy:
        """The current taxonomy of a tenant; `known` itself if it is unchanged. Raises Retry if ingest does not return one."""
        if not TENANT_ID.fullmatch(tenant):
            return TaggedTaxonomy(TenantTaxonomy(0))  # no tenant can have such an id, so none has set a taxonomy
        headers = {"If-None-Match": known.tag} if known else {}
        try:
            response = await self.http.get(f"/internal/taxonomies/{tenant}", headers=headers, timeout=TIMEOUT)
            if known and response.status_code == httpx.codes.NOT_MODIFIED:
                return known
            response.raise_for_status()
            return TaggedTaxonomy(decode_taxonomy(response.content), response.headers.get("ETag", ""))
        except (httpx.HTTPError, msgspec.MsgspecError) as error:
            raise Retry(RETRY_SECONDS, f"can't load a taxonomy from ingest: {type(error).__name__}") from error
