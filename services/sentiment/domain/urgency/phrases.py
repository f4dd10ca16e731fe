"""Normalise a text for the phrases of urgency, and compile phrases to regular expressions.

A phrase is a row of words, normalised like a text:

    cancel*/close ~ my    one of several words; `*` any ending, after four letters at least
    kill_myself           `_` joins words that are one choice
    ?is down              `?` this word may be missing
    ~  and  ...           up to two, up to five words of the same clause, no negation among them

Repetitions are bounded or possessive, so that time is linear in the length of a text.
"""

import re
import unicodedata
from typing import NamedTuple

from services.sentiment.domain.preprocessing import with_few_marks

MARKS = re.compile(r"[\u0300-\u036f\u0610-\u061a\u0640\u064b-\u065f\u0670\u200b-\u200f]")
"""Accents, Arabic short vowels, tatweel and invisible characters, which many people do not type."""
SHORT = re.compile(r"(?<=\w)'(?=(?:t|s|ll|re|ve|m|d)\b)")
"""The apostrophe of "won't", which is removed; the one of "l'abonnement" separates two words."""
TOKEN = re.compile(r"\w+|[.!…;\n]+|[,:()]+|[?؟]+")
ARTICLE = re.compile(r"(?<= )(?:[وفبك]?ال|لل)(?=[ء-ي]{3})")
QUOTES = str.maketrans("’‘‛`´ىة", "'''''يه")
STOP, PAUSE, QUESTION = ".", ",", "?"
SEPARATORS = dict.fromkeys(".!…;\n", STOP) | dict.fromkeys(",:()،", PAUSE) | dict.fromkeys("?؟", QUESTION)

CUE = 4
"""Letters of a cue: phrases are indexed by the first letters of a required word."""
GAPS = {"~": 2, "...": 5}


def normalize(text: str) -> str:
    """The words in lower case between single spaces, without accents, apostrophes and Arabic articles.

    Sentences end in "." or "?", clauses in ",".
    """
    folded = text.casefold()
    if not folded.isascii():
        decomposed = unicodedata.normalize("NFKD", with_few_marks(folded.translate(QUOTES)))
        folded = MARKS.sub("", decomposed).replace("،", ",").replace("؛", ";")
    if "'" in folded:
        folded = SHORT.sub("", folded)
    line = " ".join([SEPARATORS.get(token[0], token) for token in TOKEN.findall(folded)])
    line = f" {line} . "
    return line if line.isascii() else ARTICLE.sub("", line)


class Phrase(NamedTuple):
    """A phrase: its pattern, the cues that a text must have for a match, and the words that negate it.

    `cues` holds a set for each required word, the longest word first. A text must have one cue of each set.
    """

    pattern: re.Pattern[str]
    cues: tuple[frozenset[str], ...]
    negations: frozenset[str]

    def possible(self, cues: set[str]) -> bool:
        """Whether a text with these cues can match."""
        return not any(one.isdisjoint(cues) for one in self.cues)


def phrases(table: str, negations: str) -> list[Phrase]:
    """The phrases of a table, one per line, in a language with these negations."""
    folded = frozenset(normalize(negations).split()) - {"."}
    return [phrase(line, folded) for line in table.strip().splitlines()]


def phrase(line: str, negations: frozenset[str]) -> Phrase:
    """Compile one phrase. Raises ValueError if a `*` follows fewer than four letters."""
    elements = line.split()
    required = [choices(element) for element in elements if element not in GAPS and not element.startswith("?")]
    by_length = sorted(required, key=lambda words: -min(len(longest(word)) for word in words))
    body = "".join(expression(element, negations) for element in elements)
    cues = tuple(frozenset(longest(word)[:CUE] for word in words) for words in by_length)
    return Phrase(re.compile(f"(?<= ){body}"), cues, negations)


def choices(element: str) -> list[str]:
    """The normalised alternatives of an element; `*` marks an open ending."""
    return [choice if choice in ".,?" else normalize_choice(choice) for choice in element.removeprefix("?").split("/")]


def normalize_choice(choice: str) -> str:
    """A choice normalised like a text, with its `*`. Raises ValueError if the `*` follows fewer than four letters."""
    words = " ".join(normalize(choice.replace("_", " ")).split()[:-1])
    if not choice.endswith("*"):
        return words
    if len(words.split()[-1]) < CUE:
        raise ValueError(f"{choice}: `*` needs {CUE} letters before it")
    return f"{words}*"


def longest(choice: str) -> str:
    """The longest word of a choice, without its `*`."""
    return max(choice.rstrip("*").split(), key=len)


def expression(element: str, negations: frozenset[str]) -> str:
    """An element and the space after it as part of a regular expression."""
    if element in GAPS:
        return rf"(?:(?!(?:{'|'.join(sorted(negations))}) )\w++ ){{0,{GAPS[element]}}}"
    words = "|".join(re.escape(word.rstrip("*")) + r"\w*+" * word.endswith("*") for word in choices(element))
    return f"(?:(?:{words}) )?" if element.startswith("?") else f"(?:{words}) "
