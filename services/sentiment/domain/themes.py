"""Which themes of a taxonomy a comment speaks of, and how.

A theme is a point among meanings: the mean of its name with its description and of its examples. A passage bears each theme that
it is near enough to, so a taxonomy is changed by words alone. How a comment speaks of a theme is the mean score of the passages
that do.
"""

from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from threading import Lock

import numpy as np
from numpy.typing import NDArray

from services.sentiment.domain.reading import Meanings
from services.sentiment.domain.scorer import Passage
from shared.events import Theme
from shared.taxonomy import Taxonomy, ThemeDefinition

MOST_KEPT = 1_000
"""Taxonomies whose points are kept, as many as `services.sentiment.tenants_taxonomies` keeps tenants, and so the words, of.
One of 60 themes takes 92 kB. With fewer than there are tenants the same ones would be computed again and again."""

BEHIND = 0.05
"""How far a theme may be behind the likeliest one of a passage. Where themes are of one field all are near, and only this tells
them apart: with e5-1 it made 53 % F1 of 3 % on Banking77, and 60 % of 49 % on pieces kept from training.
"""

Meant = Callable[[Sequence[str]], Meanings]
"""The meanings (texts × numbers) of texts, of length one each."""


@dataclass(frozen=True, slots=True)
class Points:
    """The themes of a taxonomy by id, and where they are (themes × numbers), of length one."""

    ids: tuple[str, ...]
    at: Meanings


class Finder:
    """Finds themes. `near` is the likeness (cosine) from which on a passage bears one. Safe to call from several threads."""

    def __init__(self, meant: Meant, near: float) -> None:
        self._meant = meant
        self._near = near
        self._kept: OrderedDict[tuple[ThemeDefinition, ...], Points] = OrderedDict()
        self._lock = Lock()

    def themes(self, taxonomy: Taxonomy, passages: Sequence[Passage]) -> tuple[Theme, ...]:
        """The themes of a comment, the likeliest first."""
        if not passages:
            return ()
        points = self._points(taxonomy)
        likeness = np.stack([passage.meaning for passage in passages]) @ points.at.T
        scores = np.array([passage.score for passage in passages])
        bears = told(likeness, self._near)
        order = np.argsort(-likeness.max(axis=0), kind="stable")
        return tuple(
            Theme(points.ids[theme], round(float(scores[bears[:, theme]].mean()), 3)) for theme in order if bears[:, theme].any()
        )

    def meanings(self, texts: Sequence[str]) -> list[Meanings]:
        """The meaning of each text."""
        return list(self._meant(texts))

    def words_to_prepare(self, taxonomy: Taxonomy) -> list[str]:
        """The texts whose meanings `prepare` needs; none if the taxonomy is prepared."""
        with self._lock:
            return [] if taxonomy.themes in self._kept else [text for texts in words_of(taxonomy) for text in texts]

    def prepare(self, taxonomy: Taxonomy, meanings: Sequence[Meanings]) -> None:
        """Keep where the themes of a taxonomy are, by the meanings of its words."""
        self._keep(taxonomy, points_from(taxonomy, np.stack(meanings)))

    def _points(self, taxonomy: Taxonomy) -> Points:
        with self._lock:
            known = self._kept.get(taxonomy.themes)
        if known is None:
            known = points_of(taxonomy, self._meant)
        self._keep(taxonomy, known)
        return known

    def _keep(self, taxonomy: Taxonomy, points: Points) -> None:
        with self._lock:
            self._kept[taxonomy.themes] = points
            self._kept.move_to_end(taxonomy.themes)
            if len(self._kept) > MOST_KEPT:
                self._kept.popitem(last=False)


def told(likeness: Meanings, near: float) -> NDArray[np.bool_]:
    """Which themes (passages × themes) are told: those near enough that the likeliest of the passage is not much likelier."""
    even = likeness.round(4)
    bears: NDArray[np.bool_] = (even >= near) & (even >= even.max(axis=1, keepdims=True) - BEHIND)
    return bears


def words_of(taxonomy: Taxonomy) -> list[tuple[str, ...]]:
    """The texts that tell what each theme is about."""
    return [(f"{theme.name}. {theme.description}", *theme.examples) for theme in taxonomy.themes]


def points_of(taxonomy: Taxonomy, meant: Meant) -> Points:
    """Where the themes of a taxonomy are."""
    return points_from(taxonomy, meant([text for texts in words_of(taxonomy) for text in texts]))


def points_from(taxonomy: Taxonomy, found: Meanings) -> Points:
    """The same, by the meanings of all its words in their order."""
    words = words_of(taxonomy)
    ends = np.cumsum([len(texts) for texts in words])
    means = np.stack([found[end - len(texts) : end].mean(axis=0) for texts, end in zip(words, ends, strict=True)])
    return Points(tuple(theme.id for theme in taxonomy.themes), means / np.linalg.norm(means, axis=1, keepdims=True))
