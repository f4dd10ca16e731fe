"""`python -m services.sentiment.training.e5 --data FOLDER --work FOLDER`: prepare, teach, distil, export and evaluate `MODEL`.

Each step leaves its files in the work folder and isn't done again while they are there. Needs the extra `training`, 10 GB of
memory and two hours of two cores.
"""

import json
from collections.abc import Sequence
from hashlib import sha256
from itertools import count

import msgspec
import numpy as np
import torch
from tokenizers import Tokenizer
from torch import Tensor
from torch.nn import functional

from services.sentiment.domain.preprocessing import cased
from services.sentiment.domain.versions import LATEST
from services.sentiment.training.data import Row
from services.sentiment.training.encoder import Outputs, Reader, reader, tokenizer_of_pieces
from services.sentiment.training.examples import examples
from services.sentiment.training.finishing import MODEL, Fitted, Steps, Work, finish, ids_of, run_steps
from services.sentiment.training.fitting import Ids, Pace, fit, means, read_all
from services.sentiment.training.meaning import principal
from services.sentiment.training.side_lessons import SideLessons
from services.sentiment.training.vocabulary import choose_pieces
from services.sentiment.training.wheel import read_pretrained

TEACHER = tuple(range(12))
STUDENT = (0, 2, 3, 5, 6, 8, 9, 11)
"""The teacher's layers with which the student starts."""
TEACHING = Pace(epochs=2.0, rate=8e-5)
DROPPED = 0.1
"""Dropout of the teacher's layers; the student is trained on all of them."""
LEARNING = Pace(epochs=3.0, rate=1e-4, decay=0.95)
WARMTH = 2.0
"""The temperature of distillation (Hinton et al., 2015)."""
OWN_EYES = 0.25
"""Weight of the labels against the teacher's probabilities."""
MEANT = 40_000
"""Rows whose embedding is copied from the encoder before fine-tuning."""
LESSON_EVERY = 3
"""Steps between two lessons in themes."""
BOTH_EVERY = 5
"""Steps between two lessons in praise beside complaint."""
QUERY = "query: "
"""The prefix that e5 expects; fine-tuned models need none."""
SMOOTHED = 0.05
"""Label smoothing, since labels are noisy."""


ABOUT = {
    "kind": f"multilingual-e5-small (MIT), {len(STUDENT)} of 12 layers, distilled from a teacher with all; eight-bit ONNX",
    "trained_with": "python -m services.sentiment.training.e5 --data FOLDER --work FOLDER",
}


class FromEncoder(Work):
    """A training that begins with the encoder."""

    def rows(self) -> list[Row]:
        """The training rows. Raises SystemExit if they differ from those of earlier steps, which refer to rows by number."""
        rows, path = examples(self.data), self.folder / "rows.txt"
        digest = sha256(msgspec.json.encode([(row.text, row.label) for row in rows])).hexdigest()
        if not path.exists():
            path.write_text(digest)
        if path.read_text() != digest:
            raise SystemExit(f"the data or our own sentences have changed: delete {self.folder} and start again")
        return rows

    @property
    def pieces(self) -> list[int]:
        indices: list[int] = json.loads((self.folder / "pieces.json").read_text())
        return indices

    def tokenizer(self) -> Tokenizer:
        return tokenizer_of_pieces(read_pretrained(), self.pieces)

    def ids(self, rows: Sequence[Row], lead: str = "") -> Ids:
        return ids_of(self.tokenizer(), [row.text for row in rows], lead)

    def teacher(self) -> Reader:
        net = reader(read_pretrained(), self.pieces, TEACHER)
        net.load_state_dict(torch.load(self.folder / "teacher.pt"))
        return net


def prepare(work: FromEncoder) -> None:
    """Choose the vocabulary."""
    texts = [cased(row.text, LATEST) for row in work.rows()]
    (work.folder / "pieces.json").write_text(json.dumps(choose_pieces(read_pretrained().pieces, texts)))


def teach(work: FromEncoder) -> None:
    """Fine-tune all layers on the labels."""
    torch.manual_seed(0)
    rows = work.rows()
    print(f"{len(rows)} rows, {len(work.pieces)} pieces", flush=True)
    kinds = torch.tensor([row.kind for row in rows])
    net = reader(read_pretrained(), work.pieces, TEACHER, DROPPED)

    def loss(batch: list[int], outputs: Outputs) -> Tensor:
        return functional.cross_entropy(outputs.logits, kinds[batch], label_smoothing=SMOOTHED)

    fit(net, work.ids(rows), loss, TEACHING, work.folder / "teacher.pt")


def soften(work: FromEncoder) -> None:
    """Store the teacher's logits and states of each row, and the original encoder's embeddings of some rows."""
    rows = work.rows()
    ids = work.ids(rows)
    logits, tops = read_all(work.teacher(), ids)
    chosen = np.sort(np.random.default_rng(0).permutation(len(rows))[:MEANT])
    raw = reader(read_pretrained(), work.pieces, TEACHER)
    meant = principal(means(raw, work.ids([rows[place] for place in chosen], lead=QUERY)))
    np.savez(work.folder / "soft.npz", logits=logits, tops=tops.astype(np.float16), chosen=chosen, meant=meant)


def distil(work: FromEncoder) -> None:
    """Fit the student to the teacher's logits and states, the labels, the encoder's embeddings, and themes."""
    torch.manual_seed(0)
    rows = work.rows()
    kinds = torch.tensor([row.kind for row in rows])
    with np.load(work.folder / "soft.npz") as soft:
        views = functional.softmax(torch.from_numpy(soft["logits"]) / WARMTH, dim=1)
        tops = torch.from_numpy(soft["tops"].astype(np.float32))
        meanings = dict(zip(soft["chosen"].tolist(), torch.from_numpy(soft["meant"]), strict=True))
    spread = tops.std(0)
    net = student(work)
    lessons = SideLessons(net, work.tokenizer(), rows)
    steps = count(1)

    def loss(batch: list[int], outputs: Outputs) -> Tensor:
        view = functional.log_softmax(outputs.logits / WARMTH, dim=1)
        cost = WARMTH**2 * functional.kl_div(view, views[batch], reduction="batchmean")
        cost = cost + OWN_EYES * functional.cross_entropy(outputs.logits, kinds[batch], label_smoothing=SMOOTHED)
        cost = cost + ((outputs.top - tops[batch]) / spread).square().mean()
        copied = [place for place, row in enumerate(batch) if row in meanings]
        if copied:
            originals = torch.stack([meanings[batch[place]] for place in copied])
            cost = cost + (1 - (outputs.meaning[copied] * originals).sum(1)).mean()
        step = next(steps)
        if step % BOTH_EVERY == 0:
            cost = cost + lessons.both_loss()
        if step % LESSON_EVERY == 0:
            cost = cost + lessons.theme_loss()
        return cost

    fit(net, work.ids(rows), loss, LEARNING, work.folder / "student.pt")


def student(work: FromEncoder) -> Reader:
    """The initial student: some of the teacher's layers, and its head."""
    net = reader(read_pretrained(), work.pieces, STUDENT)
    taught = torch.load(work.folder / "teacher.pt")
    state = {name: value for name, value in taught.items() if ".layer." not in name}
    for place, layer in enumerate(STUDENT):
        old = f".layer.{layer}."
        state |= {name.replace(old, f".layer.{place}."): value for name, value in taught.items() if old in name}
    net.load_state_dict(state)
    return net


def finish_student(work: FromEncoder) -> None:
    """Write the student's files and its card."""
    net = reader(read_pretrained(), work.pieces, STUDENT)
    net.load_state_dict(torch.load(work.folder / "student.pt"))
    finish(Fitted(net, work.tokenizer(), work.rows(), ABOUT), work.data, work.folder)


STEPS: Steps = {
    "prepare": ("pieces.json", prepare),
    "teach": ("teacher.pt", teach),
    "soften": ("soft.npz", soften),
    "distil": ("student.pt", distil),
    "finish": (f"shipped/{MODEL}.json", finish_student),
}


def main(arguments: Sequence[str] | None = None) -> None:
    run_steps(FromEncoder, STEPS, __doc__, arguments)


if __name__ == "__main__":
    main()
