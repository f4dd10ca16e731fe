"""The ticket export: a page of tickets by their opening or their last solve, each with the values of all columns."""

from asyncio import to_thread
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Literal
from zoneinfo import ZoneInfo

import asyncpg

from services.metrics.domain.contributions import contributions
from services.metrics.domain.kpis import KPIS
from services.metrics.domain.query import Query
from services.metrics.domain.terms import FIRST_TERMS, Terms
from services.metrics.domain.ticket_columns import COLUMNS, NAME_COLUMNS, Column, ExportedTicket, own_columns
from services.metrics.domain.ticket_measures import CURRENT_SOLVE, OPENED
from services.metrics.domain.view import view
from services.metrics.domain.windows import Window
from services.metrics.evaluation.periods import periods
from services.metrics.evaluation.records import slices
from services.metrics.evaluation.results import selection_of
from services.metrics.evaluation.source import Source
from services.metrics.evaluation.unknown_values import UnknownValues, find_unknown_values
from services.metrics.store.names import Directory, names_of
from services.metrics.store.progress import Freshness, freshness
from services.metrics.store.promotions import CurrentTenant, current_tenant
from services.metrics.store.query import snapshot
from services.metrics.store.records import Place, Record, load_subjects, records
from services.metrics.store.selection import resolve
from services.metrics.store.terms import read_terms
from services.metrics.store.writer import decode_scores

TICKETS = KPIS["tickets_opened"]
"""The KPI whose dimensions the tickets have."""
FiledBy = Literal["opened", "solved"]
FILED_BY: dict[FiledBy, str] = {"opened": OPENED.family, "solved": CURRENT_SOLVE.family}
"""The measure that has one row for each listed ticket, by the event whose time lists it."""

Values = dict[str, Any]


@dataclass(frozen=True, slots=True)
class TicketPage:
    """A page of tickets, the latest first. `columns` are in their order, `tickets` have a value for each of them.

    `next` is where the next page begins, None on the last page.
    """

    query: Query
    window: Window
    freshness: Freshness
    unknown: UnknownValues
    columns: list[Column]
    tickets: list[Values]
    next: Place | None


async def list_tickets(
    source: Source, tenant: str, query: Query, filed_by: FiledBy, now: datetime, limit: int, after: Place | None = None
) -> TicketPage:
    """Up to `limit` tickets whose opening, or last solve, lies in the window of the query and before `now`.

    The filters of the query select by the dimensions of that event. Merged, spam and deleted tickets are left out.
    """
    async with snapshot(source.pool) as connection:
        current = await current_tenant(connection, tenant, source.default_model)
        window = periods(query, ZoneInfo(current.zone), now)[0].window
        selection = replace(selection_of(query, current), measures=(FILED_BY[filed_by],))
        scope = await resolve(connection, tenant, selection)
        page: list[Record] = []
        following = None
        if scope is not None:
            page, following = await records(connection, scope, window.start, min(window.end, now), limit, after)
        terms = FIRST_TERMS if current.number is None else await read_terms(connection, current.number)
        columns = [*COLUMNS, *own_columns(current.dimensions)]
        tickets: list[Values] = []
        for part in slices(page):
            loaded = await load_subjects(connection, part)
            tickets += await to_thread(values_of, loaded, columns, terms, current.model, now)
        add_names(tickets, await names_of_tickets(connection, current, tickets))
        unknown = await find_unknown_values(connection, selection, scope)
        fresh = await freshness(connection, current, None, source.partitions)
    named = [Column(name, "string", f"The name of the {dimension}", unnamed) for dimension, name in NAME_COLUMNS.items()]
    return TicketPage(query, window, fresh, unknown, [*columns, *named], tickets, following)


def unnamed(ticket: ExportedTicket) -> None:
    """The name of a value before the directory is read: none."""


def values_of(page: Sequence[Record], columns: Sequence[Column], terms: Terms, model: str, now: datetime) -> list[Values]:
    """The values of tickets whose subjects are loaded. Slow for long histories: run it off the event loop."""
    values = []
    for record in page:
        current, scores = view(record.subject.statements.values()), decode_scores(record.subject.scores)
        if current.ticket is not None:
            rows = contributions(current, scores, terms)
            exported = ExportedTicket(record.subject.name, current, current.ticket, scores, rows, model, now)
            values.append({column.name: column.value(exported) for column in columns})
    return values


async def names_of_tickets(connection: asyncpg.Connection, current: CurrentTenant, tickets: Sequence[Values]) -> Directory:
    """The names of the teams and agents of tickets."""
    if current.number is None or not current.names_revision:
        return {}
    values = {(name, value) for ticket in tickets for name in NAME_COLUMNS if (value := ticket[name]) is not None}
    return await names_of(connection, current.number, values)


def add_names(tickets: Sequence[Values], names: Mapping[str, Mapping[str, str]]) -> None:
    """Add the columns of names to tickets."""
    for ticket in tickets:
        for dimension, column in NAME_COLUMNS.items():
            ticket[column] = names.get(dimension, {}).get(ticket[dimension])
