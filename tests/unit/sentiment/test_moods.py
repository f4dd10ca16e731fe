"""Texts of nothing but emoji and emoticons."""

import pytest

from services.sentiment.domain.moods import mood


@pytest.mark.parametrize(
    "text",
    [
        "👍",
        "👍🏽",
        "👍👍👍",
        "😍 😍",
        "❤️",
        "❤",
        ":)",
        ":-)",
        ";-)",
        ":D",
        "<3",
        "🎉!!!",
        "👏🏿👏🏿",
        ":) 👍",
        "🙏",
        "^_^",
        "👍🏻.",
    ],
)
def test_glad_signs_are_positive(text: str) -> None:
    found = mood(text)
    assert found is not None
    assert (found.label, found.mixed) == ("positive", False)


@pytest.mark.parametrize(
    "text", ["👎", "👎🏼", "😡😡", "🤬", ":(", ":-(", ":'(", "💩", "😞...", "💔", ">:(", "🙄", "🤦‍♀️", "☹️", ":/"]
)
def test_sad_signs_are_negative(text: str) -> None:
    found = mood(text)
    assert found is not None
    assert (found.label, found.mixed) == ("negative", False)


def test_both_at_once_are_mixed_and_a_thing_has_no_mood() -> None:
    both, thing = mood("👍👎"), mood("📦")
    assert both is not None
    assert thing is not None
    assert (both.label, both.mixed) == ("neutral", True)
    assert (thing.label, thing.mixed) == ("neutral", False)


@pytest.mark.parametrize("text", ["", "!!!", "?", "ok 👍", "👍 gut", "10", "ممتاز 👍", "xD really", "n/a", "a", "5 ⭐"])
def test_whatever_holds_a_word_or_a_number_is_left_to_others(text: str) -> None:
    assert mood(text) is None
