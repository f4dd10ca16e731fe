"""The groupings whose counts are stored for every sealed span, and the choice of one for a query.

A new grouping is a new row at the end of the table: its place is its stored number. CUBOIDS_VERSION then rises, and the sealer
counts stored spans again in the background. A seal lists the cuboids that it holds, and a query reads no other.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from services.metrics.domain.measure import MULTI_VALUED
from services.metrics.domain.query import Filter
from shared.events import DIMENSIONS

PAIRS = (
    ("team", "channel"),
    ("team", "priority"),
    ("survey", "segment"),
    ("theme", "product"),
)
"""The pairs of dimensions that teams group by. At most one dimension of a pair is multi-valued."""

MOST_VALUES = 10_000
"""Groups of one cuboid in one span. A cuboid with more is left out of the span's seal. No result may have as many rows either."""


FEWEST = 50
"""The least contributions of a span whose cuboids are stored. Fewer contributions are read as fast one by one: such a span has
only the total."""

MOST_BINS = 0.5
"""Bins of a cuboid for each contribution of the span, at most. With more, contributions are read as fast, and it isn't stored."""


WIDE = 32
"""The place of the first wide bit in a mask of cuboids."""


@dataclass(frozen=True, slots=True)
class Cuboid:
    """One grouping: by none of the dimensions (the total), by one or by two. `number` identifies it in stored histograms."""

    number: int
    dimensions: tuple[str, ...] = ()

    @property
    def bit(self) -> int:
        """Its bit in a mask of cuboids."""
        return 1 << self.number

    @property
    def wide_bit(self) -> int:
        """The bit of a mask that says that it has more than MOST_VALUES groups."""
        return 1 << (self.number + WIDE)

    @property
    def multi_valued(self) -> bool:
        """Whether a comment may count under several of its groups. Only scored comments have such a cuboid."""
        return not MULTI_VALUED.keys().isdisjoint(self.dimensions)

    def answers(self, group_by: Sequence[str], filters: Sequence[Filter]) -> bool:
        """Whether a query with these groups and filters can be answered from it.

        The cuboid of a multi-valued dimension counts a comment once under each value. So it has the groups of all values, and
        the comments with one value. It has neither the comments with any of several values, nor the other values of a comment.
        """
        filtered = {f.dimension for f in filters}
        if not filtered.union(group_by).issubset(self.dimensions):
            return False
        for dimension in MULTI_VALUED.keys() & set(self.dimensions):
            selected = [f for f in filters if f.dimension == dimension]
            if dimension in group_by and selected:
                return False
            if dimension not in group_by and not selected:
                return False
            if any(f.exclude or len(f.include) != 1 for f in selected):
                return False
        return True


CUBOIDS = tuple(
    Cuboid(number, dimensions)
    for number, dimensions in enumerate(((), *((d,) for d in DIMENSIONS), *((d,) for d in MULTI_VALUED), *PAIRS))
)
"""Every cuboid by its number."""

TOTAL = CUBOIDS[0]

SINGLE_VALUED_CUBOIDS = sum(cuboid.bit for cuboid in CUBOIDS if not cuboid.multi_valued)
MULTI_VALUED_CUBOIDS = sum(cuboid.bit for cuboid in CUBOIDS if cuboid.multi_valued)
"""Masks of those that every measure has, and of those that only scored comments have."""
ALL_CUBOIDS = SINGLE_VALUED_CUBOIDS | MULTI_VALUED_CUBOIDS

CUBOIDS_VERSION = 4
"""The number of this table and of the rules by which a seal holds a cuboid. Raise it with every change."""

DIMENSION_CUBOIDS = sum(cuboid.bit for cuboid in CUBOIDS if cuboid.dimensions not in PAIRS)
"""The mask of the total and of single dimensions: those that days and months of version 2 hold."""


def smallest_cuboid(group_by: Sequence[str], filters: Sequence[Filter]) -> Cuboid | None:
    """The cuboid with the fewest dimensions that answers a query with these groups and filters; None if there is none."""
    able = [cuboid for cuboid in CUBOIDS if cuboid.answers(group_by, filters)]
    return min(able, key=lambda cuboid: len(cuboid.dimensions), default=None)
