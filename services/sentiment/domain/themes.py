"""Find the themes of a comment, and the sentiment about each.

A theme is a point in the space of meanings (embeddings): the mean of its examples and of its name with its description. A passage
matches the themes that are near to it, so a new taxonomy needs no training. The score of a theme is the mean score of the
passages that match it.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from threading import Lock

import numpy as np
from cachetools import LRUCache
from numpy.typing import NDArray

from services.sentiment.domain.reading import Meanings
from services.sentiment.domain.scorer import Passage
from shared.events import ThemeScore
from shared.taxonomy import Taxonomy, ThemeDefinition

MAX_TAXONOMIES = 1_000
"""Taxonomies whose points are cached: as many as `services.sentiment.taxonomy_cache` caches tenants. One of 60 themes takes 92
kB.

A smaller cache than there are tenants would compute the same points again and again.
"""

BEHIND = 0.05
"""How far the likeness of a theme may be below the highest of a passage, unless a network's file says otherwise.

All themes of one field are near to a passage; this limit separates them. With e5-1 it raised F1 from 3 % to 53 % on Banking77,
and from 49 % to 60 % on pieces held out from training.
"""

Embed = Callable[[Sequence[str]], Meanings]
"""The meanings of texts (texts × dimensions), as unit vectors."""


@dataclass(frozen=True, slots=True)
class Points:
    """The ids of themes and their points (themes × dimensions), as unit vectors."""

    ids: tuple[str, ...]
    at: Meanings


class Finder:
    """Finds themes. From the cosine likeness `near` on, and at most `behind` below that of the likeliest, a passage matches a
    theme. Thread-safe.
    """

    def __init__(self, embed: Embed, near: float, behind: float = BEHIND) -> None:
        self._embed = embed
        self._near = near
        self._behind = behind
        self._points_by_themes: LRUCache[tuple[ThemeDefinition, ...], Points] = LRUCache(MAX_TAXONOMIES)
        self._lock = Lock()

    def themes(self, taxonomy: Taxonomy, passages: Sequence[Passage]) -> tuple[ThemeScore, ...]:
        """The themes of a comment, by falling likeness."""
        if not passages:
            return ()
        points = self._points_of(taxonomy)
        likeness = np.stack([passage.meaning for passage in passages]) @ points.at.T
        scores = np.array([passage.score for passage in passages])
        matching = matches(likeness, self._near, self._behind)
        columns = np.flatnonzero(matching.any(axis=0))
        order = columns[np.argsort(-likeness[:, columns].max(axis=0), kind="stable")] if len(columns) > 1 else columns
        return tuple(ThemeScore(points.ids[theme], round(float(scores[matching[:, theme]].mean()), 3)) for theme in order)

    def meanings(self, texts: Sequence[str]) -> list[Meanings]:
        """The meaning of each text."""
        return list(self._embed(texts))

    def texts_to_prepare(self, taxonomy: Taxonomy) -> list[str]:
        """The texts whose meanings `prepare` needs; none if the taxonomy is cached."""
        with self._lock:
            return (
                [] if taxonomy.themes in self._points_by_themes else [text for texts in theme_texts(taxonomy) for text in texts]
            )

    def prepare(self, taxonomy: Taxonomy, meanings: Sequence[Meanings]) -> None:
        """Cache the points of a taxonomy. `meanings` are those of `texts_to_prepare`, in order."""
        points = points_from_meanings(taxonomy, np.stack(meanings))
        with self._lock:
            self._points_by_themes[taxonomy.themes] = points

    def _points_of(self, taxonomy: Taxonomy) -> Points:
        with self._lock:
            points = self._points_by_themes.get(taxonomy.themes)
        if points is None:
            points = points_of(taxonomy, self._embed)
            with self._lock:
                self._points_by_themes[taxonomy.themes] = points
        return points


def matches(likeness: Meanings, near: float, behind: float = BEHIND) -> NDArray[np.bool_]:
    """Which themes match (passages × themes): the likeness is at least `near`, and at most `behind` below the highest one."""
    rounded = likeness.round(4)
    result: NDArray[np.bool_] = (rounded >= near) & (rounded >= rounded.max(axis=1, keepdims=True) - behind)
    return result


def theme_texts(taxonomy: Taxonomy) -> list[tuple[str, ...]]:
    """The texts that define each theme."""
    return [(f"{theme.name}. {theme.description}", *theme.examples) for theme in taxonomy.themes]


def points_of(taxonomy: Taxonomy, embed: Embed) -> Points:
    """The points of a taxonomy's themes."""
    return points_from_meanings(taxonomy, embed([text for texts in theme_texts(taxonomy) for text in texts]))


def points_from_meanings(taxonomy: Taxonomy, meanings: Meanings) -> Points:
    """The points of a taxonomy's themes, from the meanings of all its texts in order."""
    words = theme_texts(taxonomy)
    ends = np.cumsum([len(texts) for texts in words])
    means = np.stack([meanings[end - len(texts) : end].mean(axis=0) for texts, end in zip(words, ends, strict=True)])
    return Points(tuple(theme.id for theme in taxonomy.themes), means / np.linalg.norm(means, axis=1, keepdims=True))
