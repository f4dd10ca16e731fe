"""Which cuboid answers a query."""

from itertools import product

from hypothesis import given
from hypothesis import strategies as st

from services.metrics.domain.contributions import Contribution
from services.metrics.domain.cuboids import CUBOIDS, DIMENSION_CUBOIDS, PAIRS, TOTAL, Cuboid, smallest_cuboid
from services.metrics.domain.measure import COMMENT_DIMENSIONS, MULTI_VALUED
from services.metrics.domain.query import Filter
from services.metrics.store.selection import Selection
from shared.events import DIMENSIONS
from tests.unit.metrics.build import at

Values = tuple[tuple[str | None, ...], tuple[str | None, ...]]


def cuboid(*group_by: str, **filters: Values) -> tuple[str, ...] | None:
    """The dimensions of the smallest cuboid."""
    smallest = smallest_cuboid(group_by, [Filter(name, *values) for name, values in filters.items()])
    return None if smallest is None else smallest.dimensions


A: Values = (("a",), ())


def test_the_smallest_cuboid_has_just_the_dimensions_of_groups_and_filters() -> None:
    assert cuboid() == ()
    assert cuboid("team") == cuboid("team", team=(("a", "b"), ("c",))) == ("team",)
    assert cuboid("channel", "team") == cuboid("channel", team=A) == cuboid(team=A, channel=A) == ("team", "channel")
    assert cuboid("priority", team=((), ("a",))) == ("team", "priority")
    assert cuboid("segment", "survey") == ("survey", "segment")
    assert cuboid("team", "region") is None
    assert cuboid("team", "channel", priority=A) is None
    assert cuboid("own") is None


def test_a_multi_valued_dimension_answers_plain_groups_and_single_values() -> None:
    assert cuboid("theme") == cuboid(theme=A) == cuboid(theme=((None,), ())) == ("theme",)
    assert cuboid("urgency") == cuboid(urgency=A) == ("urgency",)
    assert cuboid("theme", "product") == cuboid("product", theme=A) == cuboid("theme", product=A) == ("theme", "product")
    assert cuboid(theme=A, product=((), ("b",))) == ("theme", "product")
    assert cuboid(theme=(("a", "b"), ())) is None  # a comment with both would count twice
    assert cuboid("product", theme=(("a", "b"), ())) is None
    assert cuboid(theme=((), ("a",))) is None
    assert cuboid("theme", theme=A) is None  # the other themes of the comments that have a
    assert cuboid("theme", "urgency") is None
    assert cuboid("team", theme=A) is None


def test_a_number_is_the_place_in_the_table_and_old_ones_never_change() -> None:
    assert [one.number for one in CUBOIDS] == list(range(len(CUBOIDS)))
    assert [one.dimensions for one in CUBOIDS[:14]] == [(), *((name,) for name in COMMENT_DIMENSIONS)]
    assert [one.dimensions for one in CUBOIDS[14:18]] == list(PAIRS)
    assert DIMENSION_CUBOIDS == 2**14 - 1
    assert TOTAL.bit == 1


def test_a_query_per_respondent_reads_contributions() -> None:
    assert Selection(("m",), per_respondent=True).cuboid is None
    assert Selection(("m",)).cuboid is TOTAL


def test_dimensions_of_the_tenants_own_are_read_from_contributions_by_their_place() -> None:
    own = ("plan", "tier")
    assert Selection(("m",), ("tier",), own=own).cuboid is None
    assert Selection(("m",), filters=(Filter("plan", ("pro",)),), own=own).cuboid is None
    assert Selection(("m",), ("team",), own=own).cuboid == Cuboid(8, ("team",))
    assert [Selection(("m",), own=own).column(name) for name in ("plan", "tier", "team", "theme")] == [
        "c.own[1]",
        "c.own[2]",
        "c.team",
        "c.themes",
    ]


# --- every cuboid that answers gives the same counts as the contributions ---------------------------------------------------
names = st.sampled_from(["a", "b", None])
lists = st.lists(st.sampled_from(["a", "b", "c"]), unique=True, max_size=3).map(lambda several: tuple(sorted(several)))
rows = st.lists(
    st.builds(
        lambda dims, themes, urgency: Contribution("label:m", at(0), 1, 1, tuple(dims), None, themes, urgency),
        st.lists(names, min_size=len(DIMENSIONS), max_size=len(DIMENSIONS)),
        lists,
        lists,
    ),
    max_size=12,
)
some_dimensions = st.lists(st.sampled_from(["team", "channel", "priority", "theme", "product"]), unique=True, max_size=2)
filters = st.lists(
    st.builds(
        Filter,
        st.sampled_from(["team", "channel", "theme", "product"]),
        st.lists(names, unique=True, max_size=2).map(tuple),
        st.lists(names, unique=True, max_size=1).map(tuple),
    ),
    unique_by=lambda f: f.dimension,
    max_size=2,
)


@given(rows, some_dimensions, filters)
def test_all_cuboids_that_answer_count_alike(rows: list[Contribution], group_by: list[str], filters: list[Filter]) -> None:
    expected: dict[tuple[str | None, ...], int] = {}
    for row in rows:
        if all(passes(set(row.values(f.dimension)), f) for f in filters):
            for group in product(*(row.values(name) for name in group_by)):
                expected[group] = expected.get(group, 0) + 1
    for one in CUBOIDS:
        if one.answers(group_by, filters):
            assert from_cuboid(rows, one, group_by, filters) == expected, one


def from_cuboid(
    rows: list[Contribution], one: Cuboid, group_by: list[str], filters: list[Filter]
) -> dict[tuple[str | None, ...], int]:
    """Count rows by the dimensions of a cuboid, then filter and add up its groups."""
    groups: dict[tuple[str | None, ...], int] = {}
    for row in rows:
        for values in product(*(row.values(name) for name in one.dimensions)):
            value_of = dict(zip(one.dimensions, values, strict=True))
            if all(passes({value_of[f.dimension]}, f) for f in filters):
                group = tuple(value_of[name] for name in group_by)
                groups[group] = groups.get(group, 0) + 1
    return groups


def passes(values: set[str | None], f: Filter) -> bool:
    return (not f.include or not values.isdisjoint(f.include)) and values.isdisjoint(f.exclude)


def test_multi_valued_dimensions_are_known() -> None:
    assert [one.dimensions for one in CUBOIDS if one.multi_valued] == [("theme",), ("urgency",), ("theme", "product")]
    assert set(MULTI_VALUED) == {"theme", "urgency"}
