"""The settings of a connection to Freshdesk, and the statuses of its tickets."""

from pydantic import Field

from services.ingest.domain.fields import GroupName
from services.ingest.domain.providers.help_desk import HelpDeskMapping
from services.ingest.domain.providers.payload import Unusable
from shared.events import Status

STATUSES: dict[str, Status] = {
    "open": "open",
    "pending": "pending",
    "resolved": "solved",
    "closed": "closed",
    "waiting on customer": "pending",
    "waiting on third party": "on_hold",
}


class FreshdeskSettings(HelpDeskMapping):
    """`dimensions` name the fields of the template, and those that you add to it."""

    statuses: dict[GroupName, Status] = Field(
        default_factory=dict, max_length=200, description="Freshdesk: statuses by the names of your own, or in your language"
    )


def status_of(name: str, settings: FreshdeskSettings) -> Status:
    """The status of a name. Raises Unusable if it is neither Freshdesk's nor in the mapping."""
    status = settings.statuses.get(name) or STATUSES.get(name.lower())
    if status is None:
        raise Unusable("status: unknown; declare your own statuses in `statuses` of the mapping", "unknown_value")
    return status
