"""The accuracy of guessed labels on held-out rows, as text."""

import numpy as np

from .texts import Texts

NEUTRAL = 1
"""The number of the label `neu`."""
FEWEST = 21
"""Rows that a source needs for a figure."""


def accuracies(texts: Texts, guesses: np.ndarray) -> str:
    """The accuracy on `dev`, on our own sentences and on our held-out comments (`held`).

    That on `dev` and `own` is the mean over their sources, in English (`en`) and in the other languages (`xx`); `2-class` is
    that of rows whose label and guess are not neutral. `guesses` has the label of each text of the pool; rows whose guess is
    -1 don't count.
    """
    lines = []
    for name in ("dev", "own"):
        for lang in ("en", "xx"):
            sources = of_sources(texts, guesses, name, (texts[f"{name}.lang"] == "en") == (lang == "en"))
            if sources:
                three, two = np.nanmean(sources, axis=0)
                lines.append(f"{name} {lang} {three:.4f} 2-class {two:.4f}")
    guess = guesses[texts["held.text"]]
    return ", ".join([*lines, f"held {np.mean((guess == texts['held.label'])[guess >= 0]):.4f}"])


def of_sources(texts: Texts, guesses: np.ndarray, name: str, rows: np.ndarray) -> list[tuple[float, float]]:
    """For each source with at least FEWEST of these rows: the accuracy of three labels, and of two, NaN if no row has those."""
    guess, label = guesses[texts[f"{name}.text"]], texts[f"{name}.label"]
    pairs = []
    for source in range(len(texts[f"{name}.sources"])):
        these = rows & (texts[f"{name}.source"] == source) & (guess >= 0)
        if these.sum() >= FEWEST:
            polar = these & (label != NEUTRAL) & (guess != NEUTRAL)
            right = guess == label
            pairs.append((float(right[these].mean()), float(right[polar].mean()) if polar.any() else float("nan")))
    return pairs
