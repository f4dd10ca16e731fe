"""`python -m services.sentiment.training.e5 --data FOLDER --work FOLDER`: prepare, teach, distil, export and evaluate `e5-1`.

Each step leaves its files in the work folder and isn't done again while they are there. Needs the extra `training`, 10 GB of memory
and two hours of two cores.
"""

import argparse
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor

from services.sentiment.domain.preprocessing import cased
from services.sentiment.training.data import Row, choosing_rows
from services.sentiment.training.encoder import Reader, reader, tokenizer_of
from services.sentiment.training.examples import examples
from services.sentiment.training.fitting import Ids, Pace, fit, read_all
from services.sentiment.training.vocabulary import kept
from services.sentiment.training.wheel import read_pretrained

TEACHER = tuple(range(12))
TEACHING = Pace(epochs=2.5, rate=8e-5)
SMOOTHED = 0.05
"""Labels are noisy: what is left of each to the other classes."""


@dataclass(frozen=True, slots=True)
class Work:
    """The folders: labelled comments, and what the steps leave."""

    data: Path
    folder: Path

    @property
    def pieces(self) -> list[int]:
        found: list[int] = json.loads((self.folder / "pieces.json").read_text())
        return found

    def ids(self, rows: Sequence[Row]) -> Ids:
        made = tokenizer_of(read_pretrained(), self.pieces)
        return [found.ids for found in made.encode_batch([cased(row.text) for row in rows])]


def prepare(work: Work) -> None:
    """Choose the vocabulary."""
    texts = [cased(row.text) for row in examples(work.data)]
    (work.folder / "pieces.json").write_text(json.dumps(kept(read_pretrained().pieces, texts)))


def teach(work: Work) -> None:
    """Fine-tune all layers on the labels."""
    torch.manual_seed(0)
    rows = examples(work.data)
    print(f"{len(rows)} rows, {len(work.pieces)} pieces", flush=True)
    kinds = torch.tensor([row.kind for row in rows])
    net = reader(read_pretrained(), work.pieces, TEACHER)

    def loss(batch: list[int], logits: Tensor, _: Tensor) -> Tensor:
        return F.cross_entropy(logits, kinds[batch], label_smoothing=SMOOTHED)

    fit(net, work.ids(rows), loss, TEACHING, work.folder / "teacher.pt")


STEPS: Mapping[str, tuple[str, Callable[[Work], None]]] = {
    "prepare": ("pieces.json", prepare),
    "teach": ("teacher.pt", teach),
}


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--until", choices=STEPS)
    given = parser.parse_args(arguments)
    work = Work(given.data, given.work)
    work.folder.mkdir(parents=True, exist_ok=True)
    for name, (leaves, step) in STEPS.items():
        if not (work.folder / leaves).exists():
            print(name, flush=True)
            step(work)
        if name == given.until:
            break


if __name__ == "__main__":
    main()
