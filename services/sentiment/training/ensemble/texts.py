"""The arrays that `prepare` writes, and batches of its texts on the device."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

PAD = 1
"""The token that fills short texts of a batch; both networks have the same."""
FOLDS = 4
ALIKE = 50
"""Batches among which texts are sorted by length."""


class Texts:
    """The arrays by name, and the texts of the pool as batches on a device.

    `work` is the folder of the arrays; every step leaves its files there.
    """

    def __init__(self, work: Path, device: str) -> None:
        with np.load(work / "texts.npz") as arrays:
            self.arrays: dict[str, np.ndarray] = {name: arrays[name] for name in arrays.files}
        self.work = work
        self.device = device
        self.lengths: dict[str, np.ndarray] = {}
        self._tokens: dict[str, tuple[Tensor, Tensor, Tensor]] = {}

    def __getitem__(self, name: str) -> np.ndarray:
        return self.arrays[name]

    def __len__(self) -> int:
        """The number of texts in the pool."""
        return len(self.arrays["english"])

    def tensor(self, name: str) -> Tensor:
        """An array on the device."""
        return torch.from_numpy(np.ascontiguousarray(self.arrays[name])).to(self.device)

    def use(self, kind: str) -> None:
        """Move the tokens for one kind of network, `e5` or `mpnet`, to the device; `batch` and `lengths` need that."""
        ends = self.arrays[f"{kind}.end"].astype(np.int64)
        begins = np.concatenate([[0], ends[:-1]])
        flat = torch.from_numpy(self.arrays[f"{kind}.tokens"].astype(np.int32)).to(self.device)
        self.lengths[kind] = ends - begins
        self._tokens[kind] = (flat, torch.from_numpy(begins).to(self.device), torch.from_numpy(ends - begins).to(self.device))

    def batch(self, kind: str, numbers: np.ndarray) -> tuple[Tensor, Tensor]:
        """Ids and mask (texts × tokens) of the texts with these numbers. The tokens are a multiple of eight."""
        flat, begins, lengths = self._tokens[kind]
        longest = -(-int(self.lengths[kind][numbers].max()) // 8) * 8
        at = torch.from_numpy(numbers.astype(np.int64)).to(self.device)
        offsets = torch.arange(longest, device=self.device)[None, :]
        mask = offsets < lengths[at][:, None]
        ids = flat[(begins[at][:, None] + offsets).clamp(max=len(flat) - 1)].long()
        return torch.where(mask, ids, PAD), mask

    def by_length(self, kind: str, numbers: np.ndarray) -> np.ndarray:
        """The places in `numbers`, the shortest text first."""
        return np.argsort(self.lengths[kind][numbers], kind="stable")

    def folds(self) -> np.ndarray:
        """The fold of each text of the pool: the teacher of a fold is not taught the labels of its texts."""
        return np.random.default_rng(7).integers(0, FOLDS, len(self))


def batches(lengths: np.ndarray, size: int, seed: int) -> Iterator[np.ndarray]:
    """Batches of places in `lengths`, without end: each place once per epoch, texts of similar lengths in one batch."""
    chance = np.random.default_rng(seed)
    while True:
        places = chance.permutation(len(lengths))
        for start in range(0, len(places), ALIKE * size):
            alike = places[start : start + ALIKE * size]
            alike = alike[np.argsort(lengths[alike], kind="stable")]
            cut = [alike[first : first + size] for first in range(0, len(alike), size)]
            chance.shuffle(cut)
            yield from cut


def parts(array: np.ndarray, ends: np.ndarray) -> list[np.ndarray]:
    """An array cut at `ends`, the last of which is its own end."""
    return [array[begin:end] for begin, end in zip([0, *ends[:-1]], ends, strict=True)]
