"""Gold: what humans judged, beside the words and what the model had made of them; what models are taught and measured by."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from services.metrics.domain.comments import Comment
from services.metrics.domain.view import SubjectView
from shared.events import Label, Override, Score


@dataclass(frozen=True, slots=True)
class Gold:
    """One judgement that stands. `label` is None where a human set only themes; none of `themes`: they are left to the model.

    `at` is the comment's time. `model` and `model_label` are None where the model hasn't scored the text, the label alone where
    it found that the text says nothing. `language` is the stated one, else what was found when it was scored.
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
    """The judgements that stand on comments that stand, in the order of the hashes of their texts, each text once."""
    comments = {one.text_hash: one for one in sorted(view.comments, key=lambda one: one.at, reverse=True)}
    judged = {name: said for name, said in view.overrides.items() if said.label is not None or said.themes}
    return [_row(comments[name], judged[name], scores.get((model, name)), model) for name in sorted(comments.keys() & judged)]


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
