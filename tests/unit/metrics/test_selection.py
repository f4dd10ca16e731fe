"""Which cuboid answers a query."""

from services.metrics.domain.query import Filter
from services.metrics.store.selection import Selection


def test_only_plain_groups_and_single_values_are_read_from_cuboids() -> None:
    def cuboid(*group_by: str, **filters: tuple[tuple[str | None, ...], tuple[str | None, ...]]) -> str | None:
        return Selection(("m",), group_by, tuple(Filter(name, *values) for name, values in filters.items())).cuboid

    assert cuboid("theme") == cuboid(theme=(("a",), ())) == cuboid(theme=((None,), ())) == "theme"
    assert cuboid("urgency") == cuboid(urgency=(("a",), ())) == "urgency"
    assert cuboid("team") == cuboid("team", team=(("a", "b"), ("c",))) == "team"
    assert cuboid(theme=(("a", "b"), ())) is None  # a comment with both would count twice
    assert cuboid(theme=((), ("a",))) is None
    assert cuboid("theme", theme=(("a",), ())) is None  # the other themes of the comments that have a
    assert cuboid("theme", "urgency") is None
    assert cuboid("team", theme=(("a",), ())) is None


def test_dimensions_of_the_tenants_own_are_read_from_contributions_by_their_place() -> None:
    own = ("plan", "tier")
    assert Selection(("m",), ("tier",), own=own).cuboid is None
    assert Selection(("m",), filters=(Filter("plan", ("pro",)),), own=own).cuboid is None
    assert Selection(("m",), ("team",), own=own).cuboid == "team"
    assert [Selection(("m",), own=own).column(name) for name in ("plan", "tier", "team", "theme")] == [
        "c.own[1]",
        "c.own[2]",
        "c.team",
        "c.themes",
    ]
