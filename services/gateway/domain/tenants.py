"""Tenants, and the rules for a new one."""

import re
from dataclasses import dataclass

from shared.zones import read_zone

TENANT_ID = re.compile(r"[a-z0-9-]{1,40}")


@dataclass(frozen=True, slots=True)
class Tenant:
    """`zone` is the IANA zone in which the tenant's days begin. `provisioned`: ingest and metrics know the tenant."""

    id: str
    name: str
    zone: str
    provisioned: bool = False


def validate(tenant: Tenant) -> list[str]:
    """The reasons why `tenant` can't be created; empty if it can."""
    errors = []
    if not TENANT_ID.fullmatch(tenant.id):
        errors.append("id: 1 to 40 of a-z, 0-9 and -")
    try:
        read_zone(tenant.zone)
    except ValueError as error:
        errors.append(f"zone: {error}")
    if not tenant.name.strip() or not tenant.name.isprintable() or len(tenant.name) > 200:
        errors.append("name: 1 to 200 printable characters")
    return errors
