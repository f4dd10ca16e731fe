"""Ratings of questions with different forms, over HTTP."""

from datetime import UTC, datetime, timedelta
from typing import Any

import httpx

from tests.service.metrics.database import MetricsDatabase, serving, survey_response
from tests.unit.metrics.build import csat

NOW = datetime(2026, 10, 27, 12, tzinfo=UTC)


async def only_row(http: httpx.AsyncClient, kpi: str) -> Any:
    (row,) = (await http.get(f"/v1/kpis/{kpi}", params={"window": "24h"})).json()["rows"]
    return row


async def test_two_csat_forms_never_share_a_bin(metrics_db: MetricsDatabase) -> None:
    at = NOW - timedelta(hours=1)
    await metrics_db.apply(survey_response(1, csat(4, (1, 5)), at=at), survey_response(2, csat(4, (1, 7)), at=at))
    async with serving(metrics_db.url, NOW) as http:
        share, mean = await only_row(http, "csat"), await only_row(http, "csat_mean")
    assert (share["value"], share["n"], "mixed_forms" in share["flags"]) == (50.0, 2, True)
    assert share["distribution"] == {"0": 1, "1": 1}
    assert mean["value"] is None
