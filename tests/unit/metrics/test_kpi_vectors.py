"""One vector for each KPI: histograms of its measures, and the value computed by hand from the KPI's formula."""

import pytest

from services.metrics.domain.ages import age_bin
from services.metrics.domain.durations import bin_of
from services.metrics.domain.histogram import Histogram, count
from services.metrics.domain.impact import WHOLE
from services.metrics.domain.kpis import KPIS
from services.metrics.domain.ticket_rows import NO_REPLY, NO_REPLY_ONE_TOUCH, ONE_TOUCH, OTHER
from tests.unit.metrics.build import MODEL, T0, at


def amounts(*values: int) -> Histogram:
    """The histogram of rows that have their amount as bin."""
    return count((value, value) for value in values)


def seconds(*values: int) -> Histogram:
    return count((bin_of(value), value) for value in values)


SENTIMENT = {f"sentiment:{MODEL}": count([(8, 440), (-13, -640)])}
LABELS = {f"label:{MODEL}": amounts(1, 1, 1, -1, 0)}
TOUCHES = {"touches": amounts(NO_REPLY, *[ONE_TOUCH] * 2, *[OTHER] * 4, NO_REPLY_ONE_TOUCH)}
STARS = {"stars:1..5+4": amounts(5, 4, 4, 1)}
YES_YES_YES_NO = amounts(1, 1, 1, 0)
HOUR = seconds(61, 3600, 86_399)
"""Durations with the median of an hour."""

VECTORS: dict[str, tuple[dict[str, Histogram], float]] = {
    "nps": ({"nps": amounts(9, 10, 8, 6)}, 25),
    "csat": ({"csat:1..5+4": amounts(4, 5, 5, 1)}, 75),
    "csat_mean": ({"csat:1..5+4": amounts(4, 5, 5, 1)}, 3.75),
    "ces": ({"ces:1..7+easy_is_high": amounts(5, 7, 6, 1)}, 75),
    "ces_mean": ({"ces:1..7+easy_is_high": amounts(5, 7, 6, 1)}, 4.75),
    "ces_index": ({"ces:1..7+easy_is_high": amounts(5, 7, 6, 1)}, 25),
    "stars": (STARS, 3.5),
    "stars_share": (STARS, 75),
    "response_rate": ({"invitations": YES_YES_YES_NO}, 75),
    "comment_rate": ({"responses": YES_YES_YES_NO}, 75),
    "sentiment": (SENTIMENT, -0.1),
    "net_sentiment": (LABELS, 40),
    "sentiment_share": (LABELS, 60),
    "sentiment_coverage": ({**LABELS, "comments": amounts(*[1] * 8)}, 62.5),
    "theme_volume": ({**LABELS, f"abstained:{MODEL}": amounts(1, 1)}, 7),
    "theme_sentiment": (SENTIMENT, -0.1),
    "theme_impact": (
        {f"{WHOLE}nps": Histogram({10: 50, 8: 30, 0: 20}), f"theme_nps:{MODEL}": Histogram({8: 5, 0: 15})},
        (50 - 20) - 100 * (50 - 5) / 80,
    ),
    "urgent_comments": ({f"urgent:{MODEL}": amounts(1, 1, 1)}, 3),
    "tickets_opened": ({"opened": amounts(1, 1)}, 2),
    "tickets_dropped": ({"dropped": amounts(1, 1)}, 2),
    "tickets_solved": ({"solved": amounts(1, 1)}, 2),
    "tickets_reopened": ({"reopened": amounts(1, 1)}, 2),
    "backlog": ({"backlog": amounts(1, 1, 1, -1)}, 2),
    "backlog_age": ({"backlog_age": amounts(age_bin(T0), age_bin(T0))}, 3600 - 450),
    "first_reply_time": ({"first_reply:replied": HOUR}, 3600),
    "next_reply_time": ({"next_reply:replied": HOUR}, 3600),
    "first_resolution_time": ({"first_resolution": HOUR}, 3600),
    "full_resolution_time": ({"full_resolution": HOUR}, 3600),
    "handling_time": ({"handling": HOUR}, 3600),
    "requester_wait": ({"requester_wait": HOUR}, 3600),
    "agent_wait": ({"agent_wait": HOUR}, 3600),
    "agent_replies": ({"agent_replies": amounts(0, 1, 5)}, 2),
    "one_touch_rate": (TOUCHES, 37.5),
    "no_reply_rate": (TOUCHES, 25),
    "resolution_rate": ({"standing_solve": amounts(1, 1, 1), "opened": amounts(1, 1)}, 150),
    "resolution_rate_cohort": ({"opened_solved": YES_YES_YES_NO}, 75),
    "reopen_rate": ({"first_solve": YES_YES_YES_NO}, 75),
    "sla_first_reply": ({"sla_first_reply": YES_YES_YES_NO}, 75),
    "sla_next_reply": ({"sla_next_reply": YES_YES_YES_NO}, 75),
    "sla_resolution": ({"sla_resolution": YES_YES_YES_NO}, 75),
    "sla_breached_open": ({"sla_overdue": amounts(1, 1, 1, -1)}, 2),
}
"""By KPI: the histograms, and the value of the default aggregation an hour after T0."""


def test_every_kpi_has_a_vector() -> None:
    assert VECTORS.keys() == KPIS.keys()


@pytest.mark.parametrize("kpi", VECTORS)
def test_the_value_is_as_computed_by_hand(kpi: str) -> None:
    histograms, value = VECTORS[kpi]
    precision = 0.01 if HOUR in histograms.values() else 1e-9
    assert KPIS[kpi].estimate(histograms, at=at(60)).value == pytest.approx(value, rel=precision)
