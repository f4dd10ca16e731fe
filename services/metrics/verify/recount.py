"""Subjects + scores → contributions → sealed histograms: all of it computed again, in plain Python, in one snapshot."""

from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from operator import attrgetter
from typing import Any
from zoneinfo import ZoneInfo

import asyncpg

from services.metrics.domain.calendar import Grain, edges
from services.metrics.domain.contributions import Contribution
from services.metrics.domain.histogram import Histogram, count
from services.metrics.domain.measure import MULTI_VALUED, family_of
from services.metrics.domain.measures import SCORED_FAMILIES
from services.metrics.store.seals import CUBOIDS, CUBOIDS_REVISION, Level
from services.metrics.store.subjects import Subject, load
from services.metrics.store.terms import read_terms
from services.metrics.store.writer import fold
from services.metrics.verify.report import Step
from shared.events import DIMENSIONS

AT_ONCE = 1000
"""Subjects looked at in one go."""

GRAINS: dict[Level, Grain] = {Level.HOUR: "PT1H", Level.DAY: "P1D", Level.MONTH: "P1M"}


def _names(column: str) -> str:
    return f"(SELECT array_agg(t.term) FROM unnest(c.{column}) AS v (id) LEFT JOIN terms t USING (id))"  # noqa: S608


STORED = f"""
    SELECT c.subject_id, c.tenant, m.tenant, m.name, c.at, c.bin, c.amount,
        {", ".join(f"{d}_.term" for d in DIMENSIONS)}, cu.pseudonym,
        {", ".join(map(_names, MULTI_VALUED.values()))},
        (SELECT array_agg(t.term ORDER BY v.place)
         FROM unnest(c.own) WITH ORDINALITY AS v (id, place) LEFT JOIN terms t USING (id))
    FROM contributions c
    LEFT JOIN measures m ON m.id = c.measure
    {" ".join(f"LEFT JOIN terms {d}_ ON {d}_.id = c.{d}" for d in DIMENSIONS)}
    LEFT JOIN customers cu ON cu.id = c.customer
    WHERE c.subject_id = ANY($1) AND coalesce(m.tenant, 0) <> -c.tenant
"""  # noqa: S608
"""Contributions of the served generation; those of a build that is running, or was finished, are in no answer."""

SEALS = """
    SELECT s.id, s.level, s.zone, s.starts, s.ends FROM seals s
    WHERE s.tenant = $1 AND s.measure = $2 AND s.state = 'sealed' AND s.revision = $3
"""

SEALED = """
    SELECT h.seal_id, h.cuboid, t.term, h.value IS NOT NULL AND t.term IS NULL AS unknown, h.bins, h.counts, h.total, h.squares
    FROM seals s JOIN histograms h ON h.seal_id = s.id LEFT JOIN terms t ON t.id = h.value
    WHERE s.tenant = $1 AND s.measure = $2 AND s.state = 'sealed' AND s.revision = $3
"""

Cuboids = dict[tuple[int, str | None], Histogram]


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


Plain = tuple[object, ...]


def plain(c: Contribution) -> Plain:
    """A contribution as a tuple that can be compared with a stored row."""
    return c.measure, c.at, c.bin, c.amount, *c.dims, c.customer, c.themes, c.urgency, c.own


def stored_plain(row: Iterable[Any]) -> Plain:
    """The last columns of a row of STORED, from the measure on, in the form of `plain`. A deleted name is "?"."""
    *values, themes, urgency, own = row
    return (*values, sorted_names(themes), sorted_names(urgency), tuple(own or ()))


def sorted_names(names: Iterable[str | None] | None) -> tuple[str, ...]:
    """Names of a multi-valued dimension in order; deleted ones are "?"."""
    return tuple(sorted("?" if name is None else name for name in names or ()))


async def read_contributions(connection: asyncpg.Connection, subjects: Iterable[Subject]) -> defaultdict[int, Counter[Plain]]:
    """The stored contributions of each subject, with names. A row of another tenant or its measure is marked as astray."""
    tenant_of = {subject.id: subject.tenant for subject in subjects}
    stored: defaultdict[int, Counter[Plain]] = defaultdict(Counter)
    for subject, tenant, owner, *row in await connection.fetch(STORED, list(tenant_of)):
        astray = tenant != tenant_of[subject] or owner != tenant
        values = stored_plain(row)
        stored[subject][(*values, "astray") if astray else values] += 1
    return stored


def difference(subject: Subject, expected: Counter[Plain], stored: Counter[Plain]) -> list[str]:
    """One line if the contributions of a subject differ."""
    missing, surplus = (expected - stored).total(), (stored - expected).total()
    return [f"{subject.name}: {missing} contributions missing, {surplus} too many"] if missing or surplus else []


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
        key = (recount.tenant, number, CUBOIDS_REVISION)
        sealed: defaultdict[int, Cuboids] = defaultdict(dict)
        for seal, cuboid, value, unknown, bins, counts, total, squares in await connection.fetch(SEALED, *key):
            key_of = cuboid, ("?" if unknown else value)
            if key_of in sealed[seal]:
                step.differences.append(f"{measure}: a histogram is there twice")
            sealed[seal][key_of] = Histogram(dict(zip(bins, counts, strict=True)), int(total), int(squares))
            histograms += 1
        for seal, level, zone, starts, ends in await connection.fetch(SEALS, *key):
            seals += 1
            expected = cuboids(measure, recount.between(measure, starts, ends), Level(level))
            if edges(GRAINS[level], ZoneInfo(zone), starts, ends) != [starts, ends]:
                step.differences.append(f"{measure} {Level(level).name.lower()} {starts.isoformat()}: no span of {zone}")
            if expected != sealed[seal]:
                step.differences.append(f"{measure} {Level(level).name.lower()} {starts.isoformat()}: counted wrongly")
    step.compared = f"{seals:,} seals with {histograms:,} histograms"


def cuboids(measure: str, rows: Sequence[Contribution], level: Level) -> Cuboids:
    """The histograms that a seal should have: of hours the total alone."""
    pairs: defaultdict[tuple[int, str | None], list[tuple[int, int]]] = defaultdict(list)
    scored = family_of(measure) in SCORED_FAMILIES
    for number, dimension in CUBOIDS.items():
        if dimension is None or (level is not Level.HOUR and (scored or dimension not in MULTI_VALUED)):
            for row in rows:
                for value in row.values(dimension) if dimension else (None,):
                    pairs[number, value].append((row.bin, row.amount))
    return {key: count(several) for key, several in pairs.items()}
