"""The linear model: logistic regressions over hashed words, pairs of words and parts of words, in numpy.

Parts of words carry over to forms and compounds that training never saw. Hashing needs no vocabulary in memory; CRC-32 gives the
same bin on every machine.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from services.sentiment.domain.preprocessing import prepared
from services.sentiment.domain.reading import LABELS, Manner, Numbers, Reading, opinions, softmax
from services.sentiment.domain.scorer import Model, Opinion

BITS = 20
BINS = 1 << BITS
TOKEN = re.compile(r"[^\W_]+(?:'[^\W_]+)*|[!?]+|\.\.")
WORD_PARTS = (3, 4, 5)
LONGEST_WORD = 30
"""Characters of a word that are read."""
CACHED_WORDS = 1 << 15


class Features(NamedTuple):
    """The bins of each text and how often they occur, as parallel arrays ordered by text and bin."""

    texts: NDArray[np.int64]
    bins: NDArray[np.int64]
    counts: NDArray[np.int64]


def features(texts: Sequence[str]) -> Features:
    """The features of prepared texts."""
    bins_by_text = [bins_of(text) for text in texts]
    owners = np.repeat(np.arange(len(texts), dtype=np.int64), [len(bins) for bins in bins_by_text])
    flat = np.fromiter((number for bins in bins_by_text for number in bins), dtype=np.int64, count=len(owners))
    keys, counts = np.unique(owners << BITS | flat, return_counts=True)
    return Features(keys >> BITS, keys & (BINS - 1), counts.astype(np.int64))


def bins_of(text: str) -> list[int]:
    """The bins of one prepared text, one entry for each occurrence."""
    words = TOKEN.findall(text)
    numbers = [number for word in words for number in bins_of_word(word)]
    numbers += [_bin(f"{one} {next_one}", 2) for one, next_one in zip(["^", *words], [*words, "$"], strict=True)]
    return numbers


@lru_cache(CACHED_WORDS)
def bins_of_word(word: str) -> tuple[int, ...]:
    """The bins of a word and of its parts, with its ends marked."""
    framed = f"<{word[:LONGEST_WORD]}>"
    parts = [framed[i : i + size] for size in WORD_PARTS for i in range(len(framed) - size + 1)]
    return (_bin(word, 1), *(_bin(part, 3) for part in parts))


def _bin(text: str, kind: int) -> int:
    return crc32(text.encode(), kind) & (BINS - 1)


@dataclass(frozen=True, slots=True)
class LinearModel:
    """The trained parameters.

    `weights` (bins × negative, neutral, positive) and `idf` (inverse document frequency by bin, 0 for one that training never
    saw) are integers in units of `weight_unit` and `idf_unit`. `temperature` calibrates.
    """

    model: Model
    weights: NDArray[np.int8]
    weight_unit: float
    idf: NDArray[np.uint8]
    idf_unit: float
    bias: Numbers
    temperature: float
    manner: Manner


class LinearScorer:
    """Scores with trained parameters. The score of a text does not depend on others in its batch."""

    def __init__(self, trained: LinearModel) -> None:
        self.model = trained.model
        self._trained = trained

    def score(self, texts: Sequence[str]) -> list[Opinion]:
        """The opinion of each text, from its readings as a whole and in pieces."""
        return opinions(texts, self.read, self._trained.manner, self.model.rules)

    def read(self, texts: Sequence[str]) -> Reading:
        """The reading of each text as a whole."""
        logits = decisions(self._trained, features([prepared(text) for text in texts]), len(texts))
        return Reading(softmax(logits, self._trained.temperature))


def decisions(trained: LinearModel, hashed: Features, texts: int) -> Numbers:
    """Logits (texts × classes), summed in the order of a text's bins, so that they do not depend on its batch."""
    values = unit_values(hashed, trained.idf[hashed.bins].astype(np.float64) * trained.idf_unit, texts) * trained.weight_unit
    weights = trained.weights[hashed.bins]
    columns = [np.bincount(hashed.texts, values * weights[:, kind], minlength=texts) for kind in range(len(LABELS))]
    logits: Numbers = np.stack(columns, axis=1) + trained.bias
    return logits


def unit_values(hashed: Features, idf: Numbers, texts: int) -> Numbers:
    """TF-IDF with 1 + ln(count), normalised to unit length per text. `idf` holds a value for each entry of `hashed`."""
    values = (1 + np.log(hashed.counts)) * idf
    lengths = np.sqrt(np.bincount(hashed.texts, values * values, minlength=texts))
    lengths[lengths == 0] = 1
    scaled: Numbers = values / lengths[hashed.texts]
    return scaled
