"""The deliveries of a tenant that a filter selects."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from services.ingest.domain.reason_codes import ReasonCode


@dataclass(frozen=True, slots=True)
class Selection:
    """Deliveries received in [since, until), of one connection or of one provider's, with one reason, about one subject.

    A field that is None doesn't filter.
    """

    tenant: str
    connection: str | None = None
    provider: str | None = None
    reason_code: ReasonCode | None = None
    subject: str | None = None
    since: datetime | None = None
    until: datetime | None = None

    @property
    def of_quarantine(self) -> tuple[Any, ...]:
        """The parameters $1 to $6 of QUARANTINE_FILTER. Quarantined deliveries have no subject yet."""
        return self.tenant, self.connection, self.provider, self.reason_code, self.since, self.until


QUARANTINE_FILTER = """
inbox.tenant = $1 AND ($2::text IS NULL OR inbox.connection = $2)
AND ($3::text IS NULL OR inbox.connection = ANY(
    ARRAY(SELECT id FROM connections WHERE connections.tenant = $1 AND connections.provider = $3)
))
AND ($4::text IS NULL OR coalesce(inbox.reason_code, 'unclassified') = $4)
AND ($5::timestamptz IS NULL OR inbox.received_at >= $5) AND ($6::timestamptz IS NULL OR inbox.received_at < $6)
"""
"""A condition on `inbox`, whose columns are all in the index `inbox_unread`."""
