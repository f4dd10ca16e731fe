"""The customer of a record. Ids of a tool have the provider's name as a namespace; the tenant's own ids are bare."""

from collections.abc import Mapping
from typing import Any

from services.ingest.domain.connection import FieldMapping
from services.ingest.domain.fields import is_email, is_name
from services.ingest.domain.providers.payload import trimmed_text
from services.ingest.domain.pseudonym import namespaced
from shared.text import nfc

TOOLS = frozenset((
    "asknicely", "chatwoot", "delighted", "formbricks", "freshdesk", "front", "google_forms", "gorgias", "helpscout", "hubspot",
    "intercom", "jira", "jotform", "qualtrics", "surveymonkey", "survicate", "tally", "trustpilot", "typeform", "zammad",
    "zendesk",
))  # fmt: skip
"""The providers whose names are namespaces of ids."""


def customer_fields(
    provider: str, *, tool_id: str | None = None, own_id: str | None = None, email: str | None = None
) -> dict[str, Any]:
    """The `customer` of a record; empty if nothing is known.

    `tool_id` is the tool's id of the person, `own_id` the tenant's own: with both, the own one is the id and the tool's an alias.
    An `email` that is no address is left out. So is an `own_id` with the namespace of a tool, such as `zendesk:351`:
    respondents could else state the id of another person in a form or in the hidden fields of a link.
    """
    own_id = None if own_id and _has_namespace(own_id) else own_id
    named = namespaced(provider, tool_id) if tool_id else None
    return {
        **({"id": own_id or named} if own_id or named else {}),
        **({"email": email} if email and is_email(email) else {}),
        **({"aliases": [{"id": named}]} if own_id and named else {}),
    }


def _has_namespace(identity: str) -> bool:
    return identity.strip().partition(":")[0].lower() in TOOLS and ":" in identity


def own_id(fields: Mapping[str, Any], mapping: FieldMapping) -> str | None:
    """The tenant's own id of the customer: the value of the field `mapping.customer`. None if there is none that can be an id."""
    if mapping.customer is None:
        return None
    value = fields.get(mapping.customer)
    if value is None:
        value = next((value for name, value in fields.items() if nfc(name) == mapping.customer), None)
    identity = trimmed_text(value)
    return identity if is_name(identity) else None
