"""Targets for the meaning head: the encoder before fine-tuning, and pieces labelled with themes.

Themes are learnt as the service matches them: a theme is the mean of a few of its examples, drawn again each time, and a piece
has the theme if it is near enough. The model learns likeness, not a list of themes, so a tenant's own themes need no training.
"""

import random
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from services.sentiment.training.encoder import MEANING
from services.sentiment.training.themes.data import NONE, Piece, elsewhere

EXAMPLES, QUERIES = 4, 2
"""Pieces of a theme in a lesson: as examples, and as queries."""
THEMES, OTHERS = 10, 6
"""Themes of one lesson, and its pieces that have no theme."""
HELD_OUT = 5
"""Each fifth piece is held out, to choose the threshold."""

FLOOR = 1.0
"""Regularisation of the covariance within themes, as a share of its mean, since there are few pieces."""

Floats = NDArray[np.float32]


class Focus(NamedTuple):
    """The last step of a meaning: a rotation `turn` (dimensions × dimensions) and a `shift`."""

    turn: Floats
    shift: Floats


class Lesson(NamedTuple):
    """Texts: the examples by theme, then the queries. `bears` (queries × themes) is the truth."""

    texts: list[str]
    bears: Tensor


def split(pieces: Sequence[Piece]) -> tuple[list[Piece], list[Piece]]:
    """Training pieces and held-out pieces: each fifth of a theme and language is held out."""
    seen: dict[tuple[str, str], int] = defaultdict(int)
    learnt: list[Piece] = []
    held: list[Piece] = []
    for piece in pieces:
        seen[piece.theme, piece.lang] += 1
        (held if seen[piece.theme, piece.lang] % HELD_OUT == 0 else learnt).append(piece)
    return learnt, held


class Lessons:
    """Draws lessons, each from one field: customer service or another."""

    def __init__(self, pieces: Sequence[Piece]) -> None:
        others = {theme.id for theme in elsewhere().themes}
        by_theme: dict[str, list[str]] = defaultdict(list)
        for piece in pieces:
            by_theme[piece.theme].append(piece.text)
        self._none = by_theme.pop(NONE)
        self._by_theme: Mapping[str, list[str]] = by_theme
        self._fields = [[t for t in by_theme if t not in others], [t for t in by_theme if t in others]]
        self._chance = random.Random(0)

    def draw(self) -> Lesson:
        chance = self._chance
        field = chance.choices(self._fields, weights=(2, 1))[0]
        themes = chance.sample(field, min(THEMES, len(field)))
        examples: list[str] = []
        queries: list[str] = []
        for theme in themes:
            drawn = chance.sample(self._by_theme[theme], EXAMPLES + QUERIES)
            examples += drawn[:EXAMPLES]
            queries += drawn[EXAMPLES:]
        queries += chance.sample(self._none, OTHERS)
        bears = torch.zeros(len(queries), len(themes))
        for place in range(len(themes)):
            bears[place * QUERIES : (place + 1) * QUERIES, place] = 1
        return Lesson(examples + queries, bears)


def nearness_loss(meant: Tensor, bears: Tensor, midway: float = 0.5, steep: float = 12.0) -> Tensor:
    """The loss of the likeness of pieces and themes; matches and others have the same weight."""
    themes = bears.shape[1]
    means = functional.normalize(meant[: themes * EXAMPLES].view(themes, EXAMPLES, -1).mean(1), dim=1)
    likeness = meant[themes * EXAMPLES :] @ means.T
    heft = torch.where(bears > 0, (bears == 0).sum() / bears.sum(), 1.0)
    return functional.binary_cross_entropy_with_logits(steep * (likeness - midway), bears, weight=heft) / 2


def focused(vectors: Floats, themes: Sequence[str]) -> Focus:
    """The linear map that brings vectors of one theme closer: directions in which pieces of the same theme differ count for less
    (within-class covariance normalisation, Hatch et al., Interspeech 2006). Pieces of no theme are used for the centre alone.
    """
    centre, spread = vectors.mean(axis=0), vectors.std(axis=0) + 1e-3
    even = (vectors - centre) / spread
    named = np.array(themes)
    apart = np.concatenate([even[named == t] - even[named == t].mean(axis=0) for t in sorted({*themes} - {NONE})])
    within = apart.T @ apart / len(apart)
    within += FLOOR * np.trace(within) / len(within) * np.eye(len(within))
    sizes, axes = np.linalg.eigh(within)
    turn = (axes / np.sqrt(sizes)) / spread[:, None]
    return Focus(turn.astype(np.float32), (-centre @ turn).astype(np.float32))


def principal(vectors: Floats, numbers: int = MEANING) -> Floats:
    """Unit vectors of `numbers` dimensions that keep most differences between `vectors`. Their mean is subtracted."""
    centred = vectors - vectors.mean(0)
    _, _, axes = np.linalg.svd(centred[:: max(1, len(centred) // 20_000)], full_matrices=False)
    turned = centred @ axes[:numbers].T
    units: Floats = (turned / np.linalg.norm(turned, axis=1, keepdims=True)).astype(np.float32)
    return units
