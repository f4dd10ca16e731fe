"""Formulas with their numbers filled in, as text: `100 · (412 − 187) / 905`.

A text holds numbers, `+`, `−`, `·`, `/` and brackets only, so that a reader can compute it: its value is that of the KPI.
"""

from collections.abc import Mapping, Sequence
from decimal import Decimal


def number(value: float) -> str:
    """A number without an exponent; a negative one has a minus sign, not a hyphen."""
    text = str(int(value)) if float(value).is_integer() else format(Decimal(repr(float(value))), "f")
    return text.replace("-", "−")


def share(hits: int, n: int) -> str:
    """A share in percent."""
    return f"100 · {hits} / {n}"


def balance(up: int, down: int, n: int) -> str:
    """The difference of two shares, in points."""
    return f"100 · ({up} − {down}) / {n}"


def total(parts: Sequence[int]) -> str:
    """The sum of several counts."""
    return " + ".join(map(number, parts))


def mean(amounts: int, n: int, per_unit: int = 1) -> str:
    """The mean of `n` amounts with this sum; `per_unit` of them make one unit."""
    return f"{number(amounts)} / {n}" if per_unit == 1 else f"{number(amounts)} / ({per_unit} · {n})"


def quantile(values: Mapping[float, int], percent: int) -> str:
    """A quantile of values with their counts, linear between the two neighbours of its rank."""
    place, rest = divmod((sum(values.values()) - 1) * percent, 100)
    below = value_at(values, place)
    above = value_at(values, place + 1) if rest else below
    if above == below:
        return number(below)
    return f"{number(below)} + {number(rest / 100)} · ({number(above)} − {number(below)})"


def value_at(values: Mapping[float, int], place: int) -> float:
    """The value at a place, from 0, of the values in ascending order."""
    reached = 0
    for value in sorted(values):
        reached += values[value]
        if place < reached:
            return value
    raise IndexError(f"there are {reached} values, none at place {place}")
