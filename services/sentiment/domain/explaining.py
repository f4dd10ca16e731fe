"""Which words moved a score, by occlusion: each is left out once, and what the score loses by it is its weight."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from services.sentiment.domain.judging import Unscorable
from services.sentiment.domain.rules import decided
from services.sentiment.domain.scorer import Opinion

MOST = 60
"""Words that are left out one by one; of a longer text, runs of neighbours, as many."""
WORD = re.compile(r"\S+")


class Moved(NamedTuple):
    """A word, or a run of them, at [start, end) in characters of the text; `weight` is the score with it less that without."""

    word: str
    start: int
    end: int
    weight: float


@dataclass(frozen=True, slots=True)
class Explanation:
    """The rule that decided, which needs no words; else the words by their place in the text."""

    rule: str | None
    words: tuple[Moved, ...] = ()


@dataclass(frozen=True, slots=True)
class Question:
    """What has to be scored to explain one text: itself, and itself without each span. Nothing where a rule decides."""

    text: str
    rule: str | None
    spans: tuple[tuple[int, int], ...]

    @property
    def variants(self) -> list[str]:
        """The texts for the model: first the whole one. One without a word left needs no model, and isn't among them."""
        without = [self.text[:start] + self.text[end:] for start, end in self.spans]
        return [self.text, *(text for text in without if text.strip())] if self.spans else []


def question(text: str) -> Question:
    """What to ask the model, at most MOST + 1 texts."""
    rule, _ = decided(text)
    return Question(text, rule, () if rule else spans(text))


def spans(text: str) -> tuple[tuple[int, int], ...]:
    """Where the words of a text are; in one of more than MOST words, where its runs are, of as many words each as are needed."""
    words = [found.span() for found in WORD.finditer(text)]
    run = max(1, -(-len(words) // MOST))
    return tuple((words[at][0], words[min(at + run, len(words)) - 1][1]) for at in range(0, len(words), run))


def explained(asked: Question, opinions: Sequence[Opinion | Unscorable]) -> Explanation:
    """The explanation, given the model's opinion of each of `asked.variants`.

    No words are as good as a score of 0; a variant on which the model fails tells nothing, and its word weighs 0.
    """
    if not opinions:
        return Explanation(asked.rule)
    full, *rest = [opinion.score if isinstance(opinion, Opinion) else None for opinion in opinions]
    without = rest if len(rest) == len(asked.spans) else [0.0]
    return Explanation(None, tuple(moved(asked.text, span, full, less) for span, less in zip(asked.spans, without, strict=True)))


def moved(text: str, span: tuple[int, int], full: float | None, less: float | None) -> Moved:
    weight = 0.0 if full is None or less is None else round(full - less, 4)
    return Moved(text[slice(*span)], *span, weight)
