"""Why a comment should not wait: threats of law, danger, cancellation, outage, money taken, repeated contact.

Phrases of eight languages (a table each), read in every text whatever its language: many are too short to know it. What comes
before a phrase may negate it, and what stands around it may show that it means something else, or that it is solved.
"""

import re
from collections import defaultdict
from types import ModuleType
from typing import get_args

from services.sentiment.domain.urgency import arabic, dutch, english, french, german, italian, portuguese, spanish
from services.sentiment.domain.urgency.phrases import CUE, Phrase, phrases
from services.sentiment.domain.urgency.words import PAUSE, QUESTION, STOP, read
from shared.events import Urgency

LANGUAGES = (english, german, french, spanish, portuguese, italian, dutch, arabic)
REASONS: tuple[Urgency, ...] = get_args(Urgency)
BEFORE = 4
"""Words before a phrase among which a negation is looked for."""
AFTER = 3
"""Words behind it among which one is looked for that follows its verb: "ich kündige nicht"."""
LATE = frozenset({"nicht", "niet", "pas"})
SUBJECTS = frozenset(
    ["i", "we", "my", "you", "ich", "wir", "sie", "mein", "je", "nous", "vous", "mon", "yo", "mi", "eu", "meu", "io", "noi", "ik",
     "wij", "jullie", "mijn"]
)  # fmt: skip
"""A negation before one of these is another clause's: "if you don't answer I will sue"."""
MARKS = frozenset({STOP, PAUSE, QUESTION})
AROUND = 160
"""Characters on either side of a phrase, in its sentence, among which is looked for what voids it."""
END = re.compile(r"(?<= )[.?] ")


def tables(language: ModuleType, kind: str, reason: Urgency) -> list[Phrase]:
    return phrases(getattr(language, kind)[reason], language.NEGATIONS)


RULES = tuple((reason, phrase) for reason in REASONS for one in LANGUAGES for phrase in tables(one, "URGENT", reason))
UNLESS = {reason: tuple(phrase for one in LANGUAGES for phrase in tables(one, "UNLESS", reason)) for reason in REASONS}


def by_cue() -> dict[str, list[int]]:
    """The places of rules by the beginning of a word that each needs."""
    found: defaultdict[str, list[int]] = defaultdict(list)
    for place, (_, phrase) in enumerate(RULES):
        for cue in phrase.cues[0]:
            found[cue].append(place)
    return dict(found)


BY_CUE = by_cue()


def urgency_of(text: str) -> tuple[Urgency, ...]:
    """The reasons why a text should not wait, each once, in the order of `Urgency`. Time grows with its length."""
    line = read(text)
    cues = {word[:CUE] for word in line.split()}
    found: set[Urgency] = set()
    for place in sorted({place for cue in cues & BY_CUE.keys() for place in BY_CUE[cue]}):
        reason, phrase = RULES[place]
        if reason in found or not phrase.possible(cues):
            continue
        if applies(phrase, line, [one for one in UNLESS[reason] if one.possible(cues)]):
            found.add(reason)
    return tuple(reason for reason in REASONS if reason in found)


def applies(phrase: Phrase, line: str, unless: list[Phrase]) -> bool:
    """Whether the phrase stands in the line, and means what it says."""
    return any(
        not negated(phrase, line, match) and not voided(unless, around(line, match)) for match in phrase.pattern.finditer(line)
    )


def negated(phrase: Phrase, line: str, match: re.Match[str]) -> bool:
    """Whether a negation in the same clause belongs to the phrase, which has none itself."""
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
    """The sentence that holds the phrase, as far as it is near."""
    before = END.split(line[max(0, match.start() - AROUND) : match.start()])[-1]
    after = END.split(line[match.end() - 1 : match.end() + AROUND])[0]
    return f" {before}{match.group().rstrip()}{after}"


def voided(unless: list[Phrase], sentence: str) -> bool:
    return any(not negated(phrase, sentence, match) for phrase in unless for match in phrase.pattern.finditer(sentence))
