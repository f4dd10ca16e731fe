"""`python -m bench.simulation`: check the pods in the table of needs by simulating their queues.

For each volume ten minutes at the rate of the busiest second of a day. Events arrive at random (a Poisson process). A pod
takes them one after the other. Their times vary more than measured ones do: they are exponential, with the measured mean.
Webhooks are divided equally among the pods of ingest; a consumer gets whole partitions, so the pod with the most is simulated.
The second case is the same with one pod less. The table in docs/scale.md is printed by this module, and a test compares them.
"""

from collections.abc import Sequence
from math import ceil

import numpy as np

from bench.capacity import COMMENTS, MEASURED, VOLUMES, Costs, Need, line, need

SECONDS = 600
SEED = 20261129
MOST = 5_000_000
"""Events of a simulated pod, at most."""


def shares_of_fullest_pod(one: Need, lost: int) -> tuple[float, float, float]:
    """The shares of all events, comments and events that the fullest pod of ingest, sentiment and metrics gets."""
    return (
        1 / max(1, one.ingest - lost),
        ceil(one.partitions / max(1, one.sentiment - lost)) / one.partitions,
        ceil(one.partitions / max(1, one.metrics - lost)) / one.partitions,
    )


def waits(rate: float, cost: float, seconds: float, seed: int) -> np.ndarray:
    """Seconds for which each event waits for one server. `rate`: events per second; `cost`: mean seconds of work for each."""
    chance = np.random.default_rng(seed)
    count = max(1, min(MOST, round(rate * seconds)))
    arrivals = np.cumsum(chance.exponential(1 / rate, count))
    work = np.cumsum(chance.exponential(cost, count))
    before = np.concatenate(([0.0], work[:-1]))
    waited = before - arrivals
    return np.asarray(waited - np.minimum.accumulate(waited))


def pods(one: Need, costs: Costs, lost: int) -> list[tuple[float, float]]:
    """Of the fullest pod of each service: the share of its core that is used, and the 99th percentile of waits in seconds."""
    rates = (one.peak, one.peak * COMMENTS, one.peak)
    times = (costs.ingest, costs.scoring, costs.metrics)
    results = []
    for rate, cost, share in zip(rates, times, shares_of_fullest_pod(one, lost), strict=True):
        waited = waits(rate * share, cost, SECONDS, SEED)
        results.append((rate * share * cost, float(np.percentile(waited, 99))))
    return results


HEADER = (
    "events a day",
    "share of a core: ingest, sentiment, metrics",
    "99 % wait at most",
    "one pod lost: share of a core",
    "99 % wait at most",
)


def table(costs: Costs) -> list[str]:
    """The lines of the table of the simulation in docs/scale.md."""
    return [line(HEADER), line(["---"] * len(HEADER)), *(line(cells(events, costs)) for events in VOLUMES)]


def cells(events: int, costs: Costs) -> Sequence[str]:
    """A row of the table."""
    one, texts = need(events, costs), [f"{events:,}"]
    for lost in (0, 1):
        results = pods(one, costs, lost)
        texts.append(", ".join(f"{used:.2f}" for used, _ in results))
        texts.append(", ".join(as_time(wait) for _, wait in results))
    return texts


def as_time(seconds: float) -> str:
    """A time with two significant digits."""
    return f"{float(f'{seconds:.2g}'):g} s" if seconds >= 1 else f"{float(f'{seconds * 1000:.2g}'):g} ms"


if __name__ == "__main__":
    print("\n".join(table(MEASURED)))
