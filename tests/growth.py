"""How the time of a function grows with the length of its text."""

import time
from collections.abc import Callable

FACTOR = 4
"""How much longer the longer text is. Linear work takes 4 times as long for it, quadratic work 16 times, cubic work 64 times."""
MOST = 10.0
"""The largest factor that still counts as linear; half of it is room for a busy machine."""
TRIES = 5
LEAST = 0.002
"""Seconds. Shorter times are noise."""


def growth(work: Callable[[str], object], unit: str, length: int) -> float:
    """How many times longer `work` takes on a text of `length` characters, made of `unit`, than on a quarter of it.

    The smallest of TRIES ratios: a busy machine makes a ratio larger now and then, never smaller than the true one each time.
    """
    short, long = repeated(unit, length // FACTOR), repeated(unit, length)
    smallest = float("inf")
    for _ in range(TRIES):
        before = seconds(work, short)
        smallest = min(smallest, seconds(work, long) / max(before, LEAST))
        if smallest <= MOST / 2:
            break
    return smallest


def repeated(unit: str, length: int) -> str:
    return (unit * (length // len(unit) + 1))[:length]


def seconds(work: Callable[[str], object], text: str) -> float:
    """CPU seconds of this process."""
    began = time.process_time()
    work(text)
    return time.process_time() - began
