"""The statements that count contributions into the histograms of seals.

Each takes the ids of seals ($1), stores their histograms, and returns a mask for each seal with any histogram: the bits of the
cuboids that it holds, and the wide bits of those with more than MOST_VALUES groups, which are not stored.
"""

from collections.abc import Callable, Sequence
from enum import Enum, auto
from functools import lru_cache
from typing import Literal

from services.metrics.domain.cuboids import CUBOIDS, MOST_VALUES, TOTAL, WIDE, Cuboid
from services.metrics.domain.measure import MULTI_VALUED
from services.metrics.store.seals import Level
from shared.events import DIMENSIONS

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


# --- the parts of statements ------------------------------------------------------------------------------------------------
OF_SPAN = """
        SELECT * FROM contributions c
        WHERE c.tenant = s.tenant AND c.measure = s.measure AND c.at >= s.starts AND c.at < s.ends OFFSET 0
"""


class Amounts(Enum):
    """The kinds of amounts of a measure, by which their sums are computed in different ways.

    The states and the results of sums of bigints are allocated for each bin. Those of ints are not, which is far faster.
    """

    BINS = auto()
    """The bins are the amounts."""
    SMALL = auto()
    """At most SMALL, positive or negative."""
    ANY = auto()


SMALL = 46_340
"""The square of an amount up to this one fits an int, so that a bigint holds the sum of many."""
SMALL_AMOUNT = f"CASE WHEN c.amount BETWEEN -{SMALL} AND {SMALL} THEN c.amount::int ELSE 0 END"
SMALL_BIN = f"bin BETWEEN -{SMALL} AND {SMALL}"

SUMS = {
    Amounts.BINS: "count(*) AS n",
    Amounts.SMALL: f"count(*) AS n, sum({SMALL_AMOUNT}) AS total, sum({SMALL_AMOUNT} * {SMALL_AMOUNT}) AS squares",
    Amounts.ANY: f"count(*) AS n, sum(c.amount) AS total, {sum_of_squares('c.amount')} AS squares",
}
"""SQL of the sums of a bin."""

BINS = "array_agg(bin) AS bins, array_agg(n) AS counts"
SUMMED = f"{BINS}, sum(total) AS total, sum(squares) AS squares"
FROM_BINS = f"""
    {BINS}, sum(n * bin) AS total,
    coalesce(sum(CASE WHEN {SMALL_BIN} THEN bin * bin * n END), 0)
        + coalesce(sum(bin::numeric * bin * n) FILTER (WHERE NOT {SMALL_BIN}), 0) AS squares
"""
HISTOGRAM = {Amounts.BINS: FROM_BINS, Amounts.SMALL: SUMMED, Amounts.ANY: SUMMED}
"""SQL of the histogram of a group, whose bins have no order: with the sums of its bins, or computed from the bins."""


MASKS = f"""
        SELECT id AS seal_id, bit_or(1::bigint << CASE WHEN wide THEN cuboid + {WIDE} ELSE cuboid END) AS held
        FROM {{cuboids}} GROUP BY id
"""  # noqa: S608


def _stored(counted: str, histogram: str, sizes: str) -> str:
    """A statement that stores the histograms of `counted`, whose rows are bins of groups of cuboids of seals, and returns masks.

    `sizes` has the number of contributions of each seal. A cuboid is stored if it has at most $3 bins for each of them. It is
    wide, and not stored, if it has more than MOST_VALUES groups; so its many bins are no reason to leave out its wide bit.
    """
    return f"""
        WITH k AS MATERIALIZED (
            {sizes}
        ), grouped AS MATERIALIZED (
            SELECT id, cuboid, value, second, {histogram} FROM ({counted}) counted GROUP BY id, cuboid, value, second
        ), cuboids AS MATERIALIZED (
            SELECT id, cuboid, count(*) AS groups, sum(cardinality(bins)) AS bins FROM grouped GROUP BY id, cuboid
        ), held AS MATERIALIZED (
            SELECT id, cuboid, groups > {MOST_VALUES} AS wide FROM cuboids JOIN k USING (id)
            WHERE bins <= size * $3::float8 OR bins > {MOST_VALUES}
        ), stored AS (
            INSERT INTO histograms (seal_id, cuboid, value, second, bins, counts, total, squares)
            SELECT id, cuboid, value, second, bins, counts, total, squares
            FROM grouped JOIN held USING (id, cuboid) WHERE NOT wide
        )
        {MASKS.format(cuboids="held")}
    """  # noqa: S608


# --- contributions ----------------------------------------------------------------------------------------------------------
# Most dimensions have one value in most spans: of survey answers, say, those of tickets have none. The histograms by such a
# dimension are those of the total. So the first statement counts the total and says which dimensions vary, the next ones group by
# these alone, and the last one stores the histograms again under each cuboid that they are the same for.

FAMILIES = "SELECT s.id, s.measure, m.name FROM seals s JOIN measures m ON m.id = s.measure WHERE s.id = ANY($1::bigint[])"

BITS = {name: 1 << number for number, name in enumerate((*DIMENSIONS, *MULTI_VALUED))}
"""The bit of each dimension in a mask of those that vary."""

VARYING = " | ".join(
    [
        *(f"CASE WHEN c.{name} IS DISTINCT FROM s.{name} THEN {BITS[name]} ELSE 0 END" for name in DIMENSIONS),
        *(f"CASE WHEN cardinality(c.{column}) > 0 THEN {BITS[name]} ELSE 0 END" for name, column in MULTI_VALUED.items()),
    ]
)
"""SQL of a mask: the dimensions in which a contribution differs from the first one of its span, and the multi-valued ones in
which it has a value."""


@lru_cache(maxsize=2)
def count_totals(amounts: Literal[Amounts.BINS, Amounts.ANY]) -> str:
    """The statement that counts seals ($1) by the total, and stores the histograms.

    Of each span with contributions it returns their number `n`, the number of `bins`, the `largest` amount without its sign
    (0 if the bins are the amounts), a mask of the dimensions that are `varying`, and the values of all others, the multi-valued
    ones apart.
    """
    columns = ", ".join(DIMENSIONS)
    return f"""
        WITH spans AS MATERIALIZED (
            SELECT s.id, s.tenant, s.measure, s.starts, s.ends, one.*
            FROM seals s CROSS JOIN LATERAL (SELECT {columns} FROM ({OF_SPAN}) c LIMIT 1) one
            WHERE s.id = ANY($1::bigint[])
        ), counted AS MATERIALIZED (
            SELECT s.id, c.bin, {SUMS[amounts]}, bit_or({VARYING}) AS varying,
                {"0" if amounts is Amounts.BINS else "max(abs(c.amount))"} AS largest
            FROM spans s CROSS JOIN LATERAL ({OF_SPAN}) c
            GROUP BY s.id, c.bin
        ), stored AS (
            INSERT INTO histograms (seal_id, cuboid, value, second, bins, counts, total, squares)
            SELECT id, {TOTAL.number}, NULL, NULL, {HISTOGRAM[amounts]}
            FROM counted GROUP BY id
        )
        SELECT id, n, bins, largest, varying, {columns}
        FROM (
            SELECT id, sum(n)::bigint AS n, count(*) AS bins, max(largest)::bigint AS largest, bit_or(varying) AS varying
            FROM counted GROUP BY id
        ) all_bins JOIN spans USING (id)
    """  # noqa: S608


STORED_TOTALS = f"""
    SELECT h.seal_id AS id, (SELECT sum(n) FROM unnest(h.counts) AS n)::bigint AS n, cardinality(h.bins) AS bins,
        {SMALL + 1} AS largest, {sum(BITS.values())} AS varying
    FROM histograms h WHERE h.seal_id = ANY($1::bigint[]) AND h.cuboid = {TOTAL.number}
"""  # noqa: S608
"""The same of seals whose totals are stored already. Any dimension may vary, and amounts may be large."""


@lru_cache(maxsize=256)
def count_contributions(cuboids: int, amounts: Amounts) -> str:
    """The statement that counts seals ($1) by the cuboids in a mask: all single-valued, or all of one multi-valued dimension.

    The numbers of contributions of the spans are $2, and $3 is how many bins a cuboid may have for each of them. A contribution
    counts once under each value of a multi-valued dimension; without a value, once.
    """
    selected = [cuboid for cuboid in CUBOIDS if cuboids & cuboid.bit]
    names = sorted({name for cuboid in selected for name in cuboid.dimensions}, key=BITS.__getitem__)
    values = ", ".join(f"unnest({_values_of(name)}) AS {name}" if name in MULTI_VALUED else f"c.{name}" for name in names)
    grouped = ", ".join(f"c.{name}" for name in names)
    sets = ", ".join(f"({', '.join(('c.id', 'c.bin', *(f'c.{name}' for name in cuboid.dimensions)))})" for cuboid in selected)

    def choose(column_of: Callable[[Cuboid], str]) -> str:
        """SQL that is different in the rows of each cuboid."""
        cases = " ".join(f"WHEN {_grouping(names, cuboid)} THEN {column_of(cuboid)}" for cuboid in selected)
        return f"CASE grouping({grouped}) {cases} END"

    counted = f"""
        SELECT c.id, {choose(lambda cuboid: str(cuboid.number))} AS cuboid,
            {choose(lambda cuboid: f"c.{cuboid.dimensions[0]}")} AS value,
            {choose(lambda cuboid: f"c.{cuboid.dimensions[1]}" if len(cuboid.dimensions) > 1 else "NULL::int")} AS second,
            c.bin, {SUMS[amounts]}
        FROM (
            SELECT s.id, c.bin, c.amount, {values} FROM seals s CROSS JOIN LATERAL ({OF_SPAN}) c
            WHERE s.id = ANY($1::bigint[])
        ) c
        GROUP BY GROUPING SETS ({sets})
    """  # noqa: S608
    sizes = "SELECT * FROM unnest($1::bigint[], $2::bigint[]) AS k (id, size)"
    return _stored(counted, HISTOGRAM[amounts], sizes)


def _grouping(names: Sequence[str], cuboid: Cuboid) -> int:
    """The value of `grouping()` over `names` for a cuboid: a bit for each, the first one highest, which is 0 if it has it."""
    return sum(2 ** (len(names) - 1 - place) for place, name in enumerate(names) if name not in cuboid.dimensions)


def _values_of(name: str) -> str:
    """SQL of the values of a multi-valued dimension, of which there is at least one: NULL."""
    return f"CASE WHEN cardinality(c.{MULTI_VALUED[name]}) > 0 THEN c.{MULTI_VALUED[name]} ELSE '{{NULL}}' END"


COPY_EQUAL = """
    INSERT INTO histograms (seal_id, cuboid, value, second, bins, counts, total, squares)
    SELECT h.seal_id, w.cuboid, CASE w.place WHEN 1 THEN h.value ELSE w.value END,
        CASE w.place WHEN 2 THEN h.value ELSE w.second END, h.bins, h.counts, h.total, h.squares
    FROM unnest($1::bigint[], $2::smallint[], $3::smallint[], $4::smallint[], $5::int[], $6::int[])
        AS w (id, source, cuboid, place, value, second)
    JOIN histograms h ON h.seal_id = w.id AND h.cuboid = w.source
"""
"""Store the histograms of seals ($1) by a cuboid ($2) under another one ($3) too, whose further dimensions have one value each.

$4 is the place of the value of the first cuboid among those of the other: 1, 2, or 0 if it is the total; $5 and $6 are the values
of the further dimensions.
"""


# --- months -----------------------------------------------------------------------------------------------------------------
DAYS_OF_MONTH = f"""
    d.tenant = s.tenant AND d.measure = s.measure AND d.zone = s.zone AND d.level = {Level.DAY:d}
    AND d.starts >= s.starts AND d.starts < s.ends AND d.ends <= s.ends
"""

COUNT_MONTHS = f"""
    WITH days AS MATERIALIZED (
        SELECT s.id, h.cuboid, h.value, h.second, h.bins, h.counts, h.total, h.squares
        FROM unnest($1::bigint[], $2::bigint[]) AS k (id, held)
        JOIN seals s USING (id)
        JOIN seals d ON {DAYS_OF_MONTH}
        JOIN histograms h ON h.seal_id = d.id AND (k.held >> h.cuboid) & 1 = 1
    ), summed AS (
        SELECT id, cuboid, value, second, bin, sum(n)::bigint AS n, NULL::numeric AS total, NULL::numeric AS squares
        FROM (SELECT id, cuboid, value, second, unnest(bins) AS bin, unnest(counts) AS n FROM days) one
        GROUP BY id, cuboid, value, second, bin
        UNION ALL
        SELECT id, cuboid, value, second, NULL, NULL, sum(total), sum(squares) FROM days GROUP BY id, cuboid, value, second
    ), grouped AS MATERIALIZED (
        SELECT id, cuboid, value, second, array_agg(bin) FILTER (WHERE n IS NOT NULL) AS bins,
            array_agg(n) FILTER (WHERE n IS NOT NULL) AS counts, sum(total) AS total, sum(squares) AS squares
        FROM summed GROUP BY id, cuboid, value, second
    ), cuboids AS MATERIALIZED (
        SELECT id, cuboid, count(*) > {MOST_VALUES} AS wide FROM grouped GROUP BY id, cuboid
    ), stored AS (
        INSERT INTO histograms (seal_id, cuboid, value, second, bins, counts, total, squares)
        SELECT id, cuboid, value, second, bins, counts, total, squares FROM grouped JOIN cuboids USING (id, cuboid) WHERE NOT wide
    )
    {MASKS.format(cuboids="cuboids")}
"""  # noqa: S608
"""Months as the sums of their days, each by the cuboids in a mask ($2), which all of its days hold."""

WHOLE_MONTHS = f"""
    SELECT s.id, days.held, days.wide
    FROM seals s CROSS JOIN LATERAL (
        SELECT sum(d.ends - d.starts) AS length, bit_and(d.held) AS held,
            coalesce(bit_or(d.held >> {WIDE}) FILTER (WHERE d.held >= 0), 0) AS wide
        FROM seals d
        WHERE {DAYS_OF_MONTH}
          AND d.state = 'sealed' AND d.revision = ANY($3::smallint[]) AND d.held_by = d.id AND d.cuboids >= $2
    ) days
    WHERE s.id = ANY($1::bigint[]) AND s.ends - s.starts = days.length
"""  # noqa: S608
"""The months whose days all have valid seals, of the version of the cuboids in $2 or a later one: which cuboids all days hold,
and which are too wide in one of them. A day without contributions holds all."""
