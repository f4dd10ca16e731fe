"""Print the figures of a student on held-out rows and comments."""

import random

import numpy as np
import torch
from torch.nn import functional

from .accuracies import accuracies
from .beginning import new_student
from .fitting import half_precision
from .lessons import StudentLessons
from .networks import Student
from .texts import Texts

READ = 1024
"""Texts that are read at once."""
BESIDE = 0.05
"""How much less like its piece than the nearest theme another may be, to match too."""
BARS = np.arange(0.05, 0.9, 0.01)


def look(texts: Texts) -> None:
    """Print the figures of e5-4, with which students begin."""
    texts.use("e5")
    print_figures(texts, new_student(texts.work, "l8").to(texts.device), "e5-4")


def print_figures(texts: Texts, net: Student, name: str) -> None:
    """Print a student's accuracies, and the F1 of the themes of held-out comments at the best threshold."""
    net.eval()
    guesses = np.full(len(texts), -1)
    numbers = np.unique(np.concatenate([texts[f"{group}.text"] for group in ("dev", "own", "held")]))
    order = numbers[texts.by_length("e5", numbers)]
    with torch.no_grad(), half_precision(texts.device):
        for start in range(0, len(order), READ):
            some = order[start : start + READ]
            guesses[some] = net(*texts.batch("e5", some))["logits"].argmax(1).cpu()
    print(name, accuracies(texts, guesses), theme_figures(texts, net), flush=True)


def theme_figures(texts: Texts, net: Student) -> str:
    """The highest F1 of the themes of held-out comments, with precision, recall and threshold."""
    likeness = likenesses_of_held(texts, net)
    near = likeness >= likeness.max(1, keepdims=True) - BESIDE
    owner = np.repeat(np.arange(len(texts["held.end"])), np.diff([0, *texts["held.end"]]))
    best = (0.0, "")
    for bar in BARS:
        matched = np.zeros_like(texts["held.themes"])
        np.maximum.at(matched, owner, ((likeness >= bar) & near).astype(matched.dtype))
        right = (matched * texts["held.themes"]).sum()
        precision, recall = right / max(1, matched.sum()), right / texts["held.themes"].sum()
        figure = 2 * precision * recall / max(1e-9, precision + recall)
        best = max(best, (figure, f"themes P {precision:.3f} R {recall:.3f} at {bar:.2f}"))
    return f"F1 {best[0]:.4f} {best[1]}"


def likenesses_of_held(texts: Texts, net: Student) -> np.ndarray:
    """The likeness of the pieces of held-out comments to our themes (pieces × themes), as the service defines these."""
    lessons = StudentLessons(texts, net, random.Random(0))
    defined = [lessons.by_theme[theme][: lessons.defined[theme]] for theme in range(lessons.ours)]
    with torch.no_grad():
        meaning = lessons.read(np.concatenate([*defined, texts["held.piece"]]))["meaning"].cpu()
    ends = np.cumsum([len(some) for some in defined])
    means = [meaning[end - len(some) : end].mean(0) for some, end in zip(defined, ends, strict=True)]
    likeness: np.ndarray = (meaning[ends[-1] :] @ functional.normalize(torch.stack(means), dim=1).T).numpy()
    return likeness
