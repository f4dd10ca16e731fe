"""Every regular expression that is applied to customers' texts takes time linear in the length of the text."""

import importlib
import pkgutil
import re
from collections.abc import Callable, Iterator
from types import ModuleType
from typing import Any

import pytest

import services.ingest.domain.redaction as redaction_package
import services.sentiment.domain as sentiment_domain
from services.ingest.domain.redaction import Redactor
from services.sentiment.domain.auto_replies import is_auto_reply
from services.sentiment.domain.explanations import spans
from services.sentiment.domain.idioms import in_plain_words
from services.sentiment.domain.languages import language_of
from services.sentiment.domain.linear import bins_of
from services.sentiment.domain.non_answers import is_non_answer, plain
from services.sentiment.domain.preprocessing import cased, own_words, prepared
from services.sentiment.domain.ratings import rating_opinion
from services.sentiment.domain.reading import pieces
from services.sentiment.domain.rules import emoji_opinion, ruling_of
from services.sentiment.domain.urgency import phrases_of, urgency_of
from services.sentiment.domain.urgency.phrases import normalize
from services.sentiment.domain.written_text import written_text
from tests.growth import MOST, Hostile, growth

LENGTH = 8_000
HOSTILE = [
    *map(Hostile, [
        " ", "a", "a ", "1", "1 ", "-", " -", "(", "'", "a'", '"', '"a', "@", "@a", "a@", ".", "a.", "!", "?!", "\n", " \n",
        ": ", ":", "<3", "★", "★ ", "☆", "☆ ", "5/", "5 -", "5 stars ", "5-", "www.", "http://", "&", "&#", "&am", "\\", "[", "{",
        "_", "aaa", "ab", "é", "e\u0301", "\u0301", "\u0316\u0301", "\u0f73", "\u05b0\u0591", "\u200d", "\ufe0f", "👍",
        "👩\u200d", "👍🏽\u200d", "🇩🇪\u200d", "👩\ufe0f\u200d", "a\u200d", "👍🏽", "🇩🇪", "؟", "ال",
        "لل", "4111 ", "DE89", "+49 ", ", but ", "but", "mais ", ",mas", "; ", ". ", ".)", "not ", "no ", "2024-11-20", "1.1.",
    ]),
    *[
        Hostile(unit, head, "x")
        for head in ("rate", "i give it", "5", "★", "http://", "a@b", '"', ",")
        for unit in (" ", "-", "\u00a0")
    ],
]  # fmt: skip
WORDS = [
    Hostile(unit)
    for unit in (
        "refund ",
        "i will not cancel ",
        "my ",
        "charged twice ",
        "nobody can ",
        "الغاء ",
        "never had ",
        ", ma ",
        "nicht ",
    )
]
"""For the phrases of urgency and the idioms, which look for words."""


def modules(package: ModuleType) -> Iterator[ModuleType]:
    yield package
    for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
        yield importlib.import_module(module.name)


def patterns_in(value: Any) -> Iterator[re.Pattern[str]]:
    """The compiled patterns in a module's value, as deep as tuples, lists and mappings go."""
    if isinstance(value, re.Pattern):
        yield value
    elif isinstance(value, dict):
        yield from (pattern for one in value.values() for pattern in patterns_in(one))
    elif isinstance(value, tuple | list):
        yield from (pattern for one in value for pattern in patterns_in(one))


def named_patterns() -> dict[str, list[re.Pattern[str]]]:
    """The patterns of redaction and of the modules that read comments, by module and name. An imported pattern counts once."""
    named, known = {}, set[re.Pattern[str]]()
    for module in (*modules(redaction_package), *modules(sentiment_domain)):
        for name, value in vars(module).items():
            patterns = [pattern for pattern in patterns_in(value) if pattern not in known]
            known.update(patterns)
            if patterns:
                named[f"{module.__name__.removeprefix('services.')}.{name}"] = patterns
    return named


PATTERNS = named_patterns()
ALONE = {name: patterns for name, patterns in PATTERNS.items() if len(patterns) < 20}
TABLES = {name: patterns for name, patterns in PATTERNS.items() if len(patterns) >= 20} | {
    "sentiment.domain.urgency.urgent": [phrase.pattern for _, phrase in phrases_of(2).urgent],
    "sentiment.domain.urgency.unless": [phrase.pattern for of in phrases_of(2).unless.values() for phrase in of],
}
"""The phrases of urgency: some thousand, timed together."""


MATCHED = {*(f"sentiment.domain.ratings.{name}" for name in ("SCALED", "STARRED", "CODE")), "ingest.domain.redaction.cards.AFTER"}
"""Patterns that are only matched at a known place. The functions that do so are timed below."""
COLLAPSED = {"sentiment.domain.turns.TURN"}
"""Patterns that only see texts in which each run of white space is one blank."""


def use_of(name: str) -> Callable[[str], object]:
    """The function that is timed for a pattern: it applies the pattern the way that the code does."""
    if name in MATCHED:
        return lambda text: [pattern.match(text) for pattern in ALONE[name]]
    if name in COLLAPSED:
        return lambda text: apply_all(ALONE[name])(" ".join(text.split()))
    return apply_all(ALONE[name])


def apply_all(patterns: list[re.Pattern[str]]) -> Callable[[str], None]:
    def work(text: str) -> None:
        for pattern in patterns:
            pattern.fullmatch(text)
            for _ in pattern.finditer(text):
                pass

    return work


def slow(work: Callable[[str], object], texts: list[Hostile]) -> dict[str, float]:
    """The texts on which `work` is worse than linear, with the growth of its time."""
    grown = {f"{text.head!r} + {text.unit!r} * n + {text.tail!r}": growth(work, text, LENGTH) for text in texts}
    return {name: ratio for name, ratio in grown.items() if ratio > MOST}


def test_the_patterns_of_all_modules_are_collected() -> None:
    assert {name.rpartition(".")[0].removeprefix("sentiment.domain.") for name in ALONE} > {
        "ratings", "non_answers", "preprocessing", "reading", "rules", "urgency.phrases", "ingest.domain.redaction.cards",
        "ingest.domain.redaction.phones", "ingest.domain.redaction.emails", "ingest.domain.redaction.ibans",
    }  # fmt: skip
    assert sum(map(len, TABLES.values())) > 1000


@pytest.mark.parametrize("name", ALONE)
def test_a_pattern_is_linear(name: str) -> None:
    assert slow(use_of(name), HOSTILE) == {}


@pytest.mark.parametrize("name", TABLES)
def test_the_phrases_of_urgency_are_linear(name: str) -> None:
    assert slow(apply_all(TABLES[name]), WORDS[:2]) == {}


FUNCTIONS: dict[str, Callable[[str], object]] = {
    "redaction": lambda text: Redactor()(text),
    "rating_opinion": lambda text: rating_opinion(text, 3),
    "ruling_of": lambda text: ruling_of(text, 3),
    "emoji_opinion": emoji_opinion,
    "is_non_answer": is_non_answer,
    "plain": plain,
    "prepared": prepared,
    "cased": lambda text: cased(text, 3),
    "in_plain_words": in_plain_words,
    "own_words": own_words,
    "language_of": lambda text: language_of(text, None),
    "pieces": lambda text: pieces(text, 3),
    "bins_of": bins_of,
    "spans": spans,
    "normalize": normalize,
    "urgency_of": lambda text: urgency_of(text, 3),
    "written_text": written_text,
    "is_auto_reply": is_auto_reply,
}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_function_is_linear(name: str) -> None:
    assert slow(FUNCTIONS[name], HOSTILE + WORDS) == {}
