"""How the time of a function grows with the length of its text."""

import time
from collections.abc import Callable
from typing import NamedTuple

FACTOR = 4
"""How much longer the longer text is. Linear work takes 4 times as long for it, quadratic work 16 times, cubic work 64 times."""
MOST = 10.0
"""The largest ratio of times that still counts as linear. The room above 4 is for a busy machine."""
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


LADDER = (256, 64, 16, 4, 1)
"""The length is divided by each of these in turn, so work that is worse than linear is found before it takes minutes."""


def growth(work: Callable[[str], object], text: Hostile, length: int) -> float:
    """How many times longer `work` takes on `length` characters than on a quarter of them.

    If a shorter text already shows that the work is worse than linear, the ratio for that text.
    """
    ratio = 0.0
    for divisor in LADDER:
        ratio = smallest_ratio(work, text.of(length // divisor // FACTOR), text.of(length // divisor))
        if ratio > MOST:
            break
    return ratio


def smallest_ratio(work: Callable[[str], object], short: str, long: str) -> float:
    """The smallest of up to TRIES ratios of the times: a busy machine raises some of them, quadratic work all."""
    smallest = float("inf")
    for _ in range(TRIES):
        before = max(seconds(work, short), LEAST)
        smallest = min(smallest, seconds(work, long) / before)
        if smallest <= MOST * 2 / 3:
            break
    return smallest


def seconds(work: Callable[[str], object], text: str) -> float:
    """CPU seconds of this process."""
    began = time.process_time()
    work(text)
    return time.process_time() - began
