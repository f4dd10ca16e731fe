"""Gold: humans' judgements of comments beside those of a model, for training and measuring models."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from services.metrics.domain.comments import Comment
from services.metrics.domain.view import SubjectView
from shared.events import Label, Override, Score


@dataclass(frozen=True, slots=True)
class Gold:
    """One judgement. `label` is None if the human set only themes; empty `themes` are left to the model.

    `comment` is the hash of the text, `at` the comment's time. `model` is None if the model has not scored the text;
    `model_label` also if it gave no label. `language` is the stated one, else the one that the score detected.
    """

    comment: str
    at: datetime
    text: str
    language: str | None
    label: Label | None
    themes: tuple[str, ...]
    model: str | None
    model_label: Label | None


def gold(view: SubjectView, scores: Mapping[tuple[str, str], Score], model: str) -> list[Gold]:
    """The current judgements of current comments, in the order of their text hashes, each text once, at its earliest time."""
    comments = {comment.text_hash: comment for comment in sorted(view.comments, key=lambda comment: comment.at, reverse=True)}
    overrides = {name: override for name, override in view.overrides.items() if override.label is not None or override.themes}
    names = sorted(comments.keys() & overrides)
    return [_row(comments[name], overrides[name], scores.get((model, name)), model) for name in names]


def _row(comment: Comment, override: Override, score: Score | None, model: str) -> Gold:
    return Gold(
        comment=comment.text_hash,
        at=comment.at,
        text=comment.text,
        language=comment.language or (score.language if score else None),
        label=override.label,
        themes=override.themes,
        model=model if score else None,
        model_label=score.label if score else None,
    )
