"""How the time of a function grows with the length of its text."""

import gc
import time
from collections.abc import Callable
from typing import NamedTuple

FACTOR = 4
"""How much longer the longer text is. Linear work takes 4 times as long for it, quadratic work 16 times, cubic work 64 times."""
MOST = 10.0
"""The largest ratio of times that still counts as linear. The room above 4 is for a busy machine."""
DOUBTFUL = MOST * 2 / 3
"""A larger ratio is measured again."""
TRIES = 5
LEAST = 0.002
"""Seconds. Shorter times are noise, and count as this much."""


class Hostile(NamedTuple):
    """A text that is made long by repeating `unit` between `head` and `tail`."""

    unit: str
    head: str = ""
    tail: str = ""

    def of(self, length: int) -> str:
        """About `length` characters."""
        return self.head + (self.unit * (length // len(self.unit) + 1))[:length] + self.tail


STEPS = 5
"""The text is first this many times FACTOR shorter, so work that is worse than linear is noticed before it takes minutes."""


def growth(work: Callable[[str], object], text: Hostile, length: int) -> float:
    """How many times longer `work` takes on `length` characters than on a quarter of them.

    If a shorter text already shows that the work is worse than linear, the ratio for that text.
    """
    ratio, short = 0.0, text.of(length // FACTOR**STEPS)
    before = seconds(work, short)
    for step in reversed(range(STEPS)):
        long = text.of(length // FACTOR**step)
        after = seconds(work, long)
        ratio = after / max(before, LEAST)
        if ratio > DOUBTFUL:
            ratio = smallest_ratio(work, short, long, ratio)
        if ratio > MOST:
            break
        short, before = long, after
    return ratio


def smallest_ratio(work: Callable[[str], object], short: str, long: str, smallest: float) -> float:
    """The smallest of up to TRIES ratios of the times: a busy machine raises some of them, quadratic work all."""
    for _ in range(TRIES - 1):
        before = max(seconds(work, short), LEAST)
        smallest = min(smallest, seconds(work, long) / before)
        if smallest <= DOUBTFUL:
            break
    return smallest


def seconds(work: Callable[[str], object], text: str) -> float:
    """CPU seconds of this process, without garbage collection, whose time depends on all objects of the process."""
    gc.disable()
    try:
        began = time.process_time()
        work(text)
        return time.process_time() - began
    finally:
        gc.enable()
