"""`python -m services.sentiment.training.refine --data FOLDER --work FOLDER`: train `e5-3` from the shipped `e5-2`.

The upper layers learn our sentences of further kinds, themes, and praise beside complaint; of all other comments they keep the
opinion of e5-2 (learning without forgetting, Li and Hoiem, 2016). The lower layers and the vocabulary stay. Each step leaves
its files in the work folder and isn't done again while they are there. Needs the extra `training` and two hours of two cores;
without AVX-512, training from the encoder (`e5.py`) needs about ten.
"""

import random
from collections.abc import Sequence
from itertools import count

import numpy as np
import torch
from tokenizers import Tokenizer
from torch import Tensor
from torch.nn import functional

from services.sentiment.domain.preprocessing import cased
from services.sentiment.domain.versions import LATEST
from services.sentiment.network import PREVIOUS_E5, OnnxNetwork, read_transformer, tokenizer_of
from services.sentiment.training.data import Row, training_rows
from services.sentiment.training.encoder import LONGEST, Outputs, Reader
from services.sentiment.training.examples import LOWERED, MOST, drawn, lowered, slips
from services.sentiment.training.finishing import MODEL, Fitted, Steps, Work, finish, ids_of, run_steps
from services.sentiment.training.fitting import Pace, fit
from services.sentiment.training.importing import imported_reader, read_exported
from services.sentiment.training.own.templates import own_rows
from services.sentiment.training.side_lessons import SideLessons
from services.sentiment.training.wheel import read_pretrained

PUBLIC = 45_000
"""Public comments that are read again."""
FIXED = 4
"""Lower layers that stay as they are."""
PACE = Pace(epochs=1.0, rate=1e-4, head_rate=5e-4, decay=0.9)
WARMTH = 2.0
"""The temperature of distillation (Hinton et al., 2015)."""
LABELLED = 0.25
"""Weight of an old row's label against the opinion of e5-2."""
LESSON_EVERY = 3
"""Steps between two lessons in themes."""
BOTH_EVERY = 3
"""Steps between two lessons in praise beside complaint."""
SMOOTHED = 0.05
"""Label smoothing, since labels are noisy."""
ABOUT = {
    "kind": f"{PREVIOUS_E5.stem} (multilingual-e5-small, MIT, 8 of 12 layers), the upper 4 trained further; eight-bit ONNX",
    "trained_with": "python -m services.sentiment.training.refine --data FOLDER --work FOLDER",
}


class Refinement(Work):
    """A training that begins with a shipped network."""

    def rows(self) -> tuple[list[Row], list[Row]]:
        """The rows of kinds that e5-2 knows, and those of further kinds; deterministic."""
        chance = random.Random(0)
        public = training_rows(self.data, MOST)
        foreign = [row for row in public if row.lang != "en"]
        known, further = own_rows(held_out=False, part="policy"), own_rows(held_out=False, part="kinds")
        old = [*chance.sample([*public, *foreign], PUBLIC), *known, *slips(known, chance)]
        new = [*further, *further, *slips(further, chance), *slips(further, chance)]
        return [*old, *lowered(drawn(old, LOWERED, chance))], [*new, *lowered(drawn(new, LOWERED, chance))]

    def tokenizer(self) -> Tokenizer:
        tokenizer = Tokenizer.from_file(str(tokenizer_of(PREVIOUS_E5)))
        tokenizer.enable_truncation(LONGEST)
        return tokenizer

    def reader(self) -> Reader:
        return imported_reader(read_exported(PREVIOUS_E5), read_pretrained())


def soften(work: Refinement) -> None:
    """Store the logits and meanings of e5-2 for the rows of known kinds."""
    old, _ = work.rows()
    outcome = OnnxNetwork(PREVIOUS_E5)([cased(row.text, LATEST) for row in old])
    np.savez(work.folder / "soft.npz", logits=outcome.logits, meanings=outcome.meanings.astype(np.float16))


def refine(work: Refinement) -> None:
    """Fit the upper layers and the heads."""
    torch.manual_seed(0)
    old, new = work.rows()
    rows = [*old, *new]
    print(f"{len(old)} rows of known kinds, {len(new)} of further ones", flush=True)
    kinds = torch.tensor([row.kind for row in rows])
    with np.load(work.folder / "soft.npz") as soft:
        views = functional.softmax(torch.from_numpy(soft["logits"]) / WARMTH, dim=1)
        meanings = torch.from_numpy(soft["meanings"].astype(np.float32))
    net = work.reader()
    for layer in net.encoder.encoder.layer[:FIXED]:
        layer.requires_grad_(False)
    net.encoder.embeddings.requires_grad_(False)
    turn, shift = (torch.from_numpy(np.array(part)) for part in read_exported(PREVIOUS_E5).focus)
    tokens = work.tokenizer()
    lessons = SideLessons(net, tokens, rows)
    steps = count(1)

    def loss(batch: list[int], outputs: Outputs) -> Tensor:
        places = torch.tensor(batch)
        is_old = places < len(old)
        surprise = functional.cross_entropy(outputs.logits, kinds[places], reduction="none", label_smoothing=SMOOTHED)
        cost = (torch.where(is_old, LABELLED, 1.0) * surprise).mean()
        if is_old.any():
            known = places[is_old]
            view = functional.log_softmax(outputs.logits[is_old] / WARMTH, dim=1)
            cost = cost + WARMTH**2 * functional.kl_div(view, views[known], reduction="sum") / len(batch)
            focused = functional.normalize(outputs.meaning[is_old] @ turn + shift, dim=1)
            cost = cost + (1 - (focused * meanings[known]).sum(1)).mean()
        step = next(steps)
        if step % BOTH_EVERY == 0:
            cost = cost + lessons.both_loss()
        if step % LESSON_EVERY == 1:
            cost = cost + lessons.theme_loss()
        return cost

    fit(net, ids_of(tokens, [row.text for row in rows]), loss, PACE, work.folder / "student.pt")


def finish_student(work: Refinement) -> None:
    """Write the network's files and its card."""
    net = work.reader()
    net.load_state_dict(torch.load(work.folder / "student.pt"))
    old, new = work.rows()
    finish(Fitted(net, work.tokenizer(), [*old, *new], ABOUT, read_transformer(PREVIOUS_E5)), work.data, work.folder)


STEPS: Steps = {
    "soften": ("soft.npz", soften),
    "refine": ("student.pt", refine),
    "finish": (f"shipped/{MODEL}.json", finish_student),
}


def main(arguments: Sequence[str] | None = None) -> None:
    run_steps(Refinement, STEPS, __doc__, arguments)


if __name__ == "__main__":
    main()
