"""Themes and urgency: a comment counts once under each of its values and once in a total, sealed or not."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from itertools import pairwise, product
from random import Random
from typing import Any

from services.metrics.domain.contributions import Contribution
from services.metrics.domain.histogram import count
from services.metrics.domain.query import Filter
from services.metrics.store.query import Histograms, histograms
from services.metrics.store.selection import Selection, resolve
from shared.events import Event, Override, Score, ScoreEvent, ThemeScore, text_hash
from tests.service.metrics.database import MetricsDatabase, expected, statement, survey_response
from tests.unit.metrics.build import MODEL, rows, words

NOW = datetime(2026, 10, 27, 12, tzinfo=UTC)
OTHER_MODEL = "e5-4"
THEMES, REASONS = ("delivery", "price", "billing"), ("legal_threat", "safety", "outage")
REGIONS = ("DE", "FR", None)
MEASURES = {
    "sentiment": (f"sentiment:{MODEL}",),
    "theme_volume": (f"label:{MODEL}", f"abstained:{MODEL}"),
    "urgent_comments": (f"urgent:{MODEL}",),
}
EDGES = [NOW - timedelta(days=days) for days in (60, 40, 39, 8, 1, 0)]


def random_score(r: Random, subject: str, text: str, model: str) -> ScoreEvent:
    value = r.choice((None, -0.7, 0.0, 0.31))
    label: Any = None if value is None else "negative" if value < 0 else "positive" if value else "neutral"
    score = Score(
        label=label,
        score=value,
        confidence=0.9,
        text_hash=text_hash(text),
        themes=tuple(ThemeScore(name, 0.5) for name in r.sample(THEMES, r.choice((0, 1, 2, 3)))),
        urgency=tuple(r.sample(REASONS, r.choice((0, 0, 1, 2)))),  # type: ignore[arg-type]
        flags=("unsupported_language",) if r.random() < 0.1 else (),
    )
    return ScoreEvent(tenant="acme", subject=subject, model=model, received_at=NOW, score=score)


def random_feedback(seed: int, responses: int) -> tuple[list[Event], list[ScoreEvent]]:
    """Responses with up to three comments, each scored by up to two models, some overridden by a human."""
    r = Random(seed)
    events: list[Event] = []
    scores: list[ScoreEvent] = []
    for number in range(1, responses + 1):
        at = NOW - timedelta(minutes=r.randrange(1, 60 * 24 * 60))
        texts = [f"comment {number}.{n}" for n in range(r.choice((0, 1, 1, 3)))]
        subject = f"c1/response/{number}"
        answers = [words(text, question=f"q{n}") for n, text in enumerate(texts)]
        customer, region = r.choice(("p1", "p2", "p3", None)), r.choice(REGIONS)
        events.append(survey_response(number, *answers, at=at, customer=customer, dimensions={"region": region}))
        for text, model in product(texts, (MODEL, OTHER_MODEL)):
            if r.random() < 0.9:
                scores.append(random_score(r, subject, text, model))
        if texts and r.random() < 0.3:
            themes = tuple(r.sample((*THEMES, "sizing"), r.choice((0, 1, 2))))
            override = Override(comment=text_hash(texts[0]), label=r.choice((None, "negative")), themes=themes)
            events.append(statement(subject, override, at=NOW, seq=1000 + number))
    return events, scores


def selections(measures: tuple[str, ...]) -> Iterator[Selection]:
    """Every form of grouping and filter, and their combinations."""
    filters = [
        (),
        *((Filter("theme", (value,)),) for value in ("delivery", "sizing", None, "unheard of")),
        (Filter("theme", ("delivery", "price")),),
        (Filter("theme", ("delivery", None)),),
        (Filter("theme", (), ("delivery",)),),
        (Filter("theme", (), (None,)),),
        (Filter("theme", ("price",), ("delivery", None)),),
        (Filter("urgency", ("safety",)),),
        (Filter("urgency", (), (None, "outage")),),
        (Filter("theme", ("delivery",)), Filter("urgency", ("safety", "outage"))),
        (Filter("theme", ("delivery",)), Filter("region", ("DE", None))),
    ]
    groupings: list[tuple[str, ...]] = [
        (),
        ("theme",),
        ("urgency",),
        ("theme", "urgency"),
        ("region", "theme"),
        ("urgency", "region"),
    ]
    for chosen, group_by in product(filters, groupings):
        yield Selection(measures, group_by, chosen)
    for chosen, group_by in product(filters[::3], groupings):
        yield Selection(measures, group_by, chosen, per_respondent=True)


def passes(row: Contribution, chosen: Iterable[Filter]) -> bool:
    return all(
        (not f.include or not set(f.include).isdisjoint(row.values(f.dimension)))
        and set(f.exclude).isdisjoint(row.values(f.dimension))
        for f in chosen
    )


def latest_of_each_customer(rows: list[Contribution], subjects: dict[int, str]) -> list[Contribution]:
    named = [row for row in rows if row.customer]
    named.sort(key=lambda row: (row.at, subjects[id(row)], row.measure, row.bin, row.amount, row.themes, row.urgency))
    return [*{row.customer: row for row in named}.values(), *(row for row in rows if not row.customer)]


def brute_force(selection: Selection, subjects: dict[int, str], contributions: Iterable[Contribution]) -> Histograms:
    cells: defaultdict[Any, defaultdict[str, list[tuple[int, int]]]] = defaultdict(lambda: defaultdict(list))
    chosen = [row for row in contributions if row.measure in selection.measures and passes(row, selection.filters)]
    for number, (start, end) in enumerate(pairwise(EDGES)):
        in_bucket = [row for row in chosen if start <= row.at < end]
        if selection.per_respondent:
            in_bucket = latest_of_each_customer(in_bucket, subjects)
        for row in in_bucket:
            for group in product(*(row.values(dimension) for dimension in selection.group_by)):
                cells[number, group][row.measure].append((row.bin, row.amount))
    return {cell: {name: count(pairs) for name, pairs in measured.items()} for cell, measured in cells.items()}


async def test_every_group_and_filter_equals_brute_force_sealed_and_unsealed(metrics_db: MetricsDatabase) -> None:
    events, scores = random_feedback(seed=1, responses=100)
    await metrics_db.apply(*events)
    await metrics_db.apply(*scores)
    assert await metrics_db.contributions() == expected(events, scores)
    by_key = {(score.model, score.score.text_hash): score.score for score in scores}
    contributions: list[Contribution] = []
    subjects: dict[int, str] = {}
    for subject in {event.subject for event in events}:
        of_subject = rows(*(event for event in events if event.subject == subject), scores=by_key)
        contributions += of_subject
        subjects |= {id(row): subject for row in of_subject}
    by_selection = {
        (kpi, selection): brute_force(selection, subjects, contributions)
        for kpi, measures in MEASURES.items()
        for selection in selections(measures)
    }
    assert sum(len(cells) for cells in by_selection.values()) > 2000
    for sealed in (False, True):
        if sealed:
            assert await metrics_db.seal(NOW) > 0
        async with metrics_db.pool.acquire() as connection:
            for (kpi, selection), cells in by_selection.items():
                scope = await resolve(connection, "acme", selection)
                assert scope
                assert await histograms(connection, scope, EDGES) == cells, (kpi, sealed, selection)
