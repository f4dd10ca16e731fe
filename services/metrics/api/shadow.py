"""What a candidate would change if it were promoted: the labels of comments, and KPIs."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import asyncpg

from services.metrics.api.answers import interval, local
from services.metrics.domain.estimators import Estimate
from services.metrics.domain.histogram import Histogram
from services.metrics.domain.measures import COMMENTS
from services.metrics.domain.shadow import COMPARED, Pair, Verdict, estimates, measures, scored
from services.metrics.domain.windows import Window
from services.metrics.store.promotions import Asker
from services.metrics.store.query import histograms
from services.metrics.store.selection import Selection, resolve
from services.metrics.store.shadow import Comparison, compare

EXAMPLES = 50
"""Comments whose label would change that a report shows."""


@dataclass(frozen=True, slots=True)
class Report:
    """What a candidate says of the comments in a window, beside the promoted model."""

    window: Window
    measured: dict[str, Histogram]
    comparison: Comparison


async def reported(connection: asyncpg.Connection, asker: Asker, model: str, window: Window, now: datetime) -> Report:
    """Compare `model` with the promoted one, reading nothing from `now` on."""
    end = min(window.end, now)
    scope = await resolve(connection, asker.slug, Selection(measures(asker.model, model)))
    if scope is None or window.start >= end:
        return Report(window, {}, Comparison())
    found = await histograms(connection, scope, [window.start, end])
    comparison = await compare(connection, scope, asker.model, model, window.start, end, EXAMPLES)
    return Report(window, found.get((0, ()), {}), comparison)


def told(model: str, promoted: str, report: Report) -> dict[str, Any]:
    """The report as it is shown."""
    return head(model, promoted, report) | judgements(report) | {"kpis": kpis(model, promoted, report)}


def head(model: str, promoted: str, report: Report) -> dict[str, Any]:
    """What the report is about, and how complete it is."""
    window, comments = report.window, report.measured[COMMENTS.family].n if COMMENTS.family in report.measured else 0
    return {
        "model": model,
        "promoted": promoted,
        "window": {"from": local(window.start, window.zone), "to": local(window.end, window.zone), "tz": window.zone.key},
        "comments": comments,
        "missing": comments - scored(report.measured, model),
    }


def judgements(report: Report) -> dict[str, Any]:
    confusion = report.comparison.confusion
    examples = [example(subject, pair, report.window) for subject, pair in report.comparison.changed]
    return {
        "n": confusion.n,
        "agreement": confusion.agreement,
        "changed": confusion.changed,
        "confusion": confusion.table,
        "examples": examples,
    }


def example(subject: str, pair: Pair, window: Window) -> dict[str, Any]:
    return {
        "subject": subject,
        "at": local(pair.comment.at, window.zone),
        "text_hash": pair.comment.text_hash,
        "text": pair.comment.text,
        "promoted": verdict(pair.promoted),
        "candidate": verdict(pair.candidate),
    }


def verdict(given: Verdict) -> dict[str, Any]:
    return {"label": given[0], "score": given[1]}


def kpis(model: str, promoted: str, report: Report) -> list[dict[str, Any]]:
    """Each KPI with either model promoted, and how far the candidate's lies from the promoted one's."""
    both = zip(COMPARED, estimates(report.measured, promoted), estimates(report.measured, model), strict=True)
    return [
        {
            "kpi": kpi,
            "agg": agg or None,
            "promoted": value(before),
            "candidate": value(after),
            "delta": None if before.value is None or after.value is None else after.value - before.value,
        }
        for (kpi, agg), before, after in both
    ]


def value(found: Estimate) -> dict[str, Any]:
    return {"value": found.value, "n": found.n, "interval": interval(found.interval), "flags": list(found.flags)}
