"""How the tables of urgency are written, and what they become.

A phrase is a row of words (accents and apostrophes may be written: they are folded as a text's are):

    cancel*/close ~ my    one of several words; `*` any ending, after four letters at least
    kill_myself           `_` joins words that are one choice
    ?is down              `?` this word may be missing
    ~  and  ...           up to two, up to five words of the same clause, no negation among them

Every phrase is one regular expression whose repetitions are bounded or possessive, so that time grows with a text's length alone.
"""

import re
from typing import NamedTuple

from services.sentiment.domain.urgency.words import read

CUE = 4
"""Letters of a word by which it is looked up."""
GAPS = {"~": 2, "...": 5}


class Phrase(NamedTuple):
    """A phrase to look for, what a text must hold to be worth it, and what negates it.

    `cues` are beginnings of words, a set for each word that must be there, the most telling first.
    """

    pattern: re.Pattern[str]
    cues: tuple[frozenset[str], ...]
    negations: frozenset[str]

    def possible(self, cues: set[str]) -> bool:
        return not any(one.isdisjoint(cues) for one in self.cues)


def phrases(table: str, negations: str) -> list[Phrase]:
    """The phrases of a table, one a line, in a language with these negations."""
    folded = frozenset(read(negations).split()) - {"."}
    return [phrase(line, folded) for line in table.strip().splitlines()]


def phrase(line: str, negations: frozenset[str]) -> Phrase:
    """One phrase. Raises ValueError where an ending is left open after fewer than four letters."""
    elements = line.split()
    required = [choices(element) for element in elements if element not in GAPS and not element.startswith("?")]
    telling = sorted(required, key=lambda words: -min(len(longest(word)) for word in words))
    body = "".join(expression(element, negations) for element in elements)
    cues = tuple(frozenset(longest(word)[:CUE] for word in words) for words in telling)
    return Phrase(re.compile(f"(?<= ){body}"), cues, negations)


def choices(element: str) -> list[str]:
    """The folded alternatives of an element, an open end marked by a star."""
    return [choice if choice in ".,?" else folded(choice) for choice in element.removeprefix("?").split("/")]


def folded(choice: str) -> str:
    words = " ".join(read(choice.rstrip("*").replace("_", " ")).split()[:-1])
    if not choice.endswith("*"):
        return words
    if len(words.split()[-1]) < CUE:
        raise ValueError(f"{choice}: an open ending needs {CUE} letters before it")
    return f"{words}*"


def longest(choice: str) -> str:
    return max(choice.rstrip("*").split(), key=len)


def expression(element: str, negations: frozenset[str]) -> str:
    """An element and the blank after it, as part of a regular expression."""
    if element in GAPS:
        return rf"(?:(?!(?:{'|'.join(sorted(negations))}) )\w++ ){{0,{GAPS[element]}}}"
    words = "|".join(re.escape(word.rstrip("*")) + r"\w*+" * word.endswith("*") for word in choices(element))
    return f"(?:(?:{words}) )?" if element.startswith("?") else f"(?:{words}) "
