"""Dimensions of the tenant's own in records. A misspelt dimension is one of them, so users see their names."""

from collections.abc import Iterable

from services.ingest.domain.connection import Connection, FieldMapping
from services.ingest.domain.delivery import Delivery
from shared.events import DIMENSIONS as COMMON_DIMENSIONS
from shared.events import can_be_own_dimension
from shared.suggestions import closest

LIKENESS = 0.75
"""The lowest similarity at which a name counts as a misspelt dimension: `taem` is a misspelt `team`, `tier` is a name of its
own."""


def names_in_records(delivery: Delivery) -> set[str]:
    """The names of the tenant's own dimensions in the statements of a delivery."""
    return own_names(name for statement in delivery.statements for name in statement.event.dimensions)


def names_in_settings(connection: Connection) -> set[str]:
    """The names of the tenant's own dimensions that a connection fixes, or reads from fields of its payloads."""
    fields = connection.mapping.dimensions if isinstance(connection.mapping, FieldMapping) else {}
    return own_names([*fields.values(), *connection.dimensions])


def own_names(names: Iterable[str]) -> set[str]:
    """Those of `names` that are not dimensions of every tenant."""
    return {name for name in names if can_be_own_dimension(name)}


def similar_dimension(name: str) -> str | None:
    """The dimension of every tenant that `name` may be a misspelling of; None if it resembles none."""
    return next(iter(closest(name, COMMON_DIMENSIONS, likeness=LIKENESS)), None)
