"""Quality of themes: the threshold is chosen on held-out pieces, the figures are those of other comments."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from services.sentiment.domain.reading import Meanings
from services.sentiment.domain.scoring import Comment, score_comments
from services.sentiment.domain.themes import points_of
from services.sentiment.domain.transformer import TransformerScorer
from services.sentiment.scorers import finder_of
from services.sentiment.taxonomy_cache import read_default
from services.sentiment.training.themes.data import NONE, GoldComment, Piece
from shared.events import Score, ThemeScore

SIGNS = {"neg": -1, "neu": 0, "pos": 1}
FIRM = 0.33
"""The absolute score from which on the polarity of a theme is positive or negative."""


class ThemeFigures(NamedTuple):
    """Shares from 0 to 1. `polarity`: of the correct themes, those with the correct polarity."""

    precision: float
    recall: float
    f1: float
    polarity: float


def likenesses(scorer: TransformerScorer, pieces: Sequence[Piece]) -> tuple[Meanings, NDArray[np.bool_]]:
    """Likeness of pieces and default themes (pieces × themes), and the truth. Pieces of other fields are omitted."""
    points = points_of(read_default(), scorer.meanings)
    ours = [piece for piece in pieces if piece.theme in {*points.ids, NONE}]
    bears = np.array([[piece.theme == theme for theme in points.ids] for piece in ours])
    return scorer.meanings([piece.text for piece in ours]) @ points.at.T, bears


def theme_figures(scorer: TransformerScorer, gold: Sequence[GoldComment]) -> ThemeFigures:
    """Quality of the themes of whole comments, scored as in service; every pair of comment and theme has the same weight."""
    taxonomy = read_default()
    scores = score_comments(scorer, [Comment(comment.text, comment.lang, taxonomy) for comment in gold], finder_of(scorer))
    predicted = [{t.theme: sign(t) for t in score.themes} if isinstance(score, Score) else {} for score in scores]
    return counted(predicted, [{theme: SIGNS[kind] for theme, kind in comment.themes.items()} for comment in gold])


def counted(predicted: Sequence[Mapping[str, int]], truth: Sequence[Mapping[str, int]]) -> ThemeFigures:
    right = sum(len(t.keys() & w.keys()) for t, w in zip(predicted, truth, strict=True))
    agreed = sum(t[theme] == w[theme] for t, w in zip(predicted, truth, strict=True) for theme in t.keys() & w.keys())
    precision, recall = right / max(1, sum(map(len, predicted))), right / max(1, sum(map(len, truth)))
    return ThemeFigures(precision, recall, 2 * precision * recall / max(1e-9, precision + recall), agreed / max(1, right))


def sign(theme: ThemeScore) -> int:
    return 0 if abs(theme.score) < FIRM else 1 if theme.score > 0 else -1
