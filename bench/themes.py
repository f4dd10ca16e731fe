"""Measure themes on customers' questions to a bank: Banking77 (Casanueva et al., 2020; CC BY 4.0), which no model was trained on.

python -m bench.themes --data FOLDER     (with train.csv and test.csv of Banking77; they stay out of the project)

Each of the 77 intents becomes a theme with its name and ten of the training questions as examples, like a tenant would write it.
The 3,080 test questions are compared with these themes, with the threshold of the shipped model.
"""

import argparse
import csv
from collections import defaultdict
from pathlib import Path

import numpy as np

from services.sentiment.domain.themes import matches, points_of
from services.sentiment.network import read_transformer
from services.sentiment.training.choosing import f_measure
from shared.taxonomy import Taxonomy, ThemeDefinition

EXAMPLES = 10


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    folder = parser.parse_args().data
    scorer, tests = read_transformer(), questions(folder / "test.csv")
    points = points_of(taxonomy(questions(folder / "train.csv")), scorer.meanings)
    likeness = scorer.meanings([text for text, _ in tests]) @ points.at.T
    truth = np.array([[theme == intent for theme in points.ids] for _, intent in tests])
    ranks = (likeness > likeness[truth][:, None]).sum(axis=1)
    f1 = f_measure(matches(likeness, scorer.near, scorer.behind), truth)
    print(f"{scorer.model}: {len(tests)} questions, {len(points.ids)} themes of a name and {EXAMPLES} examples each")
    first, three = 100 * (ranks == 0).mean(), 100 * (ranks < 3).mean()
    print(f"  the right theme is the likeliest of {first:.1f} %, among the three likeliest of {three:.1f} %")
    print(f"  F1 of all pairs, with the service's threshold: {100 * f1:.1f} %")


def questions(path: Path) -> list[tuple[str, str]]:
    """(text, intent), in the file's order."""
    with path.open(newline="", encoding="utf-8") as file:
        return [(row["text"], row["category"]) for row in csv.DictReader(file)]


def taxonomy(train: list[tuple[str, str]]) -> Taxonomy:
    """A theme for each intent, with the first of its training questions as examples."""
    examples: dict[str, list[str]] = defaultdict(list)
    for text, intent in train:
        examples[intent].append(text)
    named = {intent: intent.replace("_", " ").rstrip("?").capitalize() for intent in sorted(examples)}
    return Taxonomy(1, tuple(ThemeDefinition(i, name, name, tuple(examples[i][:EXAMPLES])) for i, name in named.items()))


if __name__ == "__main__":
    main()
