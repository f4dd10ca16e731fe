"""Figures of a model and of urgency on the 200 newer comments: label, `mixed`, themes and urgency."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from services.sentiment.domain.scorer import Scorer
from services.sentiment.domain.scoring import Comment, score_comments
from services.sentiment.domain.transformer import TransformerScorer
from services.sentiment.domain.urgency import REASONS, urgency_of
from services.sentiment.training.themes.data import LabelledComment, newer_gold
from services.sentiment.training.theming import theme_figures
from shared.events import Score

LABELS = {"neg": "negative", "neu": "neutral", "pos": "positive"}


class Hits(NamedTuple):
    """Shares from 0 to 1; `precision` is 1 without predictions. `false_rate`: of the cases that are not, those predicted."""

    precision: float
    recall: float
    false_rate: float


def hits(predicted: Iterable[bool], truth: Iterable[bool]) -> Hits:
    """The hits of predictions."""
    pairs = list(zip(predicted, truth, strict=True))
    right, positives = sum(p and t for p, t in pairs), sum(t for _, t in pairs)
    made = sum(p for p, _ in pairs)
    return Hits(right / made if made else 1.0, right / max(1, positives), (made - right) / max(1, len(pairs) - positives))


def mixed_hits(scorer: Scorer, comments: Sequence[LabelledComment]) -> Hits:
    """The hits of `mixed`, scored as in service."""
    scores = score_comments(scorer, [Comment(comment.text, comment.lang) for comment in comments])
    return hits((isinstance(score, Score) and score.mixed for score in scores), (comment.mixed for comment in comments))


def accuracy(scorer: Scorer, comments: Sequence[LabelledComment]) -> float:
    """The share of right labels, scored as in service; a non-answer counts as neutral."""
    scores = score_comments(scorer, [Comment(comment.text, comment.lang) for comment in comments])
    labels = [(score.label or "neutral") if isinstance(score, Score) else None for score in scores]
    return sum(label == LABELS[comment.label] for label, comment in zip(labels, comments, strict=True)) / len(comments)


def urgency_hits(comments: Sequence[LabelledComment], rules: int) -> Hits:
    """The hits of urgency: of all pairs of comment and reason."""
    pairs = [(urgency_of(comment.text, rules), comment.urgency) for comment in comments]
    return hits(
        (reason in predicted for predicted, _ in pairs for reason in REASONS),
        (reason in truth for _, truth in pairs for reason in REASONS),
    )


def newer_figures(scorer: Scorer) -> dict[str, object]:
    """All figures, for the card."""
    comments = newer_gold()
    figures: dict[str, object] = {
        "accuracy": round(accuracy(scorer, comments), 4),
        "mixed": rounded(mixed_hits(scorer, comments)),
        "urgency": rounded(urgency_hits(comments, scorer.model.rules)),
    }
    if isinstance(scorer, TransformerScorer):
        figures["themes"] = rounded(theme_figures(scorer, comments))
    return figures


def rounded(figures: NamedTuple) -> dict[str, float]:
    """Figures by name, with four decimals."""
    return {name: round(value, 4) for name, value in figures._asdict().items()}
