"""What is known of a text before any model sees it."""

from collections.abc import Callable, Mapping
from typing import Final, Literal

from services.sentiment.domain.moods import mood
from services.sentiment.domain.non_answers import is_non_answer
from services.sentiment.domain.ratings import rated
from services.sentiment.domain.scorer import Opinion

NON_ANSWER: Final = "non_answer"
Ruling = Opinion | Literal["non_answer"]
LONGEST = 200
"""Characters of a text that a rule is tried on: the rules are about short ones."""


OF_SHORT_TEXTS: Final[Mapping[str, Callable[[str], Opinion | None]]] = {"rating": rated, "emoji": mood}
"""The rules that give an opinion, by name; the first that has one is heard."""


def ruled(text: str) -> Ruling | None:
    """What the rules say of a text; None leaves it to the model."""
    return decided(text)[1]


def decided(text: str) -> tuple[str, Ruling] | tuple[None, None]:
    """The name of the rule that decides a text, and what it says; None leaves it to the model."""
    if is_non_answer(text):
        return NON_ANSWER, NON_ANSWER
    for name, rule in OF_SHORT_TEXTS.items() if len(text) <= LONGEST else ():
        if opinion := rule(text):
            return name, opinion
    return None, None
