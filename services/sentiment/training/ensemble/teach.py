"""Fine-tune a teacher, and store its opinion of every text."""

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from .accuracies import accuracies
from .beginning import new_teacher
from .fitting import SMOOTHED, Schedule, adam, fit, half_precision
from .networks import Teacher
from .texts import Texts, batches

HEAD_RATE = 1e-3
READ = 1024
"""Texts that are read at once."""


def teach(texts: Texts, kind: str, fold: int, schedule: Schedule) -> None:
    """Teach one teacher the labels of all training rows outside of its fold; `mpnet` learns and reads English alone.

    Writes `view_KIND_FOLD.npz`: `numbers` of the texts that it read, their `logits` (texts × 3), and from e5 also `tops`, the
    means of their last states (texts × hidden, float16).
    """
    torch.manual_seed(fold + 10 * (kind == "mpnet"))
    texts.use(kind)
    rows, labels = texts["train.text"], texts.tensor("train.label").long()
    chosen = texts.folds()[rows] != fold
    if kind == "mpnet":
        chosen &= texts["english"][rows]
    places = np.flatnonzero(chosen)
    net = new_teacher(texts.work, kind).to(texts.device).train()
    drawn = batches(texts.lengths[kind][rows[places]], schedule.batch, fold)

    def loss(_: int) -> Tensor:
        at = places[next(drawn)]
        with half_precision(texts.device):
            logits, _top = net(*texts.batch(kind, rows[at]))
        return functional.cross_entropy(logits.float(), labels[torch.from_numpy(at).to(texts.device)], label_smoothing=SMOOTHED)

    fit(net, adam(net, schedule, HEAD_RATE), schedule.steps(len(places)), schedule.seconds, loss)
    numbers = np.flatnonzero(texts["english"]) if kind == "mpnet" else np.arange(len(texts))
    logits, tops = read(net, texts, kind, numbers)
    path = texts.work / f"view_{kind}_{fold}.npz"
    np.savez(path, numbers=numbers, logits=logits, tops=tops if kind == "e5" else np.zeros(0))
    guesses = np.full(len(texts), -1)
    guesses[numbers] = logits.argmax(1)
    print(kind, fold, accuracies(texts, guesses), flush=True)


def read(net: Teacher, texts: Texts, kind: str, numbers: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Logits (texts × 3) and means of the last states (texts × hidden, float16) of texts."""
    net.eval()
    places = texts.by_length(kind, numbers)
    order = numbers[places]
    logits, tops = [], []
    with torch.no_grad(), half_precision(texts.device):
        for start in range(0, len(order), READ):
            some, top = net(*texts.batch(kind, order[start : start + READ]))
            logits.append(some.float().cpu())
            tops.append(top.half().cpu())
    back = np.argsort(places)
    return torch.cat(logits).numpy()[back], torch.cat(tops).numpy()[back]
