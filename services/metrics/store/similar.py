"""Values of a dimension, and names of these values, that resemble another text."""

from collections.abc import Sequence

import asyncpg

from services.metrics.domain.measure import MULTI_VALUED
from services.metrics.store.selection import Scope

CANDIDATES = 500
"""Values that are returned for each one, at most: those with its first letter first, then those of about its length."""
LATEST = 20_000
"""Contributions, the latest of all measures of a query, whose values are compared."""

SIMILAR = """
    WITH latest AS (
        SELECT newest.value FROM unnest($3::int[]) AS of (measure) CROSS JOIN LATERAL (
            SELECT {column} AS value FROM contributions c WHERE c.tenant = $1 AND c.measure = of.measure
            ORDER BY c.at DESC LIMIT $4
        ) AS newest
    ), occurring AS MATERIALIZED (
        SELECT t.term FROM terms t WHERE t.tenant = $1 AND t.id IN (SELECT {value} FROM latest)
    ), known AS MATERIALIZED (
        SELECT term AS text FROM occurring
        UNION SELECT n.name FROM occurring o JOIN names n ON n.tenant = $1 AND n.dimension = $5 AND n.value = o.term
    )
    SELECT misspelt.value, array(
        SELECT text FROM known
        WHERE 2 * length(text) >= length(misspelt.value) AND length(text) <= 2 * length(misspelt.value)
        ORDER BY lower(left(text, 1)) = lower(left(misspelt.value, 1)) DESC, abs(length(text) - length(misspelt.value)), text
        LIMIT $6
    ) AS candidates
    FROM unnest($2::text[]) AS misspelt (value)
"""


async def candidates_for(
    connection: asyncpg.Connection, scope: Scope, dimension: str, values: Sequence[str]
) -> dict[str, list[str]]:
    """For each of `values` the values of `dimension`, and their names, of similar length, at most CANDIDATES.

    They are values of the LATEST contributions to the measures of `scope`.
    """
    if not scope.measures:
        return {}
    value = "unnest(value)" if dimension in MULTI_VALUED else "value"
    statement = SIMILAR.format(column=scope.selection.column(dimension), value=value)
    of_each_measure = LATEST // len(scope.measures)
    rows = await connection.fetch(
        statement, scope.tenant, list(values), list(scope.measures), of_each_measure, dimension, CANDIDATES
    )
    return {row["value"]: row["candidates"] for row in rows}
