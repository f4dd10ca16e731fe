"""`python -m services.sentiment.training.linear --data FOLDER`: train, calibrate and write `linear-3` and its card.

Needs the extra `training` (scikit-learn), a gigabyte of memory and a few minutes of one core. The same data give the same file.
"""

import argparse
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix
from sklearn.linear_model import LogisticRegression

from services.sentiment.domain.linear import BINS, Features, LinearModel, LinearScorer, decisions, features, unit_values
from services.sentiment.domain.preprocessing import prepared
from services.sentiment.domain.reading import LABELS, Manner
from services.sentiment.domain.scorer import Model
from services.sentiment.domain.versions import LATEST
from services.sentiment.training import choosing
from services.sentiment.training.card import LIMITS, write_card
from services.sentiment.training.data import Row, choosing_rows, training_rows
from services.sentiment.training.own.templates import own_rows
from services.sentiment.weights import MODELS, write_linear

MODEL = Model("linear", "3", LATEST)
MOST = {"goemotions": 6_000, "semeval_tweets": 6_000}
"""Training rows of one label at most, so that no source dominates; 20,000 were worse on dev."""
STRENGTH = 3.0
"""The regression's C. By dev's mean macro-F1: 1 → 63.2, 3 → 63.9 (English); 60.6, 60.8 (other languages)."""
OTHER_LANGUAGES = 2.0
"""Weight of rows in other languages than English, which are few."""
RARE = 2
"""Bins of fewer texts are omitted."""
LONG = 300
CHUNK = 2_000


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder with train, dev, multi, test, unseen, mixed (.jsonl)")
    parser.add_argument("--to", type=Path, default=MODELS / f"{MODEL}.npz", help="the file to write; the card goes beside it")
    options = parser.parse_args(arguments)
    rows, dev = [*training_rows(options.data, MOST), *own_rows(held_out=False)], choosing_rows(options.data)
    trained = poled(calibrated(fitted(rows), dev), dev)
    write_linear(options.to, trained)
    write_card(options.to.with_suffix(".json"), LinearScorer(trained), about(trained), rows, options.data)


def about(trained: LinearModel) -> dict[str, Any]:
    """The card's entries of this model alone."""
    return {
        "kind": "one-against-the-rest logistic regression on TF-IDF of hashed words, word pairs and 3 to 5 character pieces",
        "trained_with": "python -m services.sentiment.training.linear --data FOLDER",
        "chosen": {"temperature": round(trained.temperature, 4), "pole": trained.manner.pole},
        "limits": [
            *LIMITS,
            '`mixed` finds two poles only where a sentence ends or turns at a word such as "but".',
            'Reports of a problem without opinion words ("it logs me out") often come out neutral.',
            "Words outside the training's domains (tweets, restaurants, laptops, railways, …) are known by their pieces alone.",
        ],
    }


def fitted(rows: Sequence[Row]) -> LinearModel:
    """The quantized weights: one regression for each class against the others."""
    seen = features_of([row.text for row in rows])
    idf, idf_unit = document_frequencies(seen, len(rows))
    values = unit_values(seen, idf[seen.bins].astype(np.float64) * idf_unit, len(rows))
    table = csr_matrix((values, (seen.texts, seen.bins)), shape=(len(rows), BINS))
    kinds = np.array([row.kind for row in rows])
    heft = np.array([1.0 if row.lang == "en" else OTHER_LANGUAGES for row in rows])
    fits = [
        LogisticRegression(C=STRENGTH, solver="liblinear", dual=True, tol=0.05, max_iter=50, random_state=0).fit(
            table, kinds == kind, sample_weight=heft
        )
        for kind in range(len(LABELS))
    ]
    weights, weight_unit = rounded(np.stack([fit.coef_[0] for fit in fits], axis=1))
    bias = np.array([fit.intercept_[0] for fit in fits])
    return LinearModel(MODEL, weights, weight_unit, idf, idf_unit, bias, temperature=1.0, manner=Manner(1.0, LONG))


def features_of(texts: Sequence[str]) -> Features:
    """The features of raw texts, a chunk at a time."""
    chunks = [features([prepared(text) for text in texts[start : start + CHUNK]]) for start in range(0, len(texts), CHUNK)]
    owners = [chunk.texts + number * CHUNK for number, chunk in enumerate(chunks)]
    return Features(np.concatenate(owners), np.concatenate([c.bins for c in chunks]), np.concatenate([c.counts for c in chunks]))


def document_frequencies(seen: Features, texts: int) -> tuple[NDArray[np.uint8], float]:
    """The smoothed inverse document frequency of each bin, in 255 steps, and the size of one."""
    having = np.bincount(seen.bins, minlength=BINS)
    idf = np.where(having >= RARE, np.log((1 + texts) / (1 + having)) + 1, 0)
    unit = float(idf.max() / 255)
    return np.rint(idf / unit).astype(np.uint8), unit


def rounded(weights: NDArray[np.float64]) -> tuple[NDArray[np.int8], float]:
    """Weights in 255 steps. The few largest are clipped, for finer steps of all others."""
    unit = float(np.quantile(np.abs(weights[weights != 0]), 0.9999) / 127)
    return np.clip(np.rint(weights / unit), -127, 127).astype(np.int8), unit


def calibrated(trained: LinearModel, dev: Sequence[Row]) -> LinearModel:
    """The model with the temperature chosen on dev."""
    logits = decisions(trained, features_of([row.text for row in dev]), len(dev))
    return replace(trained, temperature=choosing.temperature(logits, np.array([row.kind for row in dev])))


def poled(trained: LinearModel, dev: Sequence[Row]) -> LinearModel:
    """The model with the threshold for `mixed` chosen on dev."""
    bar = choosing.pole([row.text for row in dev], LinearScorer(trained).read)
    return replace(trained, manner=Manner(bar, LONG))


if __name__ == "__main__":
    main()
