"""The corpus is whole in each language, and what is made of it reads like a person."""

import random

import pytest

from deploy.local.demo.company import LANGUAGES, TEAM_OF, TOPICS
from deploy.local.demo.words import after, comment, corpus, line

MOODS = ("good", "mixed", "bad")
TALKED_ABOUT = sorted({topic for topics in TOPICS.values() for topic in topics} | set(TEAM_OF))


@pytest.mark.parametrize("language", LANGUAGES)
def test_each_language_has_phrases_for_every_topic(language: str) -> None:
    phrases = corpus(language)
    for topic in (*TALKED_ABOUT, "openers", "closers", "short", "support"):
        assert all(phrases[topic][mood] for mood in MOODS)
    assert all(phrases[topic]["issue"] for topic in TEAM_OF)
    assert all(phrases["conversation"][purpose] for purpose in ("chase", "answer", "thanks", "again"))
    assert phrases["waiting"]["bad"]


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_slot_is_filled(language: str) -> None:
    rng = random.Random(7)
    comments = [comment(rng, language, topic, mood, "Aylin") for topic in TALKED_ABOUT for mood in MOODS for _ in range(60)]  # type: ignore[arg-type]
    comments += [line(rng, language, topic, "issue") for topic in TEAM_OF for _ in range(40)]
    assert not [text for text in comments if "{" in text or "}" in text or "  " in text or not text.strip()]


def test_comments_rarely_repeat() -> None:
    rng = random.Random(7)
    comments = [comment(rng, "en", "delivery", "bad") for _ in range(300)]
    assert len(set(comments)) > 180


def test_an_opener_and_its_sentence_form_one_sentence() -> None:
    assert after("Sorry, but ", "The app crashes.") == "Sorry, but the app crashes."
    assert after("Wow. ", "The app is fast.") == "Wow. The app is fast."
    assert after("Honestly, ", "I love it.") == "Honestly, I love it."
    assert after("Honestly, ", "It's great.") == "Honestly, it's great."
    assert after("Honestly, ", "{agent} was great.") == "Honestly, {agent} was great."
