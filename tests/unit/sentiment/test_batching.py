"""Parts of a batch in fair order, and slices of texts of similar length."""

from hypothesis import given
from hypothesis import strategies as st

from services.sentiment.domain.batching import CHARACTERS, TEXTS, parts, slices
from services.sentiment.domain.scoring import LONGEST


def test_quiet_tenants_come_first_and_each_comment_once() -> None:
    flood = [("flood", 100)] * 50
    result = parts([*flood, ("quiet", 100), *flood, ("other", 150)], characters=1_000)
    assert result[0][:2] == [50, 101]
    assert sorted(index for part in result for index in part) == list(range(102))


def test_a_part_is_bounded_by_its_characters() -> None:
    lengths = [("acme", length) for length in (300, 300, 300, 300, 900, 50)]
    for part in parts(lengths, characters=1_000):
        assert sum(lengths[index][1] for index in part) <= 1_000


def test_a_comment_longer_than_a_part_is_a_part_alone() -> None:
    assert parts([("acme", 5_000), ("acme", 10), ("acme", 5_000)], characters=1_000) == [[0], [1], [2]]


def test_no_comments_make_no_parts() -> None:
    assert parts([]) == []


# --- slices -----------------------------------------------------------------------------------------------------------------
@given(st.lists(st.integers(0, 3 * LONGEST), max_size=300), st.integers(1, TEXTS))
def test_every_text_is_in_one_slice_and_no_slice_is_too_large(lengths: list[int], texts: int) -> None:
    result = list(slices(lengths, texts))
    assert sorted(index for indices in result for index in indices) == list(range(len(lengths)))
    for indices in result:
        padded = len(indices) * max(min(lengths[index], LONGEST) for index in indices)
        assert len(indices) <= texts
        assert len(indices) == 1 or padded <= CHARACTERS


def test_texts_of_similar_length_share_a_slice() -> None:
    assert list(slices([5, 4000, 6, 3900, 5], characters=8000)) == [[0, 4, 2], [3, 1]]


def test_each_long_text_is_a_slice_alone() -> None:
    """Another caller waits until the current slice is done."""
    assert list(slices([LONGEST] * 3)) == [[0], [1], [2]]


def test_padding_counts_as_characters() -> None:
    assert [len(indices) for indices in slices([1] * 9 + [100], characters=100)] == [9, 1]
