"""The rule for texts of emoji and emoticons alone."""

import pytest

from services.sentiment.domain.rules import emoji_opinion, matching_rule
from services.sentiment.domain.scorer import Opinion


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
    "text", ["👎", "👎🏼", "😡😡", "🤬", ":(", ":-(", ":'(", "💩", "😞...", "💔", ">:(", "🙄", "🤦‍♀️", "☹️", ":/", ":( 👎"]
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


@pytest.mark.parametrize(
    ("text", "opinion"),
    [
        (":) 👍", Opinion("positive", 0.8, 0.9)),
        (":( 👎", Opinion("negative", -0.8, 0.9)),
        (":( 👍", Opinion("neutral", 0.0, 0.5, mixed=True)),
        ("📦", Opinion("neutral", 0.0, 0.5)),
    ],
)
def test_score_confidence_and_mixed_of_the_emoji_rule(text: str, opinion: Opinion) -> None:
    assert emoji_opinion(text) == opinion


@pytest.mark.parametrize(
    ("text", "name"), [("n/a", "non_answer"), ("0/10", "rating"), ("👍", "emoji"), ("👍" * 201, None), ("It was fine", None)]
)
def test_the_name_of_the_rule_that_decides_a_text(text: str, name: str | None) -> None:
    assert matching_rule(text, 2)[0] == name
