"""The statements that count contributions into the histograms of seals.

Each takes the ids of seals ($1), stores their histograms, and returns of each seal with any histogram the mask of the cuboids
that it holds. A cuboid with more than MOST_VALUES groups is not stored.
"""

from collections.abc import Sequence
from functools import lru_cache

from services.metrics.domain.cuboids import CUBOIDS, MOST_VALUES, SINGLE_DIMENSIONS, TOTAL, Cuboid
from services.metrics.domain.measure import MULTI_VALUED
from services.metrics.store.seals import Level
from shared.events import DIMENSIONS

SINGLE_VALUED = [cuboid for cuboid in CUBOIDS if not cuboid.multi_valued]
SQUARABLE = 3_000_000_000
"""Amounts up to this one, positive or negative, have a square that fits a bigint."""


def sum_of_squares(amount: str) -> str:
    """SQL of the sum of the squares of a bigint column, as numeric.

    Only amounts whose square is no bigint are squared as numeric, which takes twice as long. CASE is faster than FILTER.
    """
    fits = f"{amount} BETWEEN -{SQUARABLE} AND {SQUARABLE}"
    return (
        f"coalesce(sum(CASE WHEN {fits} THEN {amount} * {amount} END), 0)"
        f" + coalesce(sum({amount}::numeric * {amount}) FILTER (WHERE NOT {fits}), 0)"
    )


def _values(cuboid: Cuboid) -> str:
    """The rows under which one contribution counts in a multi-valued cuboid: one for each value; without a value, one."""
    multi = next(name for name in cuboid.dimensions if name in MULTI_VALUED)
    first, second = (*(f"c.{name}" if name != multi else "t.term" for name in cuboid.dimensions), "NULL::int")[:2]
    return (
        f"SELECT {cuboid.number} AS cuboid, {first} AS value, {second} AS second"  # noqa: S608
        f" FROM (VALUES (1)) one LEFT JOIN unnest(c.{MULTI_VALUED[multi]}) AS t (term) ON true"
    )


HELD = "SELECT seal_id, bit_or(1::bigint << cuboid) AS held FROM stored GROUP BY seal_id"
BINS = """
    array_agg(bin ORDER BY bin) AS bins, array_agg(n ORDER BY bin) AS counts, sum(total) AS total, sum(squares) AS squares
"""

STORE = f"""
    WITH stored AS (
        INSERT INTO histograms (seal_id, cuboid, value, second, bins, counts, total, squares)
        SELECT id, cuboid, value, second, bins, counts, total, squares FROM (
            SELECT id, cuboid, value, second, {BINS}, count(*) OVER (PARTITION BY id, cuboid) AS groups
            FROM ({{counted}}) counted GROUP BY id, cuboid, value, second
        ) one WHERE groups <= {MOST_VALUES}
        RETURNING seal_id, cuboid
    )
    {HELD}
"""  # noqa: S608

OF_SPAN = """
        SELECT * FROM contributions c
        WHERE c.tenant = s.tenant AND c.measure = s.measure AND c.at >= s.starts AND c.at < s.ends OFFSET 0
"""

SUMS = f"count(*) AS n, sum(c.amount) AS total, {sum_of_squares('c.amount')} AS squares"

# --- contributions, by every cuboid but the multi-valued ones ---------------------------------------------------------------
# Most dimensions have one value in most spans: of survey answers, say, those of tickets have none. Grouping by them costs as much
# as by others, and gives the histograms of the total. So a first statement reads which dimensions vary, the next one groups by
# these alone, and the histograms are stored under each cuboid that they are the same for.

VARIES = "CASE WHEN min(c.{0}) <> max(c.{0}) OR count(c.{0}) BETWEEN 1 AND count(*) - 1 THEN {1} ELSE 0 END"
DIMENSION_VALUES = f"""
    SELECT s.id, s.measure, m.name, count(*) AS n,
        {" | ".join(VARIES.format(name, 1 << number) for number, name in enumerate(DIMENSIONS))} AS varying,
        {", ".join(f"min(c.{name}) AS {name}" for name in DIMENSIONS)}
    FROM seals s JOIN measures m ON m.id = s.measure CROSS JOIN LATERAL ({OF_SPAN}) c
    WHERE s.id = ANY($1::bigint[])
    GROUP BY s.id, s.measure, m.name
"""  # noqa: S608
"""Of each span with contributions: their number, a mask of the dimensions with several values, and one value of each."""


COUNT_TOTALS = STORE.format(
    counted=f"""
        SELECT s.id, {TOTAL.number} AS cuboid, NULL::int AS value, NULL::int AS second, c.bin, {SUMS}
        FROM seals s CROSS JOIN LATERAL ({OF_SPAN}) c
        WHERE s.id = ANY($1::bigint[])
        GROUP BY s.id, c.bin
    """  # noqa: S608
)
"""For spans with few contributions."""


@lru_cache(maxsize=256)
def count_contributions(varying: int) -> str:
    """The statement for seals ($1) in whose spans only the dimensions in the mask `varying` have several values.

    It takes the value of each dimension in each span too: $2 and the following, in the order of DIMENSIONS.
    """
    names = [name for number, name in enumerate(DIMENSIONS) if varying >> number & 1]
    of_groups: dict[tuple[str, ...], list[Cuboid]] = {}
    for one in SINGLE_VALUED:
        of_groups.setdefault(tuple(name for name in one.dimensions if name in names), []).append(one)
    groups = dict(enumerate(of_groups))
    cuboids = [(number, one) for number, group in groups.items() for one in of_groups[group]]

    def by_grouping(column: int) -> str:
        """SQL of the first or the second dimension of a group."""
        cases = [f"WHEN {_grouping(names, one)} THEN c.{one[column]}" for one in groups.values() if len(one) > column]
        return f"CASE grouping({grouped}) {' '.join(cases)} END" if cases else "NULL::int"

    def by_cuboid(column: int) -> str:
        """SQL of the first or the second value of a cuboid: one of the group's, or the one of the span."""
        cases = []
        for number, one in cuboids:
            if len(one.dimensions) > column:
                name, group = one.dimensions[column], groups[number]
                value = f"one.{('first', 'second')[group.index(name)]}" if name in group else f"k.{name}"
                cases.append(f"WHEN {one.number} THEN {value}")
        return f"CASE a.cuboid {' '.join(cases)} END"

    grouped = ", ".join(f"c.{name}" for name in names)
    sets = ", ".join(f"({', '.join(('s.id', 'c.bin', *(f'c.{name}' for name in one)))})" for one in groups.values())
    number_of = " ".join(f"WHEN {_grouping(names, one)} THEN {number}" for number, one in groups.items())
    values = ", ".join(f"${number}::int[]" for number in range(2, 2 + len(DIMENSIONS)))
    return f"""
        WITH one AS (
            SELECT id, place, first, second, {BINS}, count(*) OVER (PARTITION BY id, place) AS groups
            FROM (
                SELECT s.id, {f"CASE grouping({grouped}) {number_of} END" if names else "0"} AS place,
                    {by_grouping(0)} AS first, {by_grouping(1)} AS second, c.bin, {SUMS}
                FROM seals s CROSS JOIN LATERAL ({OF_SPAN}) c
                WHERE s.id = ANY($1::bigint[])
                GROUP BY GROUPING SETS ({sets})
            ) counted GROUP BY id, place, first, second
        ), stored AS (
            INSERT INTO histograms (seal_id, cuboid, value, second, bins, counts, total, squares)
            SELECT id, a.cuboid, {by_cuboid(0)}, {by_cuboid(1)}, bins, counts, total, squares
            FROM one
            JOIN (VALUES {", ".join(f"({number}, {one.number})" for number, one in cuboids)}) a (place, cuboid) USING (place)
            JOIN unnest($1::bigint[], {values}) k (id, {", ".join(DIMENSIONS)}) USING (id)
            WHERE groups <= {MOST_VALUES}
            RETURNING seal_id, cuboid
        )
        {HELD}
    """  # noqa: S608


def _grouping(names: Sequence[str], group: Sequence[str]) -> int:
    """The value of `grouping()` over `names` in a group: a bit for each of them, the first one highest, 0 if the group has it."""
    return sum(2 ** (len(names) - 1 - place) for place, name in enumerate(names) if name not in group)


# --- multi-valued cuboids, and months ---------------------------------------------------------------------------------------
COUNT_MULTI_VALUED = STORE.format(
    counted=f"""
        SELECT s.id, v.cuboid, v.value, v.second, c.bin, {SUMS}
        FROM seals s CROSS JOIN LATERAL ({OF_SPAN}) c
        CROSS JOIN LATERAL ({" UNION ALL ".join(_values(one) for one in CUBOIDS if one.multi_valued)}) v
        WHERE s.id = ANY($1::bigint[])
        GROUP BY s.id, v.cuboid, v.value, v.second, c.bin
    """  # noqa: S608
)
"""For seals of measures that have multi-valued dimensions."""

DAYS_OF_MONTH = f"""
    d.tenant = s.tenant AND d.measure = s.measure AND d.zone = s.zone AND d.level = {Level.DAY:d}
    AND d.starts >= s.starts AND d.starts < s.ends AND d.ends <= s.ends
"""

COUNT_MONTHS = STORE.format(
    counted=f"""
        SELECT s.id, h.cuboid, h.value, h.second, u.bin, sum(u.n)::bigint AS n,
            sum(CASE u.place WHEN 1 THEN h.total ELSE 0 END) AS total,
            sum(CASE u.place WHEN 1 THEN h.squares ELSE 0 END) AS squares
        FROM seals s
        CROSS JOIN LATERAL (SELECT bit_and(d.held) AS held FROM seals d WHERE {DAYS_OF_MONTH}) days
        JOIN seals d ON {DAYS_OF_MONTH}
        JOIN histograms h ON h.seal_id = d.id AND (days.held >> h.cuboid) & 1 = 1
        CROSS JOIN LATERAL unnest(h.bins, h.counts) WITH ORDINALITY AS u (bin, n, place)
        WHERE s.id = ANY($1::bigint[])
        GROUP BY s.id, h.cuboid, h.value, h.second, u.bin
    """  # noqa: S608
)
"""A month whose days hold their cuboids, as the sum of its days. It holds the cuboids that all of them hold."""

WHOLE_MONTHS = f"""
    SELECT s.id, days.dense
    FROM seals s CROSS JOIN LATERAL (
        SELECT sum(d.ends - d.starts) AS length, bool_and(d.held & {SINGLE_DIMENSIONS} <> 0) AS dense
        FROM seals d
        WHERE {DAYS_OF_MONTH}
          AND d.state = 'sealed' AND d.revision = ANY($3::smallint[]) AND d.held_by = d.id AND d.cuboids >= $2
    ) days
    WHERE s.id = ANY($1::bigint[]) AND s.ends - s.starts = days.length
"""  # noqa: S608
"""The months whose days all have valid seals, of the version of the cuboids in $2 or a later one; and whether all days hold their
cuboids."""
