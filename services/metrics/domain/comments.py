"""Customers' comments, and the label, score and themes of a comment that count.

A human's override has precedence over the score of a model. This is the one place that decides it.
"""

from datetime import datetime

from msgspec import Struct

from shared.events import UNSUPPORTED_LANGUAGE, Label, Override, Score, ThemeScore, text_hash

LABELS: dict[Label, int] = {"negative": -1, "neutral": 0, "positive": 1}


class Comment(Struct, frozen=True):
    """One comment at its own time. Scores and overrides refer to it by `text_hash`."""

    at: datetime
    text: str
    language: str | None
    text_hash: str

    @classmethod
    def from_text(cls, at: datetime, text: str, language: str | None) -> "Comment":
        """A comment with the hash of its text."""
        return cls(at, text, language, text_hash(text))


def effective_label(score: Score, override: Override | None) -> tuple[Label | None, float | None]:
    """The label and the score (−1..1) of a comment.

    A human's label has precedence, with the score −1, 0 or 1. Without one, a score in an unsupported language has no label.
    """
    if override is not None and override.label is not None:
        return override.label, float(LABELS[override.label])
    if UNSUPPORTED_LANGUAGE in score.flags:
        return None, None
    return score.label, score.score


def effective_themes(score: Score, override: Override | None) -> tuple[ThemeScore, ...]:
    """The themes of a comment: the human's if there are any, else the model's.

    The score of a theme that a human set is the model's score of that theme. If the model did not find the theme, it is the
    human's label, else the score of the whole text, else 0.
    """
    if override is None or not override.themes:
        return score.themes
    scores = {theme.theme: theme.score for theme in score.themes}
    default = float(LABELS[override.label]) if override.label is not None else score.score or 0.0
    return tuple(ThemeScore(name, scores.get(name, default)) for name in dict.fromkeys(override.themes))
