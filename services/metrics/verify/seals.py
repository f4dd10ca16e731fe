"""The part of a verification beside running services that compares sealed histograms."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import accumulate

import asyncpg

from services.metrics.domain.contributions import Contribution
from services.metrics.domain.cuboids import TOTAL
from services.metrics.domain.histogram import EMPTY, merge
from services.metrics.store.seals import REVISIONS, Level
from services.metrics.store.stored_rows import stored_rows
from services.metrics.store.verifications import ComparedPiece, VerificationRun
from services.metrics.verify.pieces import is_sampled, snapshot_of
from services.metrics.verify.recount import (
    CheckedSpan,
    CountedSpan,
    RecomputedContributions,
    Sealed,
    count_by_cuboids,
    read_sealed,
    seal_differences,
)

SEALS, ROWS = 500, 20_000
"""Seals of a piece, and contributions in memory. Of a span with more of them CHUNK are held at a time."""
CHUNK = 2_000

NEXT_SEALS = """
    SELECT s.id, s.measure, m.name, s.level, s.zone, s.starts, s.ends, CASE s.held_by WHEN s.id THEN s.held END
    FROM seals s JOIN measures m ON m.id = s.measure
    WHERE s.tenant = $1 AND (s.measure, s.level, s.starts, s.zone) > ($2, $3, $4, $5)
        AND s.state = 'sealed' AND s.revision = ANY($6::smallint[]) AND m.tenant = s.tenant AND NOT m.retired
    ORDER BY s.measure, s.level, s.starts, s.zone LIMIT $7
"""
FIRST = (0, 0, datetime(1, 1, 1, tzinfo=UTC), "")


@dataclass(frozen=True, slots=True)
class CheckedSeal:
    """A sealed span, with the numbers under which the seal and its measure are stored."""

    id: int
    measure: int
    span: CheckedSpan

    @property
    def place(self) -> str:
        """The key of its row, as the place of a run."""
        return json.dumps([self.measure, self.span.level, self.span.starts.isoformat(), self.span.zone])


async def compare_next_seals(pool: asyncpg.Pool, run: VerificationRun) -> ComparedPiece:
    """Compare the histograms of the next sealed spans, all of one measure and level, with the stored contributions."""
    async with snapshot_of(pool, run.tenant) as connection:
        rows = await connection.fetch(NEXT_SEALS, run.tenant, *parse_place(run.place), REVISIONS, SEALS)
        if not rows:
            return ComparedPiece()
        following = [
            CheckedSeal(number, measure, CheckedSpan(name, Level(level), *rest)) for number, measure, name, level, *rest in rows
        ]
        seals = [seal for seal in following if (seal.measure, seal.span.level) == (following[0].measure, following[0].span.level)]
        sealed, repeated = await read_sealed(connection, [seal.id for seal in seals])
        seals = seals_in_memory(seals, sealed)
        chosen = [seal for seal in seals if is_sampled(run, seal.place)]
        differences = [f"{seals[0].span.measure}: a histogram is there twice"] * repeated
        for seal, counted in await count_spans(connection, run.tenant, chosen, sealed):
            differences += seal_differences(seal.span, counted, sealed.get(seal.id, {}))
        return ComparedPiece(seals[-1].place, seals=len(chosen), differences=differences)


def seals_in_memory(seals: Sequence[CheckedSeal], sealed: Mapping[int, Sealed]) -> list[CheckedSeal]:
    """The first of these seals, as many as have ROWS contributions together by their histograms; at least one."""
    sizes = accumulate(size_of(seal, sealed) for seal in seals)
    return [seal for place, (seal, size) in enumerate(zip(seals, sizes, strict=True)) if place == 0 or size <= ROWS]


def size_of(seal: CheckedSeal, sealed: Mapping[int, Sealed]) -> int:
    """The number of contributions of a span, by its histogram."""
    return sum(histogram.n for histogram in sealed.get(seal.id, {}).get(TOTAL.number, {}).values())


async def count_spans(
    connection: asyncpg.Connection, tenant: int, seals: Sequence[CheckedSeal], sealed: Mapping[int, Sealed]
) -> list[tuple[CheckedSeal, CountedSpan]]:
    """The contributions of the spans of seals of one measure."""
    if not seals:
        return []
    if size_of(seals[0], sealed) > ROWS:
        return [(seals[0], await count_span(connection, tenant, seals[0]))]
    start, end = min(seal.span.starts for seal in seals), max(seal.span.ends for seal in seals)
    recount = RecomputedContributions(tenant)
    recount.add([row async for row in stored_rows(connection, tenant, seals[0].measure, start, end)])
    recount.sort()
    spans = [(seal, seal.span) for seal in seals]
    return [(seal, count_by_cuboids(s.measure, recount.between(s.measure, s.starts, s.ends))) for seal, s in spans]


async def count_span(connection: asyncpg.Connection, tenant: int, seal: CheckedSeal) -> CountedSpan:
    """The contributions of one span. Holds CHUNK of them at a time."""
    measure = seal.span.measure
    total = count_by_cuboids(measure, ())
    chunk: list[Contribution] = []
    async for row in stored_rows(connection, tenant, seal.measure, seal.span.starts, seal.span.ends):
        chunk.append(row)
        if len(chunk) == CHUNK:
            total, chunk = added(total, count_by_cuboids(measure, chunk)), []
    return added(total, count_by_cuboids(measure, chunk))


def added(one: CountedSpan, other: CountedSpan) -> CountedSpan:
    """The sum of two counts."""
    groups = {
        number: of_one | {key: merge(of_one.get(key, EMPTY), more) for key, more in other.groups[number].items()}
        for number, of_one in one.groups.items()
    }
    return CountedSpan(one.rows + other.rows, groups)


def parse_place(place: str) -> tuple[int, int, datetime, str]:
    """The key after which the next seals come."""
    if not place:
        return FIRST
    measure, level, starts, zone = json.loads(place)
    return measure, level, datetime.fromisoformat(starts), zone
