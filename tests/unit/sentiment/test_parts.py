"""The order in which the comments of a batch are scored."""

from services.sentiment.domain.parts import parts


def test_quiet_tenants_come_first_and_each_comment_once() -> None:
    flood = [("flood", 100)] * 50
    found = parts([*flood, ("quiet", 100), *flood, ("other", 150)], characters=1_000)
    assert found[0][:2] == [50, 101]
    assert sorted(place for part in found for place in part) == list(range(102))


def test_a_part_is_bounded_by_its_characters() -> None:
    lengths = [("acme", length) for length in (300, 300, 300, 300, 900, 50)]
    for part in parts(lengths, characters=1_000):
        assert sum(lengths[place][1] for place in part) <= 1_000


def test_a_comment_longer_than_a_part_is_one_by_itself() -> None:
    assert parts([("acme", 5_000), ("acme", 10), ("acme", 5_000)], characters=1_000) == [[0], [1], [2]]


def test_nothing_makes_no_part() -> None:
    assert parts([]) == []
