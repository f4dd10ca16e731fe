"""What the linear model sees of a text: words, pairs of words, and pieces of words, as numbers of hashed bins.

The pieces carry over to forms and compounds that training never met; hashing needs no vocabulary in memory. CRC-32 gives the same
bin on every machine and in every process.
"""

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

BITS = 20
BINS = 1 << BITS
TOKEN = re.compile(r"[^\W_]+(?:'[^\W_]+)*|[!?]+|\.\.")
PIECES = (3, 4, 5)
LONGEST_WORD = 30
"""Characters of a word that are looked at: longer ones are no words."""
CACHED_WORDS = 1 << 15


class Features(NamedTuple):
    """The bins that occur in each text: parallel arrays, ordered by text and bin. `counts` says how often."""

    texts: NDArray[np.int64]
    bins: NDArray[np.int64]
    counts: NDArray[np.int64]


def features(texts: Sequence[str]) -> Features:
    """The features of prepared texts."""
    found = [bins_of(text) for text in texts]
    owners = np.repeat(np.arange(len(texts), dtype=np.int64), [len(bins) for bins in found])
    flat = np.fromiter((number for bins in found for number in bins), dtype=np.int64, count=len(owners))
    keys, counts = np.unique(owners << BITS | flat, return_counts=True)
    return Features(keys >> BITS, keys & (BINS - 1), counts.astype(np.int64))


def bins_of(text: str) -> list[int]:
    """The bins of one prepared text, those that occur twice twice."""
    words = TOKEN.findall(text)
    found = [number for word in words for number in bins_of_word(word)]
    found += [_bin(f"{one} {next_one}", 2) for one, next_one in zip(["^", *words], [*words, "$"], strict=True)]
    return found


@lru_cache(CACHED_WORDS)
def bins_of_word(word: str) -> tuple[int, ...]:
    """The word itself and its pieces, its ends marked."""
    framed = f"<{word[:LONGEST_WORD]}>"
    pieces = [framed[i : i + size] for size in PIECES for i in range(len(framed) - size + 1)]
    return (_bin(word, 1), *(_bin(piece, 3) for piece in pieces))


def _bin(text: str, kind: int) -> int:
    return crc32(text.encode(), kind) & (BINS - 1)
