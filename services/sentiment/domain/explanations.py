"""Explain a score by occlusion: the weight of a word is the score of the text minus its score without the word."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from services.sentiment.domain.rules import matching_rule
from services.sentiment.domain.scorer import Opinion
from services.sentiment.domain.scoring import Unscorable
from services.sentiment.domain.versions import text_to_read

MOST = 60
"""Spans of a text at most. A longer text is split into runs of neighbouring words."""
WORD = re.compile(r"\S+")


class WordWeight(NamedTuple):
    """A word or a run of words at [start, end), in characters of the text. `weight`: score with it minus score without."""

    word: str
    start: int
    end: int
    weight: float


@dataclass(frozen=True, slots=True)
class Explanation:
    """The name of the rule that decided the text, else its words in order."""

    rule: str | None
    words: tuple[WordWeight, ...] = ()


@dataclass(frozen=True, slots=True)
class Occlusion:
    """A text and the spans to leave out; no spans if a rule decides it."""

    text: str
    rule: str | None
    spans: tuple[tuple[int, int], ...]
    rules: int = 1

    @property
    def variants(self) -> list[str]:
        """The texts to score: the whole text, then the text without each span unless that is blank; none without spans."""
        without = [self.text[:start] + self.text[end:] for start, end in self.spans]
        texts = [self.text, *(text for text in without if text.strip())] if self.spans else []
        return [text_to_read(text, self.rules) for text in texts]


def occlusion_of(text: str, rules: int) -> Occlusion:
    """The occlusions of a text, with at most MOST spans, for a model with this version of the rules."""
    rule, _ = matching_rule(text_to_read(text, rules), rules)
    return Occlusion(text, rule, () if rule else spans(text), rules)


def spans(text: str) -> tuple[tuple[int, int], ...]:
    """The [start, end) of each word of a text, or of each run of words if there are more than MOST."""
    words = [match.span() for match in WORD.finditer(text)]
    run = max(1, -(-len(words) // MOST))
    return tuple((words[at][0], words[min(at + run, len(words)) - 1][1]) for at in range(0, len(words), run))


def explanation_of(occlusion: Occlusion, opinions: Sequence[Opinion | Unscorable]) -> Explanation:
    """The explanation, from the model's opinion of each of `occlusion.variants`.

    A blank text scores 0. A word whose variant the model can't score weighs 0.
    """
    if not opinions:
        return Explanation(occlusion.rule)
    full, *rest = [opinion.score if isinstance(opinion, Opinion) else None for opinion in opinions]
    without = rest if len(rest) == len(occlusion.spans) else [0.0]
    return Explanation(
        None, tuple(word_weight(occlusion.text, span, full, less) for span, less in zip(occlusion.spans, without, strict=True))
    )


def word_weight(text: str, span: tuple[int, int], full: float | None, less: float | None) -> WordWeight:
    """The weight of a span: the score `full` minus `less`, the score without it; 0 if either is unknown."""
    weight = 0.0 if full is None or less is None else round(full - less, 4)
    return WordWeight(text[slice(*span)], *span, weight)
