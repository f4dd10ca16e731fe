"""Count the contributions of spans by cuboids, and store the histograms: the third step of `services.metrics.store.counting`.

The total is counted first. It says which spans have so many contributions, in so few bins, that cuboids are worth storing, and in
which dimensions the contributions of a measure differ. Only by these are they counted further.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from itertools import chain
from typing import NamedTuple

import asyncpg

from services.metrics.domain.cuboids import (
    ALL_CUBOIDS,
    CUBOIDS,
    FEWEST,
    MOST_BINS,
    MOST_VALUES,
    SINGLE_VALUED_CUBOIDS,
    TOTAL,
    Cuboid,
)
from services.metrics.domain.measure import MULTI_VALUED, family_of
from services.metrics.domain.measures import EQUAL_BIN_FAMILIES, SCORED_FAMILIES
from services.metrics.store.counting_statements import (
    BITS,
    COPY_EQUAL,
    FAMILIES,
    SMALL,
    STORED_TOTALS,
    Amounts,
    count_contributions,
    count_totals,
)

BY_DIMENSIONS = {cuboid.dimensions: cuboid for cuboid in CUBOIDS}
COUNTED_TOGETHER = (
    SINGLE_VALUED_CUBOIDS,
    *(sum(cuboid.bit for cuboid in CUBOIDS if name in cuboid.dimensions) for name in MULTI_VALUED),
)
"""Masks of the cuboids that one statement can count: all single-valued ones, and those of each multi-valued dimension."""


class Measured(NamedTuple):
    """The measure of a seal."""

    measure: int
    family: str

    def amounts(self, largest: int = SMALL + 1) -> Amounts:
        """The kind of its amounts, if none of them is larger than `largest`, positive or negative."""
        if self.family in EQUAL_BIN_FAMILIES:
            return Amounts.BINS
        return Amounts.SMALL if largest <= SMALL else Amounts.ANY

    @property
    def cuboids(self) -> int:
        """The mask of its cuboids."""
        return ALL_CUBOIDS if self.family in SCORED_FAMILIES else SINGLE_VALUED_CUBOIDS


class Copy(NamedTuple):
    """A cuboid that has the histograms of `source`, since its further dimensions have one value each.

    `place` is where its groups have the value of `source`: 1, 2, or 0 if that is the total.
    """

    source: Cuboid
    cuboid: Cuboid
    place: int


class Plan(NamedTuple):
    """How to get the histograms of a span: the mask of the cuboids to count by, and the copies of these."""

    counted: int
    copies: tuple[Copy, ...]


@lru_cache(maxsize=1024)
def plan(varying: int, cuboids: int) -> Plan:
    """The plan for the cuboids in a mask, except the total, where only the dimensions in the mask `varying` have several
    values."""
    counted, copies = 0, []
    for cuboid in CUBOIDS:
        if cuboid != TOTAL and cuboids & cuboid.bit:
            dimensions = tuple(name for name in cuboid.dimensions if varying & BITS[name])
            if dimensions == cuboid.dimensions:
                counted |= cuboid.bit
            else:
                place = cuboid.dimensions.index(dimensions[0]) + 1 if dimensions else 0
                copies.append(Copy(BY_DIMENSIONS[dimensions], cuboid, place))
    return Plan(counted, tuple(copies))


async def measures_of(connection: asyncpg.Connection, seals: Sequence[int]) -> dict[int, Measured]:
    """The measure of each seal."""
    rows = await connection.fetch(FAMILIES, list(seals))
    return {row["id"]: Measured(row["measure"], family_of(row["name"])) for row in rows}


async def count_by_cuboids(
    connection: asyncpg.Connection, seals: Mapping[int, int], measures: Mapping[int, Measured], held: Mapping[int, int]
) -> dict[int, int]:
    """Store the histograms of seals by the cuboids in the mask of each. `held` are those that are stored already.

    Returns for each seal with contributions the mask of its stored cuboids, `held` among them.
    """
    spans: list[asyncpg.Record] = []
    for amounts in (Amounts.BINS, Amounts.ANY):
        uncounted = [seal for seal, mask in seals.items() if mask & TOTAL.bit and measures[seal].amounts() is amounts]
        spans += await connection.fetch(count_totals(amounts), uncounted) if uncounted else []
    if already_counted := [seal for seal, mask in seals.items() if not mask & TOTAL.bit]:
        spans += await connection.fetch(STORED_TOTALS, already_counted)
    masks = {span["id"]: held.get(span["id"], 0) | seals[span["id"]] & TOTAL.bit for span in spans}
    spans = [span for span in spans if _may_have_cuboids(span)]
    varying: defaultdict[int, int] = defaultdict(int)
    for span in spans:
        varying[measures[span["id"]].measure] |= span["varying"]
    plans = {span["id"]: plan(varying[measures[span["id"]].measure], seals[span["id"]]) for span in spans}
    together: defaultdict[tuple[int, Amounts], list[asyncpg.Record]] = defaultdict(list)
    for span in spans:
        seal = span["id"]
        for cuboids in COUNTED_TOGETHER:
            if counted := plans[seal].counted & cuboids:
                together[counted, measures[seal].amounts(span["largest"])].append(span)
    for (cuboids, amounts), several in together.items():
        statement = count_contributions(cuboids, amounts)
        sizes = [span["id"] for span in several], [span["n"] for span in several]
        for seal, stored in await connection.fetch(statement, *sizes, MOST_BINS):
            masks[seal] |= stored
    rows = list(chain.from_iterable(_copy(span, plans[span["id"]], masks) for span in spans))
    if rows:
        await connection.execute(COPY_EQUAL, *(list(column) for column in zip(*rows, strict=True)))
    return masks


def _may_have_cuboids(span: asyncpg.Record) -> bool:
    """Whether another cuboid than the total may be stored in a span, or be too wide. None has fewer bins than the total."""
    return span["n"] >= FEWEST and (_is_worth_storing(span) or span["n"] > MOST_VALUES)


def _is_worth_storing(span: asyncpg.Record) -> bool:
    """Whether a cuboid with the bins of the total is worth storing, or has so many that it may be wide."""
    return bool(span["bins"] <= span["n"] * MOST_BINS or span["bins"] > MOST_VALUES)


def _copy(span: asyncpg.Record, plan: Plan, masks: dict[int, int]) -> Iterator[tuple[int, int, int, int, int | None, int | None]]:
    """The parameters of COPY_EQUAL for a span, whose mask gets the bits of the copies."""
    seal = span["id"]
    total_is_worth = _is_worth_storing(span)
    for source, cuboid, place in plan.copies:
        if masks[seal] & source.wide_bit:
            masks[seal] |= cuboid.wide_bit
        elif total_is_worth if source == TOTAL else masks[seal] & source.bit:
            masks[seal] |= cuboid.bit
            value, second = (*(span[name] if name not in MULTI_VALUED else None for name in cuboid.dimensions), None)[:2]
            yield seal, source.number, cuboid.number, place, value, second
