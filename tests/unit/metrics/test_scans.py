"""Which queries read contributions one by one, and what the remedy says."""

from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from services.metrics.domain.kpis import KPIS
from services.metrics.domain.query import Comparison, Filter, Query
from services.metrics.evaluation.scans import depends_on_zone, reason_to_scan

NOW = datetime(2026, 11, 18, 14, 30, tzinfo=UTC)
BERLIN, KOLKATA = ZoneInfo("Europe/Berlin"), ZoneInfo("Asia/Kolkata")
TEAM = Filter("team", ("billing",))


def reason(**fields: Any) -> str | None:
    query = Query(kpi=KPIS["nps"], **fields)
    return reason_to_scan(query, BERLIN if depends_on_zone(query) else None, NOW)


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"window": "365d", "grain": "P1D"},
        {"window": "365d", "zone": KOLKATA},
        {"window": "365d", "zone": BERLIN, "grain": "P1M"},
        {"window": "7d", "zone": KOLKATA, "grain": "P1D"},
        {"window": "7d", "grain": "PT1H"},
        {"window": "24h", "grain": "PT15M"},
        {"window": "90d", "group_by": ("channel", "team")},
        {"window": "90d", "group_by": ("priority",), "filters": (TEAM,)},
    ],
)
def test_stored_counts_answer(fields: dict[str, Any]) -> None:
    assert reason(**fields) is None


@pytest.mark.parametrize(
    ("fields", "begin", "remedy"),
    [
        ({"per_respondent": True}, "per=respondent compares all answers of each customer", "use a shorter window"),
        ({"group_by": ("team", "region")}, "group_by=team,region has no stored counts", "team and channel, team and priority"),
        (
            {"group_by": ("region",), "filters": (TEAM,)},
            "group_by=region with filter[team] has no stored counts",
            "survey and segment, theme and product",
        ),
        ({"group_by": ("plan",)}, "group_by=plan has no stored counts", "use a shorter window"),
        ({"window": "30d", "grain": "PT1H"}, "grain=PT1H has no stored counts before the last 8 days", "grain=P1D"),
        ({"window": "9d", "grain": "PT15M"}, "grain=PT15M has no stored counts", "grain=P1D"),
        (
            {"window": "30d", "grain": "P1D", "zone": KOLKATA},
            "days in Asia/Kolkata have no stored counts, those in Europe/Berlin have",
            "leave tz out",
        ),
        (
            {"window": "7d", "grain": "PT1H", "compare": (Comparison("previous", "previous"),)},
            "grain=PT1H has no stored counts",
            "use a shorter window",
        ),
    ],
)
def test_the_reason_names_the_parameter_and_the_remedy(fields: dict[str, Any], begin: str, remedy: str) -> None:
    text = reason(**fields)
    assert text is not None
    assert text.startswith(begin)
    assert remedy in text
