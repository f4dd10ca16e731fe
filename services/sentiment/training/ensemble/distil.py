"""Fit a student to the opinion of the teachers, to labels, and to lessons in other tasks."""

import random

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from .beginning import WORDS, new_student
from .fitting import SMOOTHED, Schedule, adam, fit, half_precision
from .lessons import StudentLessons
from .look import print_figures
from .soften import WARMTH
from .texts import Texts, batches

LABELLED = {"public": 0.25, "own": 0.6}
"""Weight of a row's label against the teachers' opinion."""
TOPS, LIKE_BEFORE = 0.5, 0.3
"""Weights of the differences from the teachers' last states, and from the meanings of e5-4."""
LESSON_EVERY = 3
"""Steps between two lessons."""
STEADY = 0.998
"""Share of the former weights in the running mean of a student's weights."""
HEAD_RATE = 5e-4
NO_LABEL = -100
"""The label of a text without one, which PyTorch's cross entropy leaves out."""
READ = 2048
"""Texts that are read at once."""


class Targets:
    """The targets of a student for the rows: the labelled ones, then the others. `rows` are numbers of texts."""

    def __init__(self, texts: Texts) -> None:
        device, others = texts.device, len(texts["extra"])
        soft = torch.load(texts.work / "soft.pt")
        self.views, self.spread, self.tops = (soft[name].to(device) for name in ("views", "spread", "tops"))
        self.rows = np.concatenate([texts["train.text"], texts["extra"]])
        self.labels = torch.cat([texts.tensor("train.label").long(), torch.full((others,), NO_LABEL, device=device)])
        own = np.array([source.startswith("own") for source in texts["train.sources"]])[texts["train.source"]]
        weights = torch.from_numpy(np.where(own, LABELLED["own"], LABELLED["public"]).astype(np.float32)).to(device)
        self.weights = torch.cat([weights, torch.zeros(others, device=device)])
        self.meanings = former_meanings(texts)

    def loss(self, places: np.ndarray, out: dict[str, Tensor], copied: Tensor) -> Tensor:
        """The loss of the rows at `places`. `copied`: the teachers' last states as the student guesses them."""
        at = torch.from_numpy(places).to(self.labels.device)
        numbers = torch.from_numpy(self.rows[places].astype(np.int64)).to(self.labels.device)
        view = functional.log_softmax(out["logits"] / WARMTH, dim=1)
        cost = WARMTH**2 * functional.kl_div(view, self.views[numbers], reduction="batchmean")
        surprise = functional.cross_entropy(out["logits"], self.labels[at], reduction="none", label_smoothing=SMOOTHED)
        cost = cost + (self.weights[at] * surprise).mean()
        cost = cost + TOPS * ((copied.float() - self.tops[numbers].float()) / self.spread).square().mean()
        return cost + LIKE_BEFORE * (1 - (out["meaning"] * self.meanings[numbers].float()).sum(1)).mean()


def former_meanings(texts: Texts) -> Tensor:
    """The meanings of all texts by e5-4 (texts × MEANING, float16)."""
    net = new_student(texts.work, "l8").to(texts.device).eval()
    everything, meanings = np.arange(len(texts)), []
    with torch.no_grad(), half_precision(texts.device):
        for start in range(0, len(everything), READ):
            meanings.append(net(*texts.batch("e5", everything[start : start + READ]))["meaning"].half())
    return torch.cat(meanings)


class SteadyWeights:
    """The running mean of a network's weights, without the word embeddings, which are frozen."""

    def __init__(self, net: nn.Module) -> None:
        self.net = net
        self.mean = {
            name: value.detach().clone()
            for name, value in net.state_dict().items()
            if value.is_floating_point() and name != WORDS
        }

    def update(self) -> None:
        """Count the current weights."""
        with torch.no_grad():
            current = self.net.state_dict()
            torch._foreach_lerp_(list(self.mean.values()), [current[name] for name in self.mean], 1 - STEADY)


def distil(texts: Texts, shape: str, schedule: Schedule) -> None:
    """Fit a student of a shape in SHAPES. Writes `student_SHAPE.pt`: the running mean of its weights (float16), without the
    word embeddings, which are those of e5-4."""
    torch.manual_seed(0)
    texts.use("e5")
    targets = Targets(texts)
    net = new_student(texts.work, shape).to(texts.device).train()
    steady, lessons = SteadyWeights(net), StudentLessons(texts, net, random.Random(0))
    drawn = batches(texts.lengths["e5"][targets.rows], schedule.batch, 0)

    def loss(step: int) -> Tensor:
        places = next(drawn)
        with half_precision(texts.device):
            out = net(*texts.batch("e5", targets.rows[places]))
            copied = net.copy(out["top"])
        cost = targets.loss(places, out, copied)
        return cost + lessons.loss() if step % LESSON_EVERY == 0 else cost

    steps = schedule.steps(len(targets.rows))
    fit(net, adam(net, schedule, HEAD_RATE), steps, schedule.seconds, loss, steady.update)
    shipped = {name: value.half().cpu() for name, value in steady.mean.items() if not name.startswith("copy.")}
    torch.save(shipped, texts.work / f"student_{shape}.pt")
    net.load_state_dict(net.state_dict() | steady.mean)
    print_figures(texts, net, shape)
