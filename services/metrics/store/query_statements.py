"""The statements that read the histograms of a selection: from sealed histograms, or from contributions.

Each but SINGLE_SEALS begins with a common table expression `counted`, and ANSWER follows it.
"""

from services.metrics.domain.measure import MULTI_VALUED

GAPS = """
    WITH counted AS (
        SELECT g.number, g.measure, k.first, k.second, k.bin, k.n, k.total, k.squares
        FROM unnest($2::int[], $3::int[], $4::timestamptz[], $5::timestamptz[]) AS g (number, measure, low, high)
        CROSS JOIN LATERAL (
            SELECT {group}, c.bin, count(*) AS n, sum(c.amount) AS total, {squares} AS squares
            FROM contributions c {unnested}
            WHERE c.tenant = $1 AND c.measure = g.measure AND c.at >= g.low AND c.at < g.high {conditions}
            GROUP BY 1, 2, 3
        ) k
    )
"""

RUNS = """
    WITH counted AS (
        SELECT w.number, 0 AS measure, {group}, u.bin, u.n,
            CASE u.place WHEN 1 THEN h.total ELSE 0 END AS total, CASE u.place WHEN 1 THEN h.squares ELSE 0 END AS squares
        FROM unnest($1::int[], $2::bigint[]) AS w (number, id)
        JOIN histograms h ON h.seal_id = w.id AND h.cuboid = $3
        CROSS JOIN LATERAL unnest(h.bins, h.counts) WITH ORDINALITY AS u (bin, n, place)
        WHERE true {conditions}
    )
"""
"""The sums of the histograms of runs, which are numbered from 1."""

SINGLE_SEALS = """
    SELECT json_agg(json_build_array(number, 0, first, second, bins, counts, total, squares))::text AS cells,
        sum(size)::bigint AS bins
    FROM (
        SELECT a.number - 1 AS number, one.term AS first, two.term AS second, a.bins, a.counts, a.size,
            a.total::text AS total, a.squares::text AS squares, (row_number() OVER () - 1) / {cells_in_row} AS row
        FROM (
            SELECT w.number, {group}, h.bins, h.counts, h.total, h.squares, cardinality(h.bins) AS size,
                sum(cardinality(h.bins)) OVER (ROWS UNBOUNDED PRECEDING) AS reached
            FROM unnest($1::int[], $2::bigint[]) AS w (number, id)
            JOIN histograms h ON h.seal_id = w.id AND h.cuboid = $3
            WHERE true {conditions}
        ) a
        LEFT JOIN terms one ON one.id = a.first
        LEFT JOIN terms two ON two.id = a.second
        WHERE {limit}::bigint IS NULL OR a.reached - a.size < {limit}::bigint
    ) listed
    GROUP BY row
"""
"""The same of runs of one seal each, whose histograms need no sum. It ends with the row that reaches the limit of bins."""

SCANNED = """
    WITH counted AS (
        SELECT width_bucket(c.at, $3::timestamptz[]) AS number, c.measure, {group}, c.bin,
            count(*) AS n, sum(c.amount) AS total, {squares} AS squares
        FROM contributions c {unnested}
        WHERE c.tenant = $1 AND c.measure = ANY($2::int[]) AND c.at >= $4 AND c.at < $5 {conditions}
        GROUP BY 1, 2, 3, 4, 5
    )
"""

LATEST = """
    WITH selected AS (
        SELECT width_bucket(c.at, $3::timestamptz[]) AS number, c.measure, {columns}, c.bin, c.amount, c.at,
            c.customer, c.subject_id {tie_columns}
        FROM contributions c
        WHERE c.tenant = $1 AND c.measure = ANY($2::int[]) AND c.at >= $4 AND c.at < $5 {conditions}
    ), latest AS (
        SELECT DISTINCT ON (f.number, f.customer) f.number, f.measure, f.first, f.second, f.bin, f.amount
        FROM selected f JOIN subjects s ON s.id = f.subject_id JOIN measures m ON m.id = f.measure
        WHERE f.customer IS NOT NULL
        ORDER BY f.number, f.customer,
            f.at DESC, s.subject COLLATE "C" DESC, m.name COLLATE "C" DESC, f.bin DESC, f.amount DESC {ties}
    ), counted AS (
        SELECT number, measure, {group}, bin, count(*) AS n, sum(c.amount) AS total, {squares} AS squares
        FROM (
            SELECT * FROM latest
            UNION ALL
            SELECT number, measure, first, second, bin, amount FROM selected WHERE customer IS NULL
        ) c {unnested}
        GROUP BY 1, 2, 3, 4, 5
    )
"""


def _sorted_names(column: str) -> str:
    """The names of an array of ids, sorted by code point; an empty array for NULL."""
    names = 'array_agg(t.term ORDER BY t.term COLLATE "C")'
    return f"coalesce((SELECT {names} FROM terms t WHERE t.id = ANY({column})), '{{}}') COLLATE \"C\""  # noqa: S608


TIE_COLUMNS = "".join(f", c.{column}" for column in MULTI_VALUED.values())
TIES = "".join(f", {_sorted_names(f'f.{column}')} DESC" for column in MULTI_VALUED.values())
"""Which of one subject's comments is a customer's latest, where nothing else tells: needed only to group by themes or urgency."""

ANSWER = """
    SELECT json_agg(json_build_array(number, measure, first, second, bins, counts, total, squares))::text AS cells,
        sum(cardinality(bins))::bigint AS bins
    FROM (
        SELECT a.number - 1 AS number, a.measure, one.term AS first, two.term AS second, a.bins, a.counts,
            a.total::text AS total, a.squares::text AS squares, (row_number() OVER () - 1) / {cells_in_row} AS row
        FROM (
            SELECT number, measure, first, second,
                array_agg(bin) AS bins, array_agg(n) AS counts, sum(total) AS total, sum(squares) AS squares
            FROM (
                SELECT number, measure, first, second, {merged}, sum(total) AS total, sum(squares) AS squares
                FROM counted GROUP BY 1, 2, 3, 4, 5 {having}
                LIMIT {limit}::bigint
            ) merged
            GROUP BY 1, 2, 3, 4
        ) a
        LEFT JOIN terms one ON one.id = a.first
        LEFT JOIN terms two ON two.id = a.second
    ) listed
    GROUP BY row
"""
"""Cells as JSON, CELLS_IN_ROW to a row. The driver would decode plain rows in the event loop; JSON can be decoded in slices."""

MERGED = {"merged": "bin, sum(n)::bigint AS n", "having": ""}
NET = {"merged": "abs(bin) AS bin, sum(sign(bin) * n)::bigint AS n", "having": "HAVING sum(sign(bin) * n) <> 0"}
"""How the counts of one bin are merged. `NET`: those of a bin less those of its negative, which cancels the closed tickets."""

CELLS_IN_ROW = 500
