"""Store the opinion of all teachers together of every text."""

from pathlib import Path

import numpy as np
import torch

from .accuracies import accuracies
from .texts import Texts

WARMTH = 2.0
"""The temperature of distillation (Hinton et al., 2015)."""
SHARES = np.linspace(0, 1, 11)
"""Shares of MPNet in the opinion of English texts, of which `dev` chooses one."""


def soften(texts: Texts) -> None:
    """Write `soft.pt`: `views`, the softened probabilities of all texts (texts × 3); `tops`, the means of their last states
    over the teachers of e5 (texts × hidden); and `spread`, the standard deviation of these."""
    views = {kind: mean_view(texts, kind, teachers(texts.work, kind)) for kind in ("e5", "mpnet")}
    share = share_of_mpnet(texts, views) if teachers(texts.work, "mpnet") else 0.0
    english = texts["english"][:, None]
    mixed = np.where(english, (1 - share) * views["e5"] + share * views["mpnet"], views["e5"])
    print(f"share of mpnet {share:.1f}", accuracies(texts, mixed.argmax(1)), flush=True)
    top = mean_top(teachers(texts.work, "e5"))
    torch.save({"views": torch.from_numpy(mixed).float(), "tops": top.half(), "spread": top.std(0)}, texts.work / "soft.pt")


def teachers(work: Path, kind: str) -> list[Path]:
    """The files of the teachers of one kind."""
    return sorted(work.glob(f"view_{kind}_*.npz"))


def mean_view(texts: Texts, kind: str, paths: list[Path]) -> np.ndarray:
    """The mean of the teachers' softened probabilities (texts × 3), 0 for texts that they didn't read. Of a labelled text, half
    comes from the teacher that was not taught its label."""
    folds, labelled = texts.folds(), np.zeros(len(texts), bool)
    labelled[texts["train.text"]] = True
    total, unseen, read_unseen = np.zeros((len(texts), 3)), np.zeros((len(texts), 3)), np.zeros(len(texts), bool)
    for path in paths:
        fold = int(path.stem.rpartition("_")[2])
        with np.load(path) as view:
            numbers, odds = view["numbers"], softmax(view["logits"] / WARMTH)
        total[numbers] += odds
        apart = folds[numbers] == fold
        unseen[numbers[apart]] = odds[apart]
        read_unseen[numbers[apart]] = True
    mean = total / max(1, len(paths))
    halves = labelled & read_unseen
    mean[halves] = 0.5 * mean[halves] + 0.5 * unseen[halves]
    print(kind, len(paths), accuracies(texts, np.where(total.sum(1) > 0, mean.argmax(1), -1)))
    return mean


def mean_top(paths: list[Path]) -> torch.Tensor:
    """The mean of the last states by several teachers (texts × hidden)."""
    tops = []
    for path in paths:
        with np.load(path) as view:
            tops.append(torch.from_numpy(view["tops"]).float())
    return torch.stack(tops).mean(0)


def share_of_mpnet(texts: Texts, views: dict[str, np.ndarray]) -> float:
    """The share with the lowest mean surprise (cross entropy) at the labels of the English rows of `dev`."""
    english = texts["english"][texts["dev.text"]]
    at, label = texts["dev.text"][english], texts["dev.label"][english]
    e5, mpnet = (views[kind][at][np.arange(len(at)), label] for kind in ("e5", "mpnet"))
    surprise = {share: -np.log((1 - share) * e5 + share * mpnet).mean() for share in SHARES}
    return float(min(surprise, key=surprise.__getitem__))


def softmax(logits: np.ndarray) -> np.ndarray:
    """Probabilities of logits (texts × classes)."""
    odds = np.exp(logits - logits.max(axis=1, keepdims=True))
    total: np.ndarray = odds / odds.sum(axis=1, keepdims=True)
    return total
