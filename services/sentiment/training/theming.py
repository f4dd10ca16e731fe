"""Themes held against labels: the bar is chosen by pieces kept from training, the figures are of comments never chosen by."""

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
from shared.events import Score, Theme

SIGNS = {"neg": -1, "neu": 0, "pos": 1}
FIRM = 0.33
"""The score from which on a theme's polarity is told as good or bad."""


class ThemeFigures(NamedTuple):
    """Shares of one. `polarity`: of the themes rightly found, those whose polarity is right too."""

    precision: float
    recall: float
    f1: float
    polarity: float


def likenesses(scorer: TransformerScorer, pieces: Sequence[Piece]) -> tuple[Meanings, NDArray[np.bool_]]:
    """How like each piece is to each theme that ships (pieces × themes), and which it bears. Other fields' are left out."""
    points = points_of(read_default(), scorer.meanings)
    ours = [piece for piece in pieces if piece.theme in {*points.ids, NONE}]
    bears = np.array([[piece.theme == theme for theme in points.ids] for piece in ours])
    return scorer.meanings([piece.text for piece in ours]) @ points.at.T, bears


def theme_figures(scorer: TransformerScorer, gold: Sequence[GoldComment]) -> ThemeFigures:
    """How well the themes of whole comments are found, as in service; every pair of comment and theme counts alike."""
    taxonomy = read_default()
    scores = score_comments(scorer, [Comment(comment.text, comment.lang, taxonomy) for comment in gold], finder_of(scorer))
    told = [{t.theme: sign(t) for t in score.themes} if isinstance(score, Score) else {} for score in scores]
    return counted(told, [{theme: SIGNS[kind] for theme, kind in comment.themes.items()} for comment in gold])


def counted(told: Sequence[Mapping[str, int]], truth: Sequence[Mapping[str, int]]) -> ThemeFigures:
    right = sum(len(t.keys() & w.keys()) for t, w in zip(told, truth, strict=True))
    agreed = sum(t[theme] == w[theme] for t, w in zip(told, truth, strict=True) for theme in t.keys() & w.keys())
    precision, recall = right / max(1, sum(map(len, told))), right / max(1, sum(map(len, truth)))
    return ThemeFigures(precision, recall, 2 * precision * recall / max(1e-9, precision + recall), agreed / max(1, right))


def sign(theme: Theme) -> int:
    return 0 if abs(theme.score) < FIRM else 1 if theme.score > 0 else -1
