"""The model card: a JSON file beside the weights with their training data and figures."""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from services.sentiment.domain.scorer import Opinion, Scorer
from services.sentiment.training.data import KINDS, NOT_OURS, Row, choosing_rows, read
from services.sentiment.training.figures import Figures, by_source, figures, mean
from services.sentiment.training.own.templates import own_rows

TERMS = {
    "goemotions": "Apache-2.0",
    "stackoverflow": "MIT (Senti4SD)",
    "umsab_*": "UMSAB: restrictions may apply (Twitter)",
    "semeval_tweets": "SemEval-2013 to 2016, TweetEval: restrictions may apply (Twitter)",
    "absa_*, brands, germeval17_db, sst": "none stated where found",
    "own_*": "written for Earshot, in services/sentiment/training/own",
    "own_comment": "written for Earshot, in services/sentiment/training/comments",
    "airline": "CC BY-NC-SA 4.0: reported on only; in no weight, no calibration, no choice",
}
LIMITS = (
    "Dutch was learnt from restaurant reviews, German from tweets and railway posts, the other languages from tweets, and each "
    "from some hundred sentences of our own.",
    "Our own held-out sentences were written by whoever wrote those to learn from: what is measured on them flatters.",
)


def write_card(path: Path, scorer: Scorer, about: Mapping[str, Any], rows: Sequence[Row], folder: Path) -> None:
    """The card of a trained model with its figures on all held-out data. `about`: entries of this model alone."""
    dev = choosing_rows(folder)
    dev_opinions = scorer.score([row.text for row in dev])
    card = {
        "model": str(scorer.model),
        **{name: value for name, value in about.items() if name != "limits"},
        "data": {"rows": len(rows), "by_source": counted(row.source for row in rows), "terms": TERMS},
        "languages": counted(row.lang for row in rows),
        "never_trained_on": sorted(NOT_OURS),
        "splits": {
            "learnt from": "train, multi where split is train, our own sentences but those held out",
            "calibrated and chosen by": "dev, and multi where split is dev, without airline",
            "reported only": "test, unseen, mixed, our own held-out sentences",
        },
        "ece_dev": calibration(dev, dev_opinions),
        "mixed_found_in_mixed_jsonl": flagged(scorer.score([row.text for row in read(folder, "mixed")])),
        "mixed_found_in_dev": flagged(dev_opinions),
        "figures": measured(scorer, folder),
        "limits": about["limits"],
    }
    path.write_text(json.dumps(card, indent=2, ensure_ascii=False) + "\n")


def counted(names: Any) -> dict[str, int]:
    return dict(sorted(Counter(names).items()))


def measured(scorer: Scorer, folder: Path) -> dict[str, Any]:
    """The figures of each held-out file, by source, and their mean over the sources."""
    by_file = {name: by_source(rows, scorer.score([row.text for row in rows])) for name, rows in held(folder).items()}
    return {
        name: {"mean": rounded(mean(list(s.values()))), **{k: rounded(v) for k, v in s.items()}} for name, s in by_file.items()
    }


def held(folder: Path) -> dict[str, list[Row]]:
    """The evaluated data: the test files, dev in other languages, our own held-out sentences by language, and those of the kinds
    that public sets lack, by kind."""
    files = {name: [row for row in read(folder, name) if row.label in KINDS] for name in ("test", "unseen")}
    multi = [row for row in read(folder, "multi") if row.split == "dev"]
    own = [Row(row.text, row.label, f"own_{row.lang}", row.lang) for row in own_rows(held_out=True, part="policy")]
    return {**files, "multi_dev": multi, "own_held_out": own, "own_kinds": own_rows(held_out=True, part="kinds")}


def calibration(rows: Sequence[Row], opinions: Sequence[Opinion]) -> float:
    """The expected calibration error of the opinions of rows."""
    return round(figures(rows, opinions).ece, 4)


def flagged(opinions: Sequence[Opinion]) -> float:
    """The share that is flagged as mixed."""
    return round(float(np.mean([opinion.mixed for opinion in opinions])), 4)


def rounded(one: Figures) -> dict[str, float]:
    return {name: round(value, 4) for name, value in one._asdict().items()}
