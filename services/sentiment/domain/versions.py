"""The versions of the rules around a model: how a comment is read, which rules decide it, and how its score is limited.

A model has the version with which it was trained (`Model.rules`), so that its scores never change. Version 1 is that of `e5-2`,
`linear-2` and VADER, version 2 that of `e5-4`, version 3 that of `e5-5` to `e5-7`. Since version 2:

- Quoted messages, signatures, disclaimers and HTML are not read (`written_text`); automatic replies and bounces are non-answers.
- A rating counts only if it is alone or about the whole experience: "5 of 5 parcels were broken" is none.
- The transformer reads words in capitals in lower case, one by one.
- Label and score agree (`limited_score`).
- `mixed` is also learnt, if the network has an output for it.
- More phrases of urgency are known (`domain/urgency/added`).

Since version 3:

- A "but" splits a sentence only in its own language (`domain/turns.py`).
- Idioms and turns of negation are written in plain words (`domain/idioms`).
"""

from services.sentiment.domain.written_text import written_text
from shared.events import Label

FIRST, LATEST = 1, 3

BAR = 0.25
"""From this score on a comment is positive, and from its negative on negative."""
INSIDE = 0.249
"""The highest score of a neutral comment: scores have three decimals."""


def text_to_read(text: str, rules: int) -> str:
    """The part of a comment that the rules and the model read. Blank only if the comment is."""
    return text if rules < 2 else written_text(text)


def score_of(label: Label, score: float, rules: int) -> float:
    """The score of a comment with this label, as it is stored."""
    return score if rules < 2 else limited_score(label, score)


def limited_score(label: Label, score: float) -> float:
    """The score within the range of its label: positive from BAR to 1, neutral between, negative from -1 to -BAR."""
    match label:
        case "positive":
            return max(score, BAR)
        case "negative":
            return min(score, -BAR)
        case _:
            return min(max(score, -INSIDE), INSIDE)
