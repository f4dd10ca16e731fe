"""`python -m services.sentiment.training.refine --data FOLDER --work FOLDER`: train the next version from the shipped networks.

The upper layers learn our sentences of further kinds, themes, and praise beside complaint; of all other comments they keep the
opinion of the shipped networks (learning without forgetting, Li and Hoiem, 2016). It takes two passes, the second at a lower
rate and with other comments. Averaging their weights with those of the former network regains most of what that read better
(Wortsman et al., 2022). The lower layers and the vocabulary stay. Each step leaves its files in the work folder and isn't done
again while they are there. Needs the extra `training` and an hour of two cores with AVX-512.
"""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import count

import numpy as np
import torch
from sklearn.linear_model import LogisticRegression
from tokenizers import Tokenizer
from torch import Tensor
from torch.nn import functional

from services.sentiment.domain.preprocessing import cased
from services.sentiment.domain.reading import softmax
from services.sentiment.domain.versions import LATEST
from services.sentiment.network import E5_6, PREVIOUS_E5, OnnxNetwork, read_transformer, tokenizer_of
from services.sentiment.training.data import Row, training_rows
from services.sentiment.training.encoder import LONGEST, Outputs, Reader
from services.sentiment.training.examples import LOWERED, MOST, drawn, lowered, slips
from services.sentiment.training.finishing import MODEL, Fitted, Steps, Work, finish, ids_of, run_steps
from services.sentiment.training.fitting import Pace, fit, read_all
from services.sentiment.training.importing import imported_reader, read_exported
from services.sentiment.training.own.templates import own_rows
from services.sentiment.training.side_lessons import SideLessons
from services.sentiment.training.two_sided.data import TwoSidedLessons, sheets
from services.sentiment.training.wheel import read_pretrained


@dataclass(frozen=True, slots=True)
class Pass:
    """Once through some rows. `public`, `own`: public comments and our older sentences that are read again. `rate`: the learning
    rate of the topmost layer."""

    name: str
    public: int
    own: int
    rate: float
    seed: int


FIRST, SECOND = Pass("first", 16_000, 4_000, 1e-4, 4), Pass("second", 12_000, 3_000, 7e-5, 5)
AVERAGE = "average.pt"
FIXED = 2
"""Lower layers that stay as they are."""
WARMTH = 2.0
"""The temperature of distillation (Hinton et al., 2015)."""
LABELLED = 0.25
"""Weight of an old row's label against the opinion of the shipped networks."""
LIKE_BEFORE = 0.3
"""Weight of the difference from the shipped network's meanings."""
FORMER = 0.2
"""Share of the former network's weights in the average."""
BOTH_EVERY = 4
"""Steps between two lessons in praise beside complaint. Each step has a lesson in themes."""
SMOOTHED = 0.05
"""Label smoothing, since labels are noisy."""
LESSONS_IN_BOTH = 150
"""Lessons from which the head for praise beside complaint is learnt again on the average."""
ABOUT = {
    "kind": f"{E5_6.stem} (multilingual-e5-small, MIT, 8 of 12 layers), the upper {8 - FIXED} trained further; eight-bit ONNX",
    "trained_with": "python -m services.sentiment.training.refine --data FOLDER --work FOLDER",
}


class Refinement(Work):
    """A training that begins with a shipped network."""

    def rows(self, training_pass: Pass) -> tuple[list[Row], list[Row]]:
        """The rows of kinds that the shipped networks know, and those of further kinds; deterministic."""
        chance = random.Random(training_pass.seed)
        public = training_rows(self.data, MOST)
        foreign = [row for row in public if row.lang != "en"]
        known, further = own_rows(held_out=False, part="policy"), own_rows(held_out=False, part="kinds")
        old = [*chance.sample([*public, *foreign], training_pass.public), *chance.sample(known, training_pass.own)]
        new = [*further, *slips(further, chance)]
        return [*old, *lowered(drawn(old, LOWERED, chance))], [*new, *lowered(drawn(new, LOWERED, chance))]

    def tokenizer(self) -> Tokenizer:
        tokenizer = Tokenizer.from_file(str(tokenizer_of(E5_6)))
        tokenizer.enable_truncation(LONGEST)
        return tokenizer

    def reader(self) -> Reader:
        return imported_reader(read_exported(E5_6), read_pretrained())


def refine_first(work: Refinement) -> None:
    """Fit the upper layers and the heads."""
    refine(work, FIRST, work.reader())


def refine_second(work: Refinement) -> None:
    net = work.reader()
    net.load_state_dict(torch.load(work.folder / f"{FIRST.name}.pt"))
    refine(work, SECOND, net)


def refine(work: Refinement, training_pass: Pass, net: Reader) -> None:
    """Fit `net` in one pass, and write its weights."""
    torch.manual_seed(training_pass.seed)
    old, new = work.rows(training_pass)
    rows = [*old, *new]
    print(f"{len(old)} rows of known kinds, {len(new)} of further ones", flush=True)
    kinds = torch.tensor([row.kind for row in rows])
    views, meanings = shipped_opinions([cased(row.text, LATEST) for row in old])
    for layer in net.encoder.encoder.layer[:FIXED]:
        layer.requires_grad_(False)
    net.encoder.embeddings.requires_grad_(False)
    rotation, shift = (torch.from_numpy(np.array(part)) for part in read_exported(E5_6).focus)
    tokens = work.tokenizer()
    lessons = SideLessons(net, tokens, rows)
    steps = count(1)

    def loss(batch: list[int], outputs: Outputs) -> Tensor:
        places = torch.tensor(batch)
        is_old = places < len(old)
        surprise = functional.cross_entropy(outputs.logits, kinds[places], reduction="none", label_smoothing=SMOOTHED)
        cost = (torch.where(is_old, LABELLED, 1.0) * surprise).mean() + lessons.theme_loss()
        if is_old.any():
            known = places[is_old]
            view = functional.log_softmax(outputs.logits[is_old] / WARMTH, dim=1)
            cost = cost + WARMTH**2 * functional.kl_div(view, views[known], reduction="sum") / len(batch)
            focused = functional.normalize(outputs.meaning[is_old] @ rotation + shift, dim=1)
            cost = cost + LIKE_BEFORE * (1 - (focused * meanings[known]).sum(1)).mean()
        if next(steps) % BOTH_EVERY == 0:
            cost = cost + lessons.both_loss()
        return cost

    pace = Pace(epochs=1.0, rate=training_pass.rate, head_rate=5e-4, decay=0.9)
    fit(net, ids_of(tokens, [row.text for row in rows]), loss, pace, work.folder / f"{training_pass.name}.pt")


def shipped_opinions(texts: Sequence[str]) -> tuple[Tensor, Tensor]:
    """The mean of the shipped networks' probabilities of texts (texts × 3), softened, and the newer one's meanings."""
    outcomes = [OnnxNetwork(path)(texts) for path in (PREVIOUS_E5, E5_6)]
    views = np.mean([softmax(outcome.logits.astype(np.float64), WARMTH) for outcome in outcomes], axis=0)
    return torch.from_numpy(views.astype(np.float32)), torch.from_numpy(outcomes[-1].meanings)


def average(work: Refinement) -> None:
    """Average the weights of both passes and the former network, and learn the head that the former one lacks again."""
    first, second = (torch.load(work.folder / f"{training_pass.name}.pt") for training_pass in (FIRST, SECOND))
    former = {name: torch.from_numpy(np.array(value)) for name, value in read_exported(PREVIOUS_E5).state.items()}
    state = {name: (first[name] + second[name]) / 2 for name in first}
    state |= {name: (1 - FORMER) * state[name] + FORMER * value for name, value in former.items() if name in state}
    net = work.reader()
    net.load_state_dict(state)
    learn_both(net, work.tokenizer(), TwoSidedLessons(sheets(), work.rows(SECOND)[0]))
    torch.save(net.state_dict(), work.folder / AVERAGE)


def learn_both(net: Reader, tokenizer: Tokenizer, lessons: TwoSidedLessons) -> None:
    """Fit the head for praise beside complaint to the last states of `net`: a logistic regression."""
    drawn_lessons = [lessons.draw() for _ in range(LESSONS_IN_BOTH)]
    _, tops = read_all(net, ids_of(tokenizer, [text for texts, _ in drawn_lessons for text in texts]))
    truth = [one > 0 for _, lesson in drawn_lessons for one in lesson]
    fitted = LogisticRegression(max_iter=3_000).fit(tops, truth)
    net.both.weight.data = torch.from_numpy(fitted.coef_.astype(np.float32))
    net.both.bias.data = torch.from_numpy(fitted.intercept_.astype(np.float32))


def finish_student(work: Refinement) -> None:
    """Write the network's files and its card."""
    net = work.reader()
    net.load_state_dict(torch.load(work.folder / AVERAGE))
    rows = {row: None for training_pass in (FIRST, SECOND) for part in work.rows(training_pass) for row in part}
    finish(Fitted(net, work.tokenizer(), list(rows), ABOUT, read_transformer(PREVIOUS_E5)), work.data, work.folder)


STEPS: Steps = {
    "first": (f"{FIRST.name}.pt", refine_first),
    "second": (f"{SECOND.name}.pt", refine_second),
    "average": (AVERAGE, average),
    "finish": (f"shipped/{MODEL}.json", finish_student),
}


def main(arguments: Sequence[str] | None = None) -> None:
    run_steps(Refinement, STEPS, __doc__, arguments)


if __name__ == "__main__":
    main()
