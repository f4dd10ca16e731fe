"""The choice of sealed spans: what is read covers every bucket exactly once, by the largest spans."""

import random
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from operator import attrgetter

from services.metrics.store.seals import Level
from services.metrics.store.spans import ConfirmedSeal, Gap, SealedSpan, SpanPlan, Spans

START = datetime(2026, 1, 1, tzinfo=UTC)
DAY, HOUR = timedelta(days=1), timedelta(hours=1)


def span(
    number: int,
    level: Level,
    starts: datetime,
    length: timedelta,
    *,
    holds: bool = True,
    measure: int = 1,
    valid: bool = True,
) -> SealedSpan:
    return SealedSpan(measure, level, number, START, starts, starts + length, holds, wide=False, valid=valid)


def ordered(spans: Iterable[SealedSpan]) -> list[SealedSpan]:
    """The spans in the order of the statement that reads them."""
    return sorted(sorted(spans, key=attrgetter("ends"), reverse=True), key=attrgetter("measure", "starts"))


def chosen(edges: list[datetime], *parts: Iterable[SealedSpan], measures: tuple[int, ...] = (1,)) -> Spans:
    plan = SpanPlan(measures, edges)
    for part in parts:
        plan.add(ordered(part))
    return plan.spans()


def ids(runs: Iterable[Iterable[ConfirmedSeal]]) -> list[list[int]]:
    return [[seal.id for seal in run] for run in runs]


def random_spans(chance: random.Random) -> dict[int, SealedSpan]:
    """Sealed days and hours of two measures over ten days, some of which lack the cuboid, and some of another zone."""
    made: list[SealedSpan] = []
    for measure in (1, 2):
        for day in range(10):
            starts = START + day * DAY + chance.choice([timedelta(), timedelta(), 5 * HOUR])
            if chance.random() < 0.7:
                made.append(span(len(made), Level.DAY, starts, DAY, holds=chance.random() < 0.6, measure=measure))
            for hour in range(24):
                if chance.random() < 0.5:
                    at = START + day * DAY + hour * HOUR
                    made.append(span(len(made), Level.HOUR, at, HOUR, holds=chance.random() < 0.6, measure=measure))
    return {one.id: one for one in made}


def test_runs_and_gaps_cover_every_bucket_once() -> None:
    for seed in range(60):
        chance = random.Random(seed)
        spans = random_spans(chance)
        steps = chance.choice([1, 3, 10])
        edges = [START + chance.random() * 3 * DAY + step * chance.choice([5, 6]) * DAY / steps for step in range(steps + 1)]
        edges.sort()
        plan = chosen(edges, spans.values(), measures=(1, 2))
        for measure in (1, 2):
            for bucket in range(steps):
                runs = plan.runs.get((bucket, measure), [])
                gaps = [gap for gap in plan.gaps if gap[:2] == (bucket, measure)]
                pieces = [(spans[seal.id].starts, spans[seal.id].ends) for run in runs for seal in run]
                pieces += [(gap.low, gap.high) for gap in gaps]
                pieces.sort()
                assert pieces[0][0] == edges[bucket]
                assert pieces[-1][1] == edges[bucket + 1]
                assert all(one[1] == other[0] for one, other in pairwise(pieces)), (seed, bucket)
                assert all(spans[seal.id].holds for run in runs for seal in run)
                for gap in gaps:
                    of_gap = [spans[seal.id] for seal in gap.seals]
                    assert not of_gap or (of_gap[0].starts, of_gap[-1].ends) == (gap.low, gap.high)
                    assert not any(one.holds for one in of_gap)


def test_a_day_is_read_rather_than_its_hours_and_hours_where_a_day_lacks_the_cuboid() -> None:
    days = [span(1, Level.DAY, START, DAY), span(2, Level.DAY, START + DAY, DAY, holds=False)]
    hours = [span(10 + hour, Level.HOUR, START + hour * HOUR, HOUR) for hour in range(48)]
    plan = chosen([START, START + 2 * DAY], [*days, *hours])
    assert ids(plan.runs[0, 1]) == [[1], [10 + hour for hour in range(24, 48)]]
    assert plan.gaps == []


def test_days_are_read_where_no_month_fits() -> None:
    month = span(1, Level.MONTH, START, 31 * DAY)
    days = [span(10 + day, Level.DAY, START + day * DAY, DAY) for day in range(-3, 40)]
    plan = chosen([START - 2 * DAY, START + 33 * DAY], [month], days)
    assert ids(plan.runs[0, 1]) == [[1], [8, 9, 41, 42]]
    assert plan.gaps == []


def test_sealed_spans_that_lack_the_cuboid_are_gaps_with_seals() -> None:
    days = [span(day, Level.DAY, START + day * DAY, DAY, holds=False) for day in range(2)]
    hour = span(9, Level.HOUR, START + 2 * DAY, HOUR, holds=False)
    plan = chosen([START - HOUR, START + 2 * DAY + 2 * HOUR], [*days, hour])
    assert plan.runs == {}
    assert plan.gaps == [
        Gap(0, 1, START - HOUR, START),
        Gap(0, 1, START, START + 2 * DAY, (ConfirmedSeal(0, START), ConfirmedSeal(1, START))),
        Gap(0, 1, START + 2 * DAY, START + 2 * DAY + HOUR, (ConfirmedSeal(9, START),)),
        Gap(0, 1, START + 2 * DAY + HOUR, START + 2 * DAY + 2 * HOUR),
    ]


def test_a_day_of_another_zone_is_read_once() -> None:
    ours = [span(day, Level.DAY, START + day * DAY, DAY) for day in range(3)]
    theirs = span(9, Level.DAY, START + 5 * HOUR, DAY)
    assert ids(chosen([START, START + 3 * DAY], [*ours, theirs]).runs[0, 1]) == [[0, 1, 2]]


def test_hours_are_read_at_both_ends_of_a_long_window_and_of_the_open_days_between_them() -> None:
    """Of a busy day, a change opens one hour: the day's others are read, not its contributions."""
    edges = [START + 6 * HOUR, START + 60 * DAY + 6 * HOUR]
    days = [span(day, Level.DAY, START + day * DAY, DAY, valid=day not in (20, 40)) for day in range(1, 60)]
    plan = SpanPlan([1], edges)
    plan.add(ordered(days))
    ranges = list(plan.ranges(Level.HOUR))
    assert [(low, high) for _, _, low, high in ranges] == [
        (edges[0], START + DAY),
        (START + 20 * DAY, START + 21 * DAY),
        (START + 40 * DAY, START + 41 * DAY),
        (START + 60 * DAY, edges[1]),
    ]
    hours = [span(100 + hour, Level.HOUR, START + 20 * DAY + hour * HOUR, HOUR) for hour in range(24) if hour != 7]
    plan.add(ordered(hours))
    chosen_spans = plan.spans()
    assert [gap[2:4] for gap in chosen_spans.gaps] == [
        (edges[0], START + DAY),
        (START + 20 * DAY + 7 * HOUR, START + 20 * DAY + 8 * HOUR),
        (START + 40 * DAY, START + 41 * DAY),
        (START + 60 * DAY, edges[1]),
    ]


def test_days_that_were_never_sealed_have_no_hours_to_read() -> None:
    """Such as those before a tenant's first answer: a query would look for them in vain."""
    edges = [START, START + 60 * DAY]
    plan = SpanPlan([1], edges)
    plan.add([span(day, Level.DAY, START + day * DAY, DAY) for day in range(50, 60)])
    assert list(plan.ranges(Level.HOUR)) == [(1, Level.HOUR, START, START + 2 * DAY)]


def test_an_open_day_of_another_measure_has_no_hours_to_read() -> None:
    edges = [START, START + 60 * DAY]
    plan = SpanPlan([1, 2], edges)
    plan.add(ordered(span(day, Level.DAY, START + day * DAY, DAY, valid=day != 20, measure=2) for day in range(60)))
    assert (2, Level.HOUR, START + 20 * DAY, START + 21 * DAY) in plan.ranges(Level.HOUR)
    assert (1, Level.HOUR, START + 20 * DAY, START + 21 * DAY) not in plan.ranges(Level.HOUR)
