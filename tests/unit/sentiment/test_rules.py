"""The rule for texts of emoji and emoticons alone."""

import pytest

from services.sentiment.domain.rules import emoji_opinion


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
def test_happy_signs_are_positive(text: str) -> None:
    opinion = emoji_opinion(text)
    assert opinion is not None
    assert (opinion.label, opinion.mixed) == ("positive", False)


@pytest.mark.parametrize(
    "text", ["👎", "👎🏼", "😡😡", "🤬", ":(", ":-(", ":'(", "💩", "😞...", "💔", ">:(", "🙄", "🤦‍♀️", "☹️", ":/"]
)
def test_sad_signs_are_negative(text: str) -> None:
    opinion = emoji_opinion(text)
    assert opinion is not None
    assert (opinion.label, opinion.mixed) == ("negative", False)


def test_both_at_once_are_mixed_and_an_object_is_neutral() -> None:
    both, thing = emoji_opinion("👍👎"), emoji_opinion("📦")
    assert both is not None
    assert thing is not None
    assert (both.label, both.mixed) == ("neutral", True)
    assert (thing.label, thing.mixed) == ("neutral", False)


@pytest.mark.parametrize("text", ["", "!!!", "?", "ok 👍", "👍 gut", "10", "ممتاز 👍", "xD really", "n/a", "a", "5 ⭐"])
def test_a_text_with_a_word_or_a_number_is_not_decided(text: str) -> None:
    assert emoji_opinion(text) is None
