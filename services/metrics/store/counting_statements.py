"""The statements that count contributions into the histograms of seals.

Each takes the ids of seals ($1), stores their histograms, and returns a mask for each seal with any histogram: the bits of the
cuboids that it holds, and the wide bits of those with more than MOST_VALUES groups, which are not stored.
"""

from collections.abc import Sequence
from functools import lru_cache

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

SUMS = f"count(*) AS n, sum(c.amount) AS total, {sum_of_squares('c.amount')} AS squares"
COUNT = "count(*) AS n"
"""Enough where the bins are the amounts."""

BINS = "array_agg(bin ORDER BY bin) AS bins, array_agg(n ORDER BY bin) AS counts"
SUMMED = f"{BINS}, sum(total) AS total, sum(squares) AS squares"
FROM_BINS = f"{BINS}, sum(n * bin) AS total, sum(bin::numeric * bin * n) AS squares"
"""The histogram of a group: with the sums of its bins, or computed from the bins, which are the amounts."""


def _with_store(text: str) -> str:
    """A statement that stores the histograms in `grouped`, whose `groups` is the number of groups of a seal's cuboid."""
    return f"""
        {text}, stored AS (
            INSERT INTO histograms (seal_id, cuboid, value, second, bins, counts, total, squares)
            SELECT id, cuboid, value, second, bins, counts, total, squares FROM grouped WHERE groups <= {MOST_VALUES}
            RETURNING seal_id, cuboid
        )
        SELECT id AS seal_id, bit_or(mask) AS held FROM (
            SELECT seal_id AS id, 1::bigint << cuboid AS mask FROM stored
            UNION ALL
            SELECT id, 1::bigint << cuboid + {WIDE} FROM grouped WHERE groups > {MOST_VALUES}
        ) masks GROUP BY id
    """  # noqa: S608


GROUPED = f"""
    WITH grouped AS (
        SELECT id, cuboid, value, second, {SUMMED}, count(*) OVER (PARTITION BY id, cuboid) AS groups
        FROM ({{counted}}) counted GROUP BY id, cuboid, value, second
    )
"""  # noqa: S608


def _worth_storing(bins: str, contributions: str, share: str) -> str:
    """SQL of the condition that a cuboid with so many bins is stored, or has so many that it may be wide."""
    return f"({bins} <= {contributions} * {share}::float8 OR {bins} > {MOST_VALUES})"


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


COUNT_TOTALS = _with_store(
    GROUPED.format(
        counted=f"""
        SELECT s.id, {TOTAL.number} AS cuboid, NULL::int AS value, NULL::int AS second, c.bin, {SUMS}
        FROM seals s CROSS JOIN LATERAL ({OF_SPAN}) c
        WHERE s.id = ANY($1::bigint[])
        GROUP BY s.id, c.bin
    """  # noqa: S608
    )
)
"""For spans with few contributions."""


@lru_cache(maxsize=256)
def count_contributions(varying: int, cuboids: int, *, equal_bins: bool) -> str:
    """The statement that counts seals ($1) by the single-valued cuboids in the mask `cuboids`.

    Only the dimensions in the mask `varying` have several values in their spans. It also takes the number of contributions of
    each span ($2), how many bins a cuboid may have for each of them ($3), and the value of each dimension in each span: $4 and
    the following, in the order of DIMENSIONS. `equal_bins`: the bins are the amounts.
    """
    selected = [cuboid for cuboid in CUBOIDS if cuboids & cuboid.bit and not cuboid.multi_valued]
    used = {name for cuboid in selected for name in cuboid.dimensions}
    names = [name for number, name in enumerate(DIMENSIONS) if varying >> number & 1 and name in used]
    of_groups: dict[tuple[str, ...], list[Cuboid]] = {}
    for cuboid in selected:
        of_groups.setdefault(tuple(name for name in cuboid.dimensions if name in names), []).append(cuboid)
    groups = list(of_groups)
    places = [(place, cuboid) for place, of_group in enumerate(of_groups.values()) for cuboid in of_group]
    values = ", ".join(f"${number}::int[]" for number in range(4, 4 + len(DIMENSIONS)))
    grouped = ", ".join(f"c.{name}" for name in names)
    sets = ", ".join(f"({', '.join(('s.id', 'c.bin', *(f'c.{name}' for name in group)))})" for group in groups)
    place_of = " ".join(f"WHEN {_grouping(names, group)} THEN {place}" for place, group in enumerate(groups))
    total = [place for place, cuboid in places if cuboid == TOTAL]
    stored = _worth_storing("one.spread", "k.size", "$3")
    return _with_store(f"""
        WITH k AS (
            SELECT * FROM unnest($1::bigint[], $2::bigint[], {values}) AS k (id, size, {", ".join(DIMENSIONS)})
        ), counted AS (
            SELECT s.id, {f"CASE grouping({grouped}) {place_of} END" if names else "0"} AS place,
                {_group_value(names, groups, 0)} AS first, {_group_value(names, groups, 1)} AS second, c.bin,
                {COUNT if equal_bins else SUMS}
            FROM seals s CROSS JOIN LATERAL ({OF_SPAN}) c
            WHERE s.id = ANY($1::bigint[])
            GROUP BY GROUPING SETS ({sets})
        ), sized AS (
            SELECT *, count(*) OVER (PARTITION BY id, place) AS spread FROM counted
        ), one AS (
            SELECT id, place, first, second, min(spread) AS spread, {FROM_BINS if equal_bins else SUMMED},
                count(*) OVER (PARTITION BY id, place) AS groups
            FROM sized one JOIN k USING (id)
            WHERE place = ANY('{{{", ".join(map(str, total))}}}') OR {stored}
            GROUP BY id, place, first, second
        ), grouped AS (
            SELECT id, a.cuboid, {_cuboid_value(groups, places, 0)} AS value, {_cuboid_value(groups, places, 1)} AS second,
                bins, counts, total, squares, groups
            FROM one
            JOIN (VALUES {", ".join(f"({place}, {cuboid.number})" for place, cuboid in places)}) a (place, cuboid) USING (place)
            JOIN k USING (id)
            WHERE a.cuboid = {TOTAL.number} OR {stored}
        )
    """)  # noqa: S608


def _grouping(names: Sequence[str], group: Sequence[str]) -> int:
    """The value of `grouping()` over `names` in a group: a bit for each of them, the first one highest, 0 if the group has it."""
    return sum(2 ** (len(names) - 1 - place) for place, name in enumerate(names) if name not in group)


def _group_value(names: Sequence[str], groups: Sequence[tuple[str, ...]], column: int) -> str:
    """SQL of the value of the first (0) or the second dimension (1) of a row's group."""
    cases = [f"WHEN {_grouping(names, group)} THEN c.{group[column]}" for group in groups if len(group) > column]
    return f"CASE grouping({', '.join(f'c.{name}' for name in names)}) {' '.join(cases)} END" if cases else "NULL::int"


def _cuboid_value(groups: Sequence[tuple[str, ...]], places: Sequence[tuple[int, Cuboid]], column: int) -> str:
    """SQL of the first (0) or the second value (1) of a cuboid: one of the group's, or the one that the whole span has."""
    cases = []
    for place, cuboid in places:
        if len(cuboid.dimensions) > column:
            name, group = cuboid.dimensions[column], groups[place]
            value = f"one.{('first', 'second')[group.index(name)]}" if name in group else f"k.{name}"
            cases.append(f"WHEN {cuboid.number} THEN {value}")
    return f"CASE a.cuboid {' '.join(cases)} END" if cases else "NULL::int"


# --- multi-valued cuboids ---------------------------------------------------------------------------------------------------
@lru_cache(maxsize=64)
def count_multi_valued(cuboids: int, *, equal_bins: bool) -> str:
    """The statement that counts seals ($1) by the multi-valued cuboids in the mask `cuboids`.

    A contribution counts in one row for each of its values; without a value, in one. The numbers of contributions of the spans
    are $2, and $3 is how many bins a cuboid may have for each of them. `equal_bins`: the bins are the amounts.
    """
    selected = [cuboid for cuboid in CUBOIDS if cuboid.multi_valued and cuboids & cuboid.bit]
    counted = " UNION ALL ".join(_count_values(cuboid, COUNT if equal_bins else SUMS) for cuboid in selected)
    return _with_store(f"""
        WITH k AS (
            SELECT * FROM unnest($1::bigint[], $2::bigint[]) AS k (id, size)
        ), sized AS (
            SELECT *, count(*) OVER (PARTITION BY id, cuboid) AS spread FROM ({counted}) counted
        ), grouped AS (
            SELECT id, cuboid, value, second, {FROM_BINS if equal_bins else SUMMED},
                count(*) OVER (PARTITION BY id, cuboid) AS groups
            FROM sized JOIN k USING (id)
            WHERE {_worth_storing("spread", "k.size", "$3")}
            GROUP BY id, cuboid, value, second
        )
    """)  # noqa: S608


def _count_values(cuboid: Cuboid, sums: str) -> str:
    """SQL that counts contributions once under each value of the multi-valued dimension of a cuboid."""
    multi = next(name for name in cuboid.dimensions if name in MULTI_VALUED)
    array = f"c.{MULTI_VALUED[multi]}"
    first, second = (*(f"c.{name}" if name != multi else "c.term" for name in cuboid.dimensions), "NULL::int")[:2]
    others = "".join(f", c.{name}" for name in cuboid.dimensions if name != multi)
    terms = f"CASE WHEN cardinality({array}) > 0 THEN {array} ELSE '{{NULL}}' END"
    return f"""
        SELECT c.id, {cuboid.number} AS cuboid, {first} AS value, {second} AS second, c.bin, {sums}
        FROM (
            SELECT s.id, c.bin, c.amount{others}, unnest({terms}) AS term
            FROM seals s CROSS JOIN LATERAL ({OF_SPAN}) c
            WHERE s.id = ANY($1::bigint[])
        ) c
        GROUP BY 1, 3, 4, 5
    """  # noqa: S608


# --- months -----------------------------------------------------------------------------------------------------------------
DAYS_OF_MONTH = f"""
    d.tenant = s.tenant AND d.measure = s.measure AND d.zone = s.zone AND d.level = {Level.DAY:d}
    AND d.starts >= s.starts AND d.starts < s.ends AND d.ends <= s.ends
"""

COUNT_MONTHS = _with_store(
    GROUPED.format(
        counted=f"""
        SELECT s.id, h.cuboid, h.value, h.second, u.bin, sum(u.n)::bigint AS n,
            sum(CASE u.place WHEN 1 THEN h.total ELSE 0 END) AS total,
            sum(CASE u.place WHEN 1 THEN h.squares ELSE 0 END) AS squares
        FROM unnest($1::bigint[], $2::bigint[]) AS k (id, held)
        JOIN seals s USING (id)
        JOIN seals d ON {DAYS_OF_MONTH}
        JOIN histograms h ON h.seal_id = d.id AND (k.held >> h.cuboid) & 1 = 1
        CROSS JOIN LATERAL unnest(h.bins, h.counts) WITH ORDINALITY AS u (bin, n, place)
        GROUP BY s.id, h.cuboid, h.value, h.second, u.bin
    """  # noqa: S608
    )
)
"""Months as the sums of their days, each by the cuboids in a mask ($2), which all of its days hold."""

WHOLE_MONTHS = f"""
    SELECT s.id, m.name, days.held, days.wide
    FROM seals s JOIN measures m ON m.id = s.measure CROSS JOIN LATERAL (
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
