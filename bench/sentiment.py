"""Compare the shipped models on labelled comments: accuracy, calibration, speed and memory.

python -m bench.sentiment --data FOLDER      (the labelled comments stay out of the project: docs/sentiment.md says what they are)
"""

import argparse
import random
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from statistics import fmean, median

from services.sentiment.domain.scorer import Scorer
from services.sentiment.domain.scoring import Comment, score_comments
from services.sentiment.domain.transformer import TransformerScorer
from services.sentiment.huge_pages import restart_with_huge_pages
from services.sentiment.scorers import SHIPPED, finder_of
from services.sentiment.taxonomy_cache import read_default
from services.sentiment.training.card import calibration, held
from services.sentiment.training.data import choosing_rows
from services.sentiment.training.figures import Figures, by_source, mean
from services.sentiment.training.newer import newer_figures
from services.sentiment.training.themes.data import gold
from services.sentiment.training.theming import theme_figures

SHORT = (20, 120)
"""Characters of a short comment, for the speed."""
MANY, BATCH, ALONE = 4_000, 64, 500
MEMORY_COMMENTS = 5_000
"""Comments that a separate process scores before its memory is read."""

FiguresOf = Mapping[str, Mapping[str, Figures]]
Work = Callable[[Sequence[str]], object]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="folder with dev, test, unseen and multi (.jsonl)")
    data = parser.parse_args().data
    rows, scorers = held(data), {name: make() for name, make in SHIPPED.items()}
    results = {
        name: {file: by_source(of, scorer.score([r.text for r in of])) for file, of in rows.items()}
        for name, scorer in scorers.items()
    }
    for file in rows:
        print(f"\n{file}: accuracy / macro-F1 / macro-recall / 2-class / ECE, in %")
        compare(file, results)
    dev = choosing_rows(data)
    ece = {name: calibration(dev, scorer.score([row.text for row in dev])) for name, scorer in scorers.items()}
    print("\naims, in %")
    aims(results, ece)
    themes(scorers)
    newer(scorers)
    print("\nspeed, one thread, short comments (aims: 400/s, p50 of one under 3 ms, memory under 300 MB)")
    short = [row.text for of in rows.values() for row in of if SHORT[0] <= len(row.text) <= SHORT[1]]
    random.Random(0).shuffle(short)
    for scorer in scorers.values():
        print(f"  {scorer.model!s:14} {speed(scorer, short)}", flush=True)
    for name in SHIPPED:
        print(f"  {name:14} memory of a process of its own: {memory(name)}", flush=True)


def compare(file: str, results: Mapping[str, FiguresOf]) -> None:
    """Print a line for each source and one for their mean, with the models side by side."""
    print(f"  {'':16} {'rows':>6}  " + "  ".join(f"{name:^29}" for name in results))
    tables = [of[file] for of in results.values()]
    for source, first in tables[0].items():
        print(f"  {source:16} {first.rows:>6}  " + "  ".join(line(of[source]) for of in tables))
    means = [mean(list(of.values())) for of in tables]
    print(f"  {'mean':16} {means[0].rows:>6}  " + "  ".join(map(line, means)), flush=True)


def line(of: Figures) -> str:
    return " ".join(f"{100 * value:5.1f}" for value in (of.accuracy, of.macro_f1, of.macro_recall, of.two_class, of.ece))


def aims(results: Mapping[str, FiguresOf], ece: Mapping[str, float]) -> None:
    """Print each aim and the figures of each model."""
    print(f"  {'':52} {'aim':>7}  " + "  ".join(f"{name:>8}" for name in results))
    for name, aim, value in (
        ("unseen customer sources, mean accuracy", "≥ 85", lambda of: mean(list(of["unseen"].values())).accuracy),
        ("unseen customer sources, mean 2-class", "≥ 93", lambda of: mean(list(of["unseen"].values())).two_class),
        ("SemEval-2017 (TweetEval) test, macro-recall", "≥ 70", lambda of: of["test"]["semeval_tweets"].macro_recall),
        ("SST test, 2-class", "≥ 88", lambda of: of["test"]["sst"].two_class),
        ("UMSAB dev, macro-F1, mean of seven languages", "≥ 67", umsab),
    ):
        print(f"  {name:52} {aim:>7}  " + "  ".join(f"{100 * value(of):8.1f}" for of in results.values()))
    print(f"  {'ECE on dev':52} {'≤ 3':>7}  " + "  ".join(f"{100 * value:8.1f}" for value in ece.values()), flush=True)


def umsab(of: FiguresOf) -> float:
    return fmean(figures.macro_f1 for source, figures in of["multi_dev"].items() if source.startswith("umsab_"))


def themes(scorers: Mapping[str, Scorer]) -> None:
    """Print the quality of themes on comments that were labelled by hand."""
    for scorer in scorers.values():
        if isinstance(scorer, TransformerScorer):
            figures = theme_figures(scorer, gold())
            line = ", ".join(f"{name} {100 * value:.1f}" for name, value in figures._asdict().items())
            print(f"\nthemes of {len(gold())} comments by hand, in %: {line}")


def newer(scorers: Mapping[str, Scorer]) -> None:
    """Print all figures on the 200 comments that were labelled by docs/labelling.md, as shares of one."""
    for scorer in scorers.values():
        for name, value in newer_figures(scorer).items():
            print(f"  {scorer.model!s:14} newer comments, {name}: {value}", flush=True)


def speed(scorer: Scorer, texts: list[str]) -> str:
    """Comments a second in batches and the median of one alone: by the model, and with rules, language, urgency and themes."""
    finder, taxonomy = finder_of(scorer), read_default()

    def score(some: Sequence[str]) -> object:
        return score_comments(scorer, [Comment(text, None, taxonomy) for text in some], finder)

    model, around = (
        f"{rate(work, texts[:MANY]):,.0f}/s, one alone p50 {alone(work, texts[-ALONE:]):.2f} ms" for work in (scorer.score, score)
    )
    return f"{model}; with all that is around it {around}"


def rate(work: Work, texts: Sequence[str]) -> float:
    """Texts a second, in batches."""
    return len(texts) / sum(seconds(work, texts[start : start + BATCH]) for start in range(0, len(texts), BATCH))


def alone(work: Work, texts: Sequence[str]) -> float:
    """The median time that one text takes, in ms."""
    return 1000 * median(seconds(work, [text]) for text in texts)


def seconds(work: Work, texts: Sequence[str]) -> float:
    began = time.perf_counter()
    work(texts)
    return time.perf_counter() - began


def memory(name: str) -> str:
    arguments = ("--scorer", name, "--comments", str(MEMORY_COMMENTS), "--every", str(MEMORY_COMMENTS))
    result = subprocess.run(
        [sys.executable, "-m", "bench.sentiment_memory", *arguments], capture_output=True, text=True, check=True
    )
    return " ".join(result.stdout.splitlines()[-1].split())


if __name__ == "__main__":
    restart_with_huge_pages()
    main()
