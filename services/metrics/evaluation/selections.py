"""The contributions that a query selects for a tenant, and the names of its groups."""

import asyncpg

from services.metrics.domain.query import Query, unknown_dimension
from services.metrics.store.names import Directory, read_names
from services.metrics.store.promotions import CurrentTenant
from services.metrics.store.selection import Selection
from shared.events import NAMED_DIMENSIONS


def selection_of(query: Query, current: CurrentTenant) -> Selection:
    """The contributions that a query reads for a tenant. Raises BadQuery if it names a dimension that the tenant lacks."""
    dimensions = (*query.kpi.dimensions, *current.dimensions)
    named = [("group_by", name) for name in query.group_by]
    for parameter, name in (*named, *((f"filter[{f.dimension}]", f.dimension) for f in query.filters)):
        if name not in dimensions:
            raise unknown_dimension(parameter, name, dimensions)
    return Selection(query.selectors(current.model), query.group_by, query.filters, query.per_respondent, current.dimensions)


async def names_of_groups(connection: asyncpg.Connection, query: Query, current: CurrentTenant) -> Directory:
    """The names of the dimensions that a query groups by."""
    dimensions = [name for name in query.group_by if name in NAMED_DIMENSIONS]
    if current.number is None or not current.names_revision or not dimensions:
        return {}
    return await read_names(connection, current.number, dimensions)
