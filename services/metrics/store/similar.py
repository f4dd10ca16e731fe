"""Values of a tenant, and names of its teams and agents, that resemble another text."""

from collections.abc import Sequence

import asyncpg

CANDIDATES = 500
"""Values that are read for each one, at most: those with its first letter first, then those of about its length."""

SIMILAR = """
    SELECT misspelt.value, array(
        SELECT t.term FROM (
            SELECT tenant, term FROM terms UNION ALL SELECT tenant, name FROM names
        ) t
        WHERE t.tenant = $1 AND 2 * length(t.term) >= length(misspelt.value) AND length(t.term) <= 2 * length(misspelt.value)
        ORDER BY lower(left(t.term, 1)) = lower(left(misspelt.value, 1)) DESC, abs(length(t.term) - length(misspelt.value)),
            t.term
        LIMIT $3
    ) AS candidates
    FROM unnest($2::text[]) AS misspelt (value)
"""


async def candidates_for(connection: asyncpg.Connection, tenant: int, values: Sequence[str]) -> dict[str, list[str]]:
    """For each of `values` the tenant's dimension values and names of similar length, at most CANDIDATES, of any dimension."""
    rows = await connection.fetch(SIMILAR, tenant, list(values), CANDIDATES)
    return {row["value"]: row["candidates"] for row in rows}
