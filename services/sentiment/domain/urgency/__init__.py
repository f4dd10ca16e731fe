"""Reasons why a comment is urgent: legal threat, safety, cancellation, outage, money taken, repeated contact.

Phrases of eight languages are looked for in every text: many texts are too short to know their language. A negation near a
phrase, or a phrase of the table UNLESS in its sentence, voids it.
"""

import re
from collections.abc import Sequence
from functools import lru_cache
from types import ModuleType
from typing import get_args

from services.sentiment.domain.urgency import added, arabic, dutch, english, french, german, italian, portuguese, spanish
from services.sentiment.domain.urgency.phrases import CUE, PAUSE, QUESTION, STOP, Phrase, normalize, phrases
from shared.events import Urgency

LANGUAGES = (english, german, french, spanish, portuguese, italian, dutch, arabic)
REASONS: tuple[Urgency, ...] = get_args(Urgency)
BEFORE = 4
"""Words before a phrase in which a negation is looked for."""
AFTER = 3
"""Words after a phrase in which a late negation is looked for: "ich kündige nicht"."""
LATE = frozenset({"nicht", "niet", "pas"})
SUBJECTS = frozenset(
    ["i", "we", "my", "you", "ich", "wir", "sie", "mein", "je", "nous", "vous", "mon", "yo", "mi", "eu", "meu", "io", "noi", "ik",
     "wij", "jullie", "mijn"]
)  # fmt: skip
"""A negation before one of these belongs to another clause: "if you don't answer I will sue"."""
MARKS = frozenset({STOP, PAUSE, QUESTION})
AROUND = 160
"""Characters before and after a phrase, within its sentence, in which UNLESS phrases are looked for."""
END = re.compile(r"(?<= )[.?] ")


class Phrases:
    """The phrases of a version: by reason, those that make a text urgent and those that void them; indexed by cues."""

    def __init__(self, languages: Sequence[ModuleType]) -> None:
        self.urgent = tuple(
            (reason, phrase) for reason in REASONS for one in languages for phrase in phrases(one.URGENT[reason], one.NEGATIONS)
        )
        self.unless = {
            reason: tuple(phrase for one in languages for phrase in phrases(one.UNLESS.get(reason, ""), one.NEGATIONS))
            for reason in REASONS
        }
        self.by_cue: dict[str, list[int]] = {}
        for index, (_, phrase) in enumerate(self.urgent):
            for cue in phrase.cues[0]:
                self.by_cue.setdefault(cue, []).append(index)


@lru_cache(2)
def compiled_phrases(with_added: bool) -> Phrases:
    """The phrases of version 1 of the rules or, with the added ones, of later versions, compiled once, on first use."""
    return Phrases((*LANGUAGES, *added.LANGUAGES) if with_added else LANGUAGES)


def phrases_of(rules: int) -> Phrases:
    """The phrases of a version of the rules."""
    return compiled_phrases(rules >= 2)


def urgency_of(text: str, rules: int) -> tuple[Urgency, ...]:
    """The reasons why a text is urgent, in the order of `Urgency`, by this version of the rules. Takes linear time."""
    known = phrases_of(rules)
    line = normalize(text)
    cues = {word[:CUE] for word in line.split()}
    reasons: set[Urgency] = set()
    for index in sorted({index for cue in cues & known.by_cue.keys() for index in known.by_cue[cue]}):
        reason, phrase = known.urgent[index]
        if reason in reasons or not phrase.possible(cues):
            continue
        matches = [match for match in phrase.pattern.finditer(line) if not negated(phrase, line, match)]
        if matches:
            unless = [one for one in known.unless[reason] if one.possible(cues)]
            if any(not voided(unless, around(line, match)) for match in matches):
                reasons.add(reason)
    return tuple(reason for reason in REASONS if reason in reasons)


def negated(phrase: Phrase, line: str, match: re.Match[str]) -> bool:
    """Whether the phrase, which has no negation itself, is negated in its clause."""
    if phrase.negations.intersection(match.group().split()):
        return False
    before = reversed(line[max(0, match.start() - AROUND) : match.start()].split()[-BEFORE:])
    after = line[match.end() : match.end() + AROUND].split()[:AFTER]
    for word in before:
        if word in phrase.negations:
            return True
        if word in SUBJECTS or word in MARKS:
            break
    return any(word in LATE for word in after[: next((n for n, word in enumerate(after) if word in MARKS), AFTER)])


def around(line: str, match: re.Match[str]) -> str:
    """The sentence of the match, up to AROUND characters before and after it."""
    before = END.split(line[max(0, match.start() - AROUND) : match.start()])[-1]
    after = END.split(line[match.end() - 1 : match.end() + AROUND])[0]
    return f" {before}{match.group().rstrip()}{after}"


def voided(unless: list[Phrase], sentence: str) -> bool:
    """Whether a phrase of `unless` occurs in the sentence, not negated."""
    return any(not negated(phrase, sentence, match) for phrase in unless for match in phrase.pattern.finditer(sentence))
