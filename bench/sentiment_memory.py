"""Print the memory of a process while it scores many comments. Not part of `make bench`: a million comments take minutes.

python -m bench.sentiment_memory --comments 1000000 --scorer linear
"""

import argparse
import asyncio
import random
import time
from collections.abc import Iterator
from itertools import count, islice
from pathlib import Path

from services.sentiment.domain.scorer import Scorer
from services.sentiment.domain.scoring import Comment
from services.sentiment.huge_pages import restart_with_huge_pages
from services.sentiment.pool import Pool
from services.sentiment.scorers import SHIPPED, finder_of
from services.sentiment.taxonomy_cache import read_default
from shared.events import Score

BATCH = 500
PAGE = 4096
"""Bytes of a page of memory."""
WORDS = """
the a my your it they delivery parcel price support agent product app update order refund was is came took never always not very
late quick friendly rude broken great terrible fine helpful slow cheap expensive again twice today finally but and because nie
wieder danke leider sehr gut schlecht merci jamais très bien mal gracias siempre nunca bueno malo
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--comments", type=int, default=1_000_000)
    parser.add_argument("--scorer", choices=SHIPPED, default="linear")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--every", type=int, default=100_000, help="comments between two lines")
    arguments = parser.parse_args()
    asyncio.run(measure(SHIPPED[arguments.scorer](), arguments.comments, arguments.threads, arguments.every))


async def measure(scorer: Scorer, total: int, threads: int, every: int) -> None:
    """Score `total` different comments. Print the memory of this process after the first batch and every `every` comments."""
    remaining, scored, began = islice(comments(), total), 0, time.perf_counter()
    print(f"{scorer.model}, {threads} threads, batches of {BATCH}")
    async with Pool(scorer, threads, finder=finder_of(scorer)) as pool:
        while batch := list(islice(remaining, BATCH)):
            scored += sum(isinstance(score, Score) for score in await pool.score_comments(batch))
            if scored == BATCH or scored % every == 0 or len(batch) < BATCH:
                rate = scored / (time.perf_counter() - began)
                print(f"{scored:>10,} comments {resident():6.1f} MB {rate:8,.0f}/s", flush=True)


def comments() -> Iterator[Comment]:
    """Endless comments, each with another number: mostly short, every thousandth of a thousand words."""
    chance, words, taxonomy = random.Random(0), WORDS.split(), read_default()
    for number in count(1):
        length = 1000 if number % 1000 == 0 else chance.randint(3, 40)
        yield Comment(" ".join([*chance.choices(words, k=length), f"case {number}"]), None, taxonomy)


def resident() -> float:
    """Resident memory of this process in MB."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * PAGE / 1e6


if __name__ == "__main__":
    restart_with_huge_pages()
    main()
