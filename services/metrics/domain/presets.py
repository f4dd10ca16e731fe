"""Presets: definitions of other systems, under which the tickets of a tenant are counted beside our own.

A preset has measures of its own, so its numbers never mix with others. They are computed for the tenants that switched it on.
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

from services.metrics.domain.rows import Row, duration_row
from services.metrics.domain.statuses import SECOND
from services.metrics.domain.ticket import TicketView


@dataclass(frozen=True, slots=True)
class Preset:
    """A preset. `differences` say, by KPI, how its definition differs from ours."""

    id: str
    name: str
    differences: Mapping[str, str]


DBT_ZENDESK = Preset(
    id="dbt_zendesk",
    name="The dbt package for Zendesk",
    differences={
        "first_reply_time": "bots are agents; the reply is the first public message of one after the second of the opening; the"
        " time is that between the whole seconds of both; merged, spam and deleted tickets count too",
    },
)

PRESETS: dict[str, Preset] = {preset.id: preset for preset in (DBT_ZENDESK,)}
"""Every preset by its id."""


def preset_rows(ticket: TicketView, presets: Collection[str]) -> Iterator[Row]:
    """The rows of a ticket under each of the presets."""
    if DBT_ZENDESK.id in presets:
        yield from dbt_zendesk_rows(ticket)


def dbt_zendesk_rows(ticket: TicketView) -> Iterator[Row]:
    """The rows of a ticket under DBT_ZENDESK."""
    opened = ticket.opened.replace(microsecond=0)
    for reply in ticket.staff_messages:
        at = reply.replace(microsecond=0)
        if at > opened:
            seconds = (at - opened) // SECOND
            yield from duration_row("first_reply_dbt_zendesk:replied", reply, seconds)
            yield from duration_row("first_reply_dbt_zendesk:created", ticket.opened, seconds)
            return
