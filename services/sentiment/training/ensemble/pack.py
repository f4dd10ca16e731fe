"""Pack the weights with which `learn` begins: matrices as whole numbers of eight bits with a unit for each row."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from services.sentiment.training.rounding import by_row

Floats = NDArray[np.float32]
LARGE = 100_000
"""Numbers from which on a matrix is rounded."""
PARTS = {
    "attention.attn.q": "attention.self.query", "attention.attn.k": "attention.self.key",
    "attention.attn.v": "attention.self.value", "attention.attn.o": "attention.output.dense",
    "attention.LayerNorm": "attention.output.LayerNorm",
}  # fmt: skip
"""Names of a layer's parts in MPNet → those in BERT."""


def packed(weights: Mapping[str, Floats]) -> dict[str, NDArray[np.generic]]:
    """The arrays of a file: `NAME` as it is; or of a large matrix `NAME|8`, whole numbers from -127 to 127, and `NAME|unit`,
    the unit of each row. `networks.unpacked` multiplies them."""
    arrays: dict[str, NDArray[np.generic]] = {}
    for name, value in weights.items():
        if value.ndim == 2 and value.size > LARGE:
            arrays[f"{name}|8"], arrays[f"{name}|unit"] = by_row(value)
        else:
            arrays[name] = value.astype(np.float32)
    return arrays


def save(path: Path, weights: Mapping[str, Floats]) -> None:
    """Write weights to a file (`.npz`)."""
    np.savez(path, allow_pickle=False, **packed(weights))


def named_as_bert(weights: Mapping[str, Floats], used: NDArray[np.int64]) -> dict[str, Floats]:
    """MPNet's weights under BERT's names, with the word embeddings of the `used` tokens alone."""
    result = {}
    for name, value in weights.items():
        for ours, theirs in PARTS.items():
            name = name.replace(ours, theirs)
        result[name] = value[used] if name == "embeddings.word_embeddings.weight" else value
    return {name: value for name, value in result.items() if not name.startswith("pooler")}
