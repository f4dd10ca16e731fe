"""Subjects + scores → contributions → sealed histograms: all of it computed again, in plain Python, in one snapshot."""

import asyncio
from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from itertools import product
from operator import attrgetter
from zoneinfo import ZoneInfo

import asyncpg

from services.metrics.domain.calendar import Grain, edges
from services.metrics.domain.contributions import Contribution
from services.metrics.domain.cuboids import CUBOIDS, FEWEST, MOST_BINS, MOST_VALUES, TOTAL, Cuboid
from services.metrics.domain.histogram import Histogram, count
from services.metrics.domain.measure import family_of
from services.metrics.domain.measures import SCORED_FAMILIES
from services.metrics.domain.terms import Terms
from services.metrics.store.derivation import InvalidSubject, fold
from services.metrics.store.seals import HELD_BEFORE, REVISIONS, Level
from services.metrics.store.stored_rows import STORED, Plain, contribution_of, difference, plain, read_contributions
from services.metrics.store.subjects import Subject, load
from services.metrics.store.terms import read_terms
from services.metrics.verify.report import VerifyStep

AT_ONCE = 1000
"""Subjects looked at in one go."""

SINGLE_VALUED = [cuboid for cuboid in CUBOIDS if not cuboid.multi_valued]
"""The cuboids of measures whose contributions have one value of each dimension."""

GRAINS: dict[Level, Grain] = {Level.HOUR: "PT1H", Level.DAY: "P1D", Level.MONTH: "P1M"}


SEALS = """
    SELECT s.id, s.level, s.zone, s.starts, s.ends, CASE s.held_by WHEN s.id THEN s.held END AS held FROM seals s
    WHERE s.tenant = $1 AND s.measure = $2 AND s.state = 'sealed' AND s.revision = ANY($3::smallint[])
"""

SEALED = """
    SELECT h.seal_id, h.cuboid, one.term, h.value IS NOT NULL AND one.term IS NULL AS unknown,
        two.term AS second, h.second IS NOT NULL AND two.term IS NULL AS unknown_second, h.bins, h.counts, h.total, h.squares
    FROM histograms h LEFT JOIN terms one ON one.id = h.value LEFT JOIN terms two ON two.id = h.second
    WHERE h.seal_id = ANY($1::bigint[])
"""

Groups = dict[tuple[str | None, ...], Histogram]
"""The histograms of a cuboid by the values of its dimensions."""

Sealed = dict[int, Groups]
"""The histograms of a seal, by the number of their cuboid."""


@dataclass(frozen=True, slots=True)
class CheckedSpan:
    """A sealed span of a measure. `held`: the mask of the cuboids that its seal holds; None if an earlier version counted it."""

    measure: str
    level: Level
    zone: str
    starts: datetime
    ends: datetime
    held: int | None


@dataclass(frozen=True, slots=True)
class CountedSpan:
    """The number of contributions of a span, and what each cuboid of its measure makes of them."""

    rows: int
    groups: Sealed


@dataclass(slots=True)
class RecomputedContributions:
    """A tenant's contributions, computed again: by measure, in order of their times."""

    tenant: int
    by_measure: defaultdict[str, list[Contribution]] = field(default_factory=lambda: defaultdict(list))

    def of(self, measures: Sequence[str]) -> list[str]:
        """The measures that these names mean; one that ends in a colon means its family."""
        return [name for name in self.by_measure if name in measures or f"{name.partition(':')[0]}:" in measures]

    def between(self, measure: str, start: datetime, end: datetime) -> Sequence[Contribution]:
        """Those of a measure in [start, end)."""
        rows = self.by_measure.get(measure, [])
        low, high = (bisect_left(rows, at, key=attrgetter("at")) for at in (start, end))
        return rows[low:high]

    def add(self, contributions: Iterable[Contribution]) -> None:
        """Add contributions in any order; `sort` must follow."""
        for contribution in contributions:
            self.by_measure[contribution.measure].append(contribution)

    def sort(self) -> None:
        """Order the contributions by their times."""
        for rows in self.by_measure.values():
            rows.sort(key=attrgetter("at"))


async def compare_contributions(connection: asyncpg.Connection, tenant: int, step: VerifyStep) -> RecomputedContributions:
    """Compare the contributions of every subject of `tenant`. Returns the expected ones."""
    recount, after, subjects = RecomputedContributions(tenant), 0, 0
    terms = await read_terms(connection, tenant)
    while True:
        query = "SELECT id, tenant, subject FROM subjects WHERE tenant = $1 AND id > $2 ORDER BY id LIMIT $3"
        page = [
            Subject(number, owner, name, fresh=False)
            for number, owner, name in await connection.fetch(query, tenant, after, AT_ONCE)
        ]
        if not page:
            break
        expected, differences = await compare_page(connection, page, terms)
        recount.add(expected)
        step.differences += differences
        after, subjects = page[-1].id, subjects + len(page)
    step.differences += await orphans(connection, tenant)
    recount.sort()
    step.compared = f"{sum(map(len, recount.by_measure.values())):,} contributions of {subjects:,} subjects"
    return recount


async def compare_page(
    connection: asyncpg.Connection, page: Sequence[Subject], terms: Terms
) -> tuple[list[Contribution], list[str]]:
    """Compare the contributions of some subjects of a tenant. Returns the expected ones, and the differences."""
    await load(connection, page, mark_unreadable=True)
    stored = await read_contributions(connection, page)
    return await asyncio.to_thread(derive_and_compare, page, terms, stored)


def derive_and_compare(
    page: Iterable[Subject], terms: Terms, stored: Mapping[int, Counter[Plain]]
) -> tuple[list[Contribution], list[str]]:
    """Derive the contributions of loaded subjects and compare them with the stored ones. Pure; run it in a thread.

    A subject that can't be folded is a difference.
    """
    contributions: list[Contribution] = []
    differences: list[str] = []
    for subject in page:
        try:
            expected = fold(subject, terms)
        except InvalidSubject as error:
            differences.append(f"{subject.name}: {error.reason}")
            continue
        contributions += expected
        differences += difference(subject, Counter(map(plain, expected)), stored.get(subject.id, Counter()))
    return contributions, differences


async def orphans(connection: asyncpg.Connection, tenant: int) -> list[str]:
    """One line if contributions of the tenant belong to no subject. Reads all of them."""
    count = await connection.fetchval(
        "SELECT count(*) FROM contributions c"
        " WHERE tenant = $1 AND NOT EXISTS (SELECT FROM subjects s WHERE s.id = c.subject_id)",
        tenant,
    )
    return [f"{count:,} contributions belong to no subject"] if count else []


async def stored_recount(connection: asyncpg.Connection, tenant: int, measures: Sequence[str]) -> RecomputedContributions:
    """The contributions of some measures as they are stored now."""
    query = STORED.replace(
        "c.subject_id = ANY($1)", "c.tenant = $1 AND (m.name = ANY($2) OR split_part(m.name, ':', 1) || ':' = ANY($2))"
    )
    recount = RecomputedContributions(tenant)
    recount.add(contribution_of(row) for row in await connection.fetch(query, tenant, list(measures)))
    recount.sort()
    return recount


async def compare_sealed(connection: asyncpg.Connection, recount: RecomputedContributions, step: VerifyStep) -> None:
    """Compare every sealed histogram of a tenant with the contributions of its span."""
    seals = histograms = 0
    measures = await connection.fetch("SELECT id, name FROM measures WHERE tenant = $1 ORDER BY name", recount.tenant)
    for number, measure in measures:
        rows = await connection.fetch(SEALS, recount.tenant, number, REVISIONS)
        sealed, repeated = await read_sealed(connection, [row["id"] for row in rows])
        step.differences += [f"{measure}: a histogram is there twice"] * repeated
        seals, histograms = seals + len(rows), histograms + repeated
        for seal, level, zone, starts, ends, held in rows:
            span = CheckedSpan(measure, Level(level), zone, starts, ends, held)
            counted = count_by_cuboids(measure, recount.between(measure, starts, ends))
            step.differences += seal_differences(span, counted, sealed.get(seal, {}))
            histograms += sum(map(len, sealed.get(seal, {}).values()))
    step.compared = f"{seals:,} seals with {histograms:,} histograms"


async def read_sealed(connection: asyncpg.Connection, seals: Sequence[int]) -> tuple[dict[int, Sealed], int]:
    """The stored histograms of each seal, and how many of them are there twice."""
    sealed: defaultdict[int, defaultdict[int, Groups]] = defaultdict(lambda: defaultdict(dict))
    repeated = 0
    for seal, cuboid, value, unknown, second, unknown_second, bins, counts, total, squares in await connection.fetch(
        SEALED, seals
    ):
        values = ("?" if unknown else value, "?" if unknown_second else second)
        groups = sealed[seal][cuboid]
        repeated += values in groups
        groups[values] = Histogram(dict(zip(bins, counts, strict=True)), int(total), int(squares))
    return {seal: dict(groups) for seal, groups in sealed.items()}, repeated


def seal_differences(span: CheckedSpan, counted: CountedSpan, sealed: Sealed) -> list[str]:
    """One line for each way in which the seal of a span is wrong."""
    name = f"{span.measure} {span.level.name.lower()} {span.starts.isoformat()}"
    differences = [] if is_span(span.level, span.zone, span.starts, span.ends) else [f"{name}: no span of {span.zone}"]
    mask = HELD_BEFORE[span.level] if span.held is None else span.held
    whole = counted.rows >= FEWEST and span.level != Level.MONTH and span.held is not None
    for cuboid in cuboids_of(span.measure):
        expected = counted.groups[cuboid.number]
        if mask & cuboid.bit == 0:
            bins = sum(len(histogram.counts) for histogram in expected.values())
            stored = cuboid == TOTAL or (bins <= counted.rows * MOST_BINS and len(expected) <= MOST_VALUES)
            if whole and stored:
                differences.append(f"{name}: lacks {' × '.join(cuboid.dimensions) or 'the total'}")
        elif expected != sealed.get(cuboid.number, {}):
            differences.append(f"{name}: counted wrongly by {' × '.join(cuboid.dimensions) or 'nothing'}")
    return differences


@lru_cache(maxsize=10_000)
def is_span(level: Level, zone: str, starts: datetime, ends: datetime) -> bool:
    """Whether an hour, day or month of the zone has these bounds. Cached: all measures of a tenant have the same spans."""
    return edges(GRAINS[level], ZoneInfo(zone), starts, ends) == [starts, ends]


def count_by_cuboids(measure: str, rows: Sequence[Contribution]) -> CountedSpan:
    """Count contributions by the cuboids of their measure."""
    return CountedSpan(len(rows), {cuboid.number: grouped(rows, cuboid) for cuboid in cuboids_of(measure)})


def cuboids_of(measure: str) -> Sequence[Cuboid]:
    """The cuboids that a seal of the measure should hold."""
    return CUBOIDS if family_of(measure) in SCORED_FAMILIES else SINGLE_VALUED


def grouped(rows: Sequence[Contribution], cuboid: Cuboid) -> Groups:
    """The histograms of a cuboid. A cuboid of one dimension has None as its second value, the total has two."""
    if not rows:
        return {}
    pairs: defaultdict[tuple[str | None, ...], list[tuple[int, int]]] = defaultdict(list)
    for row in rows:
        for values in product(*(row.values(dimension) for dimension in cuboid.dimensions)):
            pairs[(*values, None, None)[:2]].append((row.bin, row.amount))
    return {values: count(several) for values, several in pairs.items()}
