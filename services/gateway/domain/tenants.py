"""A tenant: who a key, a connection and every number belong to."""

import re
from dataclasses import dataclass
from zoneinfo import ZoneInfo

TENANT_ID = re.compile(r"[a-z0-9-]{1,40}")


@dataclass(frozen=True, slots=True)
class Tenant:
    """`zone` is the IANA zone in which the tenant's days begin. `provisioned`: ingest and metrics have heard of it."""

    id: str
    name: str
    zone: str
    provisioned: bool = False


def faults(tenant: Tenant) -> list[str]:
    """What is wrong with a tenant about to be made; empty when it is fine."""
    found = []
    if not TENANT_ID.fullmatch(tenant.id):
        found.append("id: 1 to 40 of a-z, 0-9 and -")
    if not is_zone(tenant.zone):
        found.append("zone: an IANA time zone such as Europe/Berlin")
    if not tenant.name.strip() or not tenant.name.isprintable() or len(tenant.name) > 200:
        found.append("name: 1 to 200 printable characters")
    return found


def is_zone(name: str) -> bool:
    try:
        ZoneInfo(name)
    except (ValueError, OSError, LookupError):
        return False
    return bool(name)
