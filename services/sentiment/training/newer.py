"""Figures of a model and of urgency on the 200 newer comments: label, `mixed`, themes and urgency."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from services.sentiment.domain.scorer import Scorer
from services.sentiment.domain.scoring import Comment, Unscorable, score_comments
from services.sentiment.domain.transformer import TransformerScorer
from services.sentiment.domain.urgency import REASONS
from services.sentiment.training.themes.data import LabelledComment, newer_gold
from services.sentiment.training.theming import theme_figures
from shared.events import Score

Scores = Sequence[Score | Unscorable]

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


def mixed_hits(scores: Scores, comments: Sequence[LabelledComment]) -> Hits:
    """The hits of `mixed`."""
    return hits((isinstance(score, Score) and score.mixed for score in scores), (comment.mixed for comment in comments))


def accuracy(scores: Scores, comments: Sequence[LabelledComment]) -> float:
    """The share of right labels; a non-answer counts as neutral."""
    labels = [(score.label or "neutral") if isinstance(score, Score) else None for score in scores]
    return sum(label == LABELS[comment.label] for label, comment in zip(labels, comments, strict=True)) / len(comments)


def urgency_hits(scores: Scores, comments: Sequence[LabelledComment]) -> Hits:
    """The hits of urgency: of all pairs of comment and reason."""
    pairs = [(score.urgency if isinstance(score, Score) else (), c.urgency) for score, c in zip(scores, comments, strict=True)]
    return hits(
        (reason in predicted for predicted, _ in pairs for reason in REASONS),
        (reason in truth for _, truth in pairs for reason in REASONS),
    )


def newer_figures(scorer: Scorer) -> dict[str, object]:
    """All figures for the card, of comments scored as in service."""
    comments = newer_gold()
    scores = score_comments(scorer, [Comment(comment.text, comment.lang) for comment in comments])
    figures: dict[str, object] = {
        "accuracy": round(accuracy(scores, comments), 4),
        "mixed": rounded(mixed_hits(scores, comments)),
        "urgency": rounded(urgency_hits(scores, comments)),
    }
    if isinstance(scorer, TransformerScorer):
        figures["themes"] = rounded(theme_figures(scorer, comments))
    return figures


def rounded(figures: NamedTuple) -> dict[str, float]:
    """Figures by name, with four decimals."""
    return {name: round(value, 4) for name, value in figures._asdict().items()}
