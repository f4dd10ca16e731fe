"""Subjects + scores → contributions → sealed histograms: all of it computed again, in plain Python, in one snapshot."""

from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import product
from operator import attrgetter
from zoneinfo import ZoneInfo

import asyncpg

from services.metrics.domain.calendar import Grain, edges
from services.metrics.domain.contributions import Contribution
from services.metrics.domain.cuboids import CUBOIDS, FEWEST, MOST_VALUES, Cuboid
from services.metrics.domain.histogram import Histogram, count
from services.metrics.domain.measure import family_of
from services.metrics.domain.measures import SCORED_FAMILIES
from services.metrics.store.seals import HELD_BEFORE, REVISIONS, Level
from services.metrics.store.stored_rows import STORED, difference, plain, read_contributions, sorted_names
from services.metrics.store.subjects import Subject, load
from services.metrics.store.terms import read_terms
from services.metrics.store.writer import fold
from services.metrics.verify.report import Step

AT_ONCE = 1000
"""Subjects looked at in one go."""

GRAINS: dict[Level, Grain] = {Level.HOUR: "PT1H", Level.DAY: "P1D", Level.MONTH: "P1M"}


SEALS = """
    SELECT s.id, s.level, s.zone, s.starts, s.ends, CASE s.held_by WHEN s.id THEN s.held END AS held FROM seals s
    WHERE s.tenant = $1 AND s.measure = $2 AND s.state = 'sealed' AND s.revision = ANY($3::smallint[])
"""

SEALED = """
    SELECT h.seal_id, h.cuboid, one.term, h.value IS NOT NULL AND one.term IS NULL AS unknown,
        two.term AS second, h.second IS NOT NULL AND two.term IS NULL AS unknown_second, h.bins, h.counts, h.total, h.squares
    FROM seals s JOIN histograms h ON h.seal_id = s.id
    LEFT JOIN terms one ON one.id = h.value LEFT JOIN terms two ON two.id = h.second
    WHERE s.tenant = $1 AND s.measure = $2 AND s.state = 'sealed' AND s.revision = ANY($3::smallint[])
"""

Groups = dict[tuple[str | None, ...], Histogram]
"""The histograms of a cuboid by the values of its dimensions."""


@dataclass(slots=True)
class Recount:
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


async def compare_contributions(connection: asyncpg.Connection, tenant: int, step: Step) -> Recount:
    """Compare the contributions of every subject of `tenant`. Returns the expected ones."""
    recount, after, subjects = Recount(tenant), 0, 0
    terms = await read_terms(connection, tenant)
    while True:
        query = "SELECT id, tenant, subject FROM subjects WHERE tenant = $1 AND id > $2 ORDER BY id LIMIT $3"
        page = [
            Subject(number, owner, name, fresh=False)
            for number, owner, name in await connection.fetch(query, tenant, after, AT_ONCE)
        ]
        if not page:
            break
        await load(connection, page)
        stored = await read_contributions(connection, page)
        for subject in page:
            expected = fold(subject, terms)
            for contribution in expected:
                recount.by_measure[contribution.measure].append(contribution)
            step.differences += difference(subject, Counter(map(plain, expected)), stored[subject.id])
        after, subjects = page[-1].id, subjects + len(page)
    orphans = await connection.fetchval(
        "SELECT count(*) FROM contributions c"
        " WHERE tenant = $1 AND NOT EXISTS (SELECT FROM subjects s WHERE s.id = c.subject_id)",
        tenant,
    )
    if orphans:
        step.differences.append(f"{orphans:,} contributions belong to no subject")
    for rows in recount.by_measure.values():
        rows.sort(key=attrgetter("at"))
    step.compared = f"{sum(map(len, recount.by_measure.values())):,} contributions of {subjects:,} subjects"
    return recount


async def stored_recount(connection: asyncpg.Connection, tenant: int, measures: Sequence[str]) -> Recount:
    """The contributions of some measures as they are stored now."""
    query = STORED.replace(
        "c.subject_id = ANY($1)", "c.tenant = $1 AND (m.name = ANY($2) OR split_part(m.name, ':', 1) || ':' = ANY($2))"
    )
    recount = Recount(tenant)
    for _, _, _, measure, at, place, amount, *dims, customer, themes, urgency, own in await connection.fetch(
        query, tenant, list(measures)
    ):
        names = sorted_names(themes), sorted_names(urgency)
        recount.by_measure[measure].append(
            Contribution(measure, at, place, amount, tuple(dims), customer, *names, tuple(own or ()))
        )
    for rows in recount.by_measure.values():
        rows.sort(key=attrgetter("at"))
    return recount


async def compare_sealed(connection: asyncpg.Connection, recount: Recount, step: Step) -> None:
    """Compare every sealed histogram of a tenant with the contributions of its span."""
    seals = histograms = 0
    measures = await connection.fetch("SELECT id, name FROM measures WHERE tenant = $1 ORDER BY name", recount.tenant)
    for number, measure in measures:
        key = (recount.tenant, number, REVISIONS)
        sealed: defaultdict[int, defaultdict[int, Groups]] = defaultdict(lambda: defaultdict(dict))
        for seal, cuboid, value, unknown, second, unknown_second, bins, counts, total, squares in await connection.fetch(
            SEALED, *key
        ):
            values = ("?" if unknown else value, "?" if unknown_second else second)
            groups = sealed[seal][cuboid]
            if values in groups:
                step.differences.append(f"{measure}: a histogram is there twice")
            groups[values] = Histogram(dict(zip(bins, counts, strict=True)), int(total), int(squares))
            histograms += 1
        for seal, level, zone, starts, ends, held in await connection.fetch(SEALS, *key):
            seals += 1
            span = f"{measure} {Level(level).name.lower()} {starts.isoformat()}"
            if edges(GRAINS[level], ZoneInfo(zone), starts, ends) != [starts, ends]:
                step.differences.append(f"{span}: no span of {zone}")
            rows = recount.between(measure, starts, ends)
            mask = HELD_BEFORE[level] if held is None else held
            for cuboid_of in cuboids_of(measure):
                expected = grouped(rows, cuboid_of)
                if mask & cuboid_of.bit == 0:
                    if len(rows) >= FEWEST and len(expected) <= MOST_VALUES and level != Level.MONTH and held is not None:
                        step.differences.append(f"{span}: lacks {' × '.join(cuboid_of.dimensions) or 'the total'}")
                elif expected != sealed[seal][cuboid_of.number]:
                    step.differences.append(f"{span}: counted wrongly by {' × '.join(cuboid_of.dimensions) or 'nothing'}")
    step.compared = f"{seals:,} seals with {histograms:,} histograms"


def cuboids_of(measure: str) -> list[Cuboid]:
    """The cuboids that a seal of the measure should hold."""
    scored = family_of(measure) in SCORED_FAMILIES
    return [cuboid for cuboid in CUBOIDS if scored or not cuboid.multi_valued]


def grouped(rows: Sequence[Contribution], cuboid: Cuboid) -> Groups:
    """The histograms of a cuboid. A cuboid of one dimension has None as its second value, the total has two."""
    pairs: defaultdict[tuple[str | None, ...], list[tuple[int, int]]] = defaultdict(list)
    for row in rows:
        for values in product(*(row.values(dimension) for dimension in cuboid.dimensions)):
            pairs[(*values, None, None)[:2]].append((row.bin, row.amount))
    return {values: count(several) for values, several in pairs.items()}
