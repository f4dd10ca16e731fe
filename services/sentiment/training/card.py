"""The model card: a JSON file beside the weights that says what they were made from and how good they are."""

import json
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from services.sentiment.domain.linear import LinearModel, LinearScorer
from services.sentiment.training.data import KINDS, NOT_OURS, Row, choosing_rows, read
from services.sentiment.training.figures import Figures, by_source, figures, mean

TERMS = {
    "goemotions": "Apache-2.0",
    "stackoverflow": "MIT (Senti4SD)",
    "umsab_*": "UMSAB: restrictions may apply (Twitter)",
    "semeval_tweets": "SemEval-2013 to 2016, TweetEval: restrictions may apply (Twitter)",
    "absa_*, brands, germeval17_db, sst": "none stated where found",
    "airline": "CC BY-NC-SA 4.0: reported on only; in no weight, no calibration, no choice",
}
LIMITS = (
    "Sarcasm is read as it is written.",
    'Reports of a problem without opinion words ("it logs me out") often come out neutral.',
    "Words outside the training's domains (tweets, restaurants, laptops, forums, railways) are known by their pieces alone.",
    "Dutch was learnt from restaurant reviews, German from tweets and railway posts; the other languages from tweets.",
    '`mixed` finds two poles only where a sentence ends or turns at a word such as "but".',
)


def write_card(path: Path, scorer: LinearScorer, trained: LinearModel, rows: Sequence[Row], folder: Path) -> None:
    """The card of a trained model, with its figures on everything it didn't learn from."""
    card = {
        "model": str(trained.model),
        "kind": "one-against-the-rest logistic regression on TF-IDF of hashed words, word pairs and 3 to 5 character pieces",
        "trained_with": "python -m services.sentiment.training.linear --data FOLDER",
        "data": {"rows": len(rows), "by_source": dict(sorted(Counter(row.source for row in rows).items())), "terms": TERMS},
        "languages": dict(sorted(Counter(row.lang for row in rows).items())),
        "never_trained_on": sorted(NOT_OURS),
        "splits": {
            "learnt from": "train, and multi where split is train",
            "calibrated and chosen by": "dev, and multi where split is dev, without airline",
            "reported only": "test, unseen, mixed",
        },
        "calibration": {"temperature": round(trained.temperature, 4), "ece_dev": calibration(scorer, folder)},
        "mixed": {"pole": trained.pole, "found_in_mixed_jsonl": mixed_found(scorer, folder)},
        "figures": measured(scorer, folder),
        "limits": LIMITS,
    }
    path.write_text(json.dumps(card, indent=2, ensure_ascii=False) + "\n")


def measured(scorer: LinearScorer, folder: Path) -> dict[str, Any]:
    """The figures of each held-out file, by source, and their mean over the sources."""
    held = {name: [row for row in read(folder, name) if row.label in KINDS] for name in ("test", "unseen")}
    held["multi_dev"] = [row for row in read(folder, "multi") if row.split == "dev"]
    found = {name: by_source(rows, scorer.score([row.text for row in rows])) for name, rows in held.items()}
    return {name: {"mean": told(mean(list(s.values()))), **{k: told(v) for k, v in s.items()}} for name, s in found.items()}


def calibration(scorer: LinearScorer, folder: Path) -> float:
    rows = choosing_rows(folder)
    return round(figures(rows, scorer.score([row.text for row in rows])).ece, 4)


def mixed_found(scorer: LinearScorer, folder: Path) -> float:
    """The share of the sentences with two poles that are flagged."""
    opinions = scorer.score([row.text for row in read(folder, "mixed")])
    return round(sum(opinion.mixed for opinion in opinions) / len(opinions), 4)


def told(found: Figures) -> dict[str, float]:
    return {name: round(value, 4) for name, value in found._asdict().items()}
