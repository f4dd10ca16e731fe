"""Which cuboids of a span are counted, and which have the histograms of others."""

from services.metrics.domain.cuboids import ALL_CUBOIDS, CUBOIDS, SINGLE_VALUED_CUBOIDS
from services.metrics.store.counting_cuboids import plan
from services.metrics.store.counting_statements import BITS

BY_DIMENSIONS = {cuboid.dimensions: cuboid for cuboid in CUBOIDS}


def counted_by(varying: tuple[str, ...], cuboids: int = ALL_CUBOIDS) -> set[tuple[str, ...]]:
    mask = plan(sum(BITS[name] for name in varying), cuboids).counted
    return {cuboid.dimensions for cuboid in CUBOIDS if cuboid.bit & mask}


def sources(varying: tuple[str, ...], cuboids: int = ALL_CUBOIDS) -> dict[tuple[str, ...], tuple[tuple[str, ...], int]]:
    copies = plan(sum(BITS[name] for name in varying), cuboids).copies
    return {copy.cuboid.dimensions: (copy.source.dimensions, copy.place) for copy in copies}


def test_only_cuboids_whose_dimensions_all_vary_are_counted() -> None:
    assert counted_by(()) == set()
    assert counted_by(("team", "channel")) == {("team",), ("channel",), ("team", "channel")}
    assert counted_by(("theme", "product"), SINGLE_VALUED_CUBOIDS) == {("product",)}


def test_others_have_the_histograms_of_the_cuboid_of_those_that_vary() -> None:
    copies = sources(("channel", "theme"))
    assert copies["team",] == ((), 0)
    assert copies["team", "channel"] == (("channel",), 2)
    assert copies["theme", "product"] == (("theme",), 1)
    assert copies["team", "priority"] == ((), 0)
    assert ("channel",) not in copies


def test_every_cuboid_but_the_total_is_either_counted_or_copied() -> None:
    for varying in ((), ("team",), ("team", "channel", "survey"), tuple(BITS)):
        both = counted_by(varying), set(sources(varying))
        assert both[0].isdisjoint(both[1])
        assert both[0] | both[1] == {cuboid.dimensions for cuboid in CUBOIDS} - {()}
    assert set(sources(("team",), BY_DIMENSIONS["team", "channel"].bit)) == {("team", "channel")}
