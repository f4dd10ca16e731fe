"""What is known of a text before any model sees it."""

from typing import Final, Literal

from services.sentiment.domain.moods import mood
from services.sentiment.domain.non_answers import is_non_answer
from services.sentiment.domain.ratings import rated
from services.sentiment.domain.scorer import Opinion

NON_ANSWER: Final = "non_answer"
Ruling = Opinion | Literal["non_answer"]
LONGEST = 200
"""Characters of a text that a rule is tried on: the rules are about short ones."""


def ruled(text: str) -> Ruling | None:
    """What the rules say of a text; None leaves it to the model."""
    if is_non_answer(text):
        return NON_ANSWER
    return (rated(text) or mood(text)) if len(text) <= LONGEST else None
