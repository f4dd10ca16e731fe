"""Both models on labelled comments, in one run: how often they are right, how well they know it, how fast they are.

python -m bench.sentiment --data FOLDER      (the labelled comments stay out of the project: docs/sentiment.md says what they are)
"""

import argparse
import random
import resource
import sys
import time
from pathlib import Path
from statistics import median

from services.sentiment.app import SCORERS
from services.sentiment.domain.judging import Comment, judge
from services.sentiment.domain.scorer import Scorer
from services.sentiment.training.data import KINDS, Row, read
from services.sentiment.training.figures import Figures, by_source, mean

SHORT = (20, 120)
"""Characters of a short comment, for the speed."""
MANY, BATCH, ALONE = 10_000, 64, 500


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="folder with test, unseen and multi (.jsonl)")
    data = parser.parse_args().data
    held = {name: [row for row in read(data, name) if row.label in KINDS] for name in ("test", "unseen", "multi")}
    held["multi"] = [row for row in held["multi"] if row.split == "dev"]
    scorers = [make() for make in SCORERS.values()]
    for name, rows in held.items():
        print(f"\n{name}: accuracy / macro-F1 / macro-recall / 2-class / ECE, in %")
        compare(rows, scorers)
    print("\nspeed, one thread, short comments")
    short = [row.text for rows in held.values() for row in rows if SHORT[0] <= len(row.text) <= SHORT[1]]
    random.Random(0).shuffle(short)
    for scorer in scorers:
        print(f"  {scorer.model!s:14} {speed(scorer, short)}")
    print(f"memory of this process with all of it: {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MB")


def compare(rows: list[Row], scorers: list[Scorer]) -> None:
    """A line for each source and one for their mean; the models side by side."""
    texts = [row.text for row in rows]
    found = [by_source(rows, scorer.score(texts)) for scorer in scorers]
    print(f"  {'':16} {'rows':>6}  " + "  ".join(f"{scorer.model!s:^29}" for scorer in scorers))
    for source, first in found[0].items():
        print(f"  {source:16} {first.rows:>6}  " + "  ".join(line(of[source]) for of in found))
    print(f"  {'mean':16} {len(rows):>6}  " + "  ".join(line(mean(list(of.values()))) for of in found), flush=True)


def line(of: Figures) -> str:
    return " ".join(f"{100 * value:5.1f}" for value in (of.accuracy, of.macro_f1, of.macro_recall, of.two_class, of.ece))


def speed(scorer: Scorer, texts: list[str]) -> str:
    """Comments a second in batches, by the model alone and with the rules and the language, and the median time of one alone."""
    many = texts[:MANY]
    began = time.perf_counter()
    for start in range(0, len(many), BATCH):
        scorer.score(many[start : start + BATCH])
    model = len(many) / (time.perf_counter() - began)
    comments = [Comment(text, None) for text in many]
    began = time.perf_counter()
    for start in range(0, len(comments), BATCH):
        judge(scorer, comments[start : start + BATCH])
    whole = len(comments) / (time.perf_counter() - began)
    alone = median(timed(scorer, text) for text in texts[-ALONE:])
    return f"{model:,.0f}/s; with rules and language {whole:,.0f}/s; one alone p50 {1000 * alone:.2f} ms"


def timed(scorer: Scorer, text: str) -> float:
    began = time.perf_counter()
    judge(scorer, [Comment(text, None)])
    return time.perf_counter() - began


if __name__ == "__main__":
    sys.exit(main())
