"""The ticket export: a page of tickets by their opening or their last solve, each with the values of all columns."""

from asyncio import to_thread
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Literal
from zoneinfo import ZoneInfo

import asyncpg

from services.metrics.domain.changes import kinds_of
from services.metrics.domain.contributions import Contribution, contributions
from services.metrics.domain.kpis import KPIS
from services.metrics.domain.measure import name_under
from services.metrics.domain.preset_rows import preset_rows
from services.metrics.domain.preset_tickets import ticket_under
from services.metrics.domain.presets import Preset
from services.metrics.domain.query import Query
from services.metrics.domain.terms import FIRST_TERMS, Terms
from services.metrics.domain.ticket import TicketView
from services.metrics.domain.ticket_columns import COLUMNS, NAME_COLUMNS, Column, ExportedTicket, own_columns
from services.metrics.domain.ticket_measures import CURRENT_SOLVE, OPENED
from services.metrics.domain.view import SubjectView, view
from services.metrics.domain.windows import BadQuery, Window
from services.metrics.evaluation.periods import periods
from services.metrics.evaluation.presets import preset_of, read_own_presets
from services.metrics.evaluation.records import slices
from services.metrics.evaluation.selections import selection_of
from services.metrics.evaluation.source import Source
from services.metrics.evaluation.unknown_values import UnknownValues, find_unknown_values
from services.metrics.store.derivation import decode_scores
from services.metrics.store.names import Directory, names_of
from services.metrics.store.progress import Freshness, freshness
from services.metrics.store.promotions import CurrentTenant, current_tenant
from services.metrics.store.query import snapshot
from services.metrics.store.records import NamedContribution, RecordCursor, load_subjects, records
from services.metrics.store.selection import resolve
from services.metrics.store.terms import read_terms
from shared.events import Score

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
    next: RecordCursor | None


async def list_tickets(
    source: Source, tenant: str, query: Query, filed_by: FiledBy, now: datetime, limit: int, after: RecordCursor | None = None
) -> TicketPage:
    """Up to `limit` tickets whose opening, or last solve, lies in the window of the query and before `now`.

    The filters of the query select by the dimensions of that event. Merged, spam and deleted tickets are left out, unless the
    query's preset keeps them. Raises BadQuery for a preset that is unknown or off.
    """
    async with snapshot(source.pool) as connection:
        current = await current_tenant(connection, tenant, source.default_model, kinds_of(None))
        preset = await enabled_preset(connection, query, current)
        window = periods(query, ZoneInfo(current.zone), now)[0].window
        measure = FILED_BY[filed_by]
        if preset is not None and measure in preset.families:
            measure = name_under(measure, preset.id)
        selection = replace(selection_of(query, current), measures=(measure,))
        scope = await resolve(connection, tenant, selection)
        page: list[NamedContribution] = []
        following = None
        if scope is not None:
            page, following = await records(connection, scope, window.start, min(window.end, now), limit, after)
        terms = FIRST_TERMS if current.number is None else await read_terms(connection, current.number)
        columns = [*COLUMNS, *own_columns(current.dimensions)]
        tickets: list[Values] = []
        for part in slices(page):
            loaded = await load_subjects(connection, part)
            tickets += await to_thread(values_of, loaded, columns, terms, current.model, now, preset)
        add_names(tickets, await names_of_tickets(connection, current, tickets))
        unknown = await find_unknown_values(connection, selection, scope)
        fresh = await freshness(connection, current, None, source.partitions)
    named = [Column(name, "string", f"The name of the {dimension}", unnamed) for dimension, name in NAME_COLUMNS.items()]
    return TicketPage(query, window, fresh, unknown, [*columns, *named], tickets, following)


def unnamed(ticket: ExportedTicket) -> None:
    """The name of a value before the directory is read: none."""


def values_of(
    page: Sequence[NamedContribution],
    columns: Sequence[Column],
    terms: Terms,
    model: str,
    now: datetime,
    preset: Preset | None = None,
) -> list[Values]:
    """The values of tickets whose subjects are loaded. Slow for long histories: run it off the event loop."""
    values = []
    for record in page:
        current, scores = view(record.subject.statements.values()), decode_scores(record.subject.scores)
        if current.ticket is not None:
            exported = exported_ticket(record.subject.name, current, current.ticket, scores, terms, model, now, preset)
            values.append({column.name: column.value(exported) for column in columns})
    return values


def exported_ticket(
    subject: str,
    view: SubjectView,
    ticket: TicketView,
    scores: Mapping[tuple[str, str], Score],
    terms: Terms,
    model: str,
    now: datetime,
    preset: Preset | None = None,
) -> ExportedTicket:
    """A ticket with its contributions; those under a preset are of `now`, so that times that run are counted until then."""
    rows = contributions(view, scores, replace(terms, presets=()))
    if preset is None:
        return ExportedTicket(subject, view, ticket, scores, rows, model, now, terms)
    rows += [Contribution(*row, dims, view.customer) for row, dims in preset_rows(view, ticket, terms, preset, view.dims_at, now)]
    return ExportedTicket(subject, view, ticket_under(ticket, preset.rules), scores, rows, model, now, terms, preset)


async def enabled_preset(connection: asyncpg.Connection, query: Query, current: CurrentTenant) -> Preset | None:
    """The preset of a query; None without one. Raises BadQuery if it is unknown or off."""
    if not query.preset:
        return None
    preset = preset_of("preset", query.preset, await read_own_presets(connection, current, (query.preset,)))
    if preset.id not in current.presets:
        raise BadQuery("preset", f"{preset.id} is not switched on, or not built yet; PUT /v1/presets/{preset.id} switches it on")
    return preset


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
