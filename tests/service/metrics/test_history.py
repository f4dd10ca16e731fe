"""`GET /v1/feedback/{subject}`: the statements about a subject, and the contributions that each added and removed."""

from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from services.metrics.evaluation import history
from shared.events import Message, Opened, Override, StatusSet, Ticket, text_hash
from tests.service.metrics.database import MetricsDatabase, erasure, score_of, serving, statement, survey_response
from tests.unit.metrics.build import MODEL, nps, words

NOW = datetime(2026, 11, 2, 12, tzinfo=UTC)
TICKET = "c2/ticket/a b/7"


def ago(hours: float) -> datetime:
    return NOW - timedelta(hours=hours)


async def read(http: httpx.AsyncClient, subject: str) -> dict[str, Any]:
    response = await http.get(f"/v1/feedback/{subject}")
    assert response.status_code == 200, response.text
    content: dict[str, Any] = response.json()
    return content


def measures(rows: list[dict[str, Any]]) -> list[str]:
    return [row["measure"] for row in rows]


async def test_each_statement_has_the_contributions_that_it_added_and_removed(metrics_db: MetricsDatabase) -> None:
    opening = Ticket(facts=(Opened(at=ago(9), text="it broke"), Message(at=ago(8), by="agent", text_digest="x")))
    await metrics_db.apply(
        statement(TICKET, opening, at=ago(8), seq=1, dimensions={"team": "7"}, customer="p1"),
        statement(TICKET, Ticket(facts=(StatusSet(at=ago(5), status="solved"),)), at=ago(5), seq=2),
        statement(TICKET, Ticket(facts=(StatusSet(at=ago(2), status="open"),)), at=ago(2), seq=3),
        score_of(TICKET, "it broke", -0.5, urgency=("outage",)),
        score_of(TICKET, "it broke", 0.5, "another-model"),
    )
    async with serving(metrics_db.url, NOW) as http:
        await http.put("/v1/names", json={"team": {"7": "Billing"}})
        content = await read(http, TICKET)
    assert (content["subject"], content["erased"], content["model"], content["terms"]) == (TICKET, False, MODEL, {"revision": 1})
    assert (content["dims"]["team"], content["names"]) == ("7", {"team": "Billing"})
    first, solve, reopening = content["statements"]
    assert first["body"]["facts"][0] == {"fact": "opened", "at": "2026-11-02T03:00:00Z", "text": "it broke"}
    assert first["at"] == "2026-11-02T05:00:00+01:00"
    assert "text_digest" not in str(content)
    assert "p1" not in str(content)
    assert {"opened", "first_reply:replied", f"sentiment:{MODEL}"} <= set(measures(first["added"]))
    assert "another-model" not in str(content)
    sentiment = next(row for row in first["added"] if row["measure"] == f"sentiment:{MODEL}")
    assert (sentiment["value"], sentiment["urgency"], sentiment["names"]) == (-0.5, ["outage"], {"team": "Billing"})
    assert {"solved", "full_resolution", "first_resolution"} <= set(measures(solve["added"]))
    assert "full_resolution" in measures(reopening["removed"])
    assert "first_resolution" not in measures(reopening["removed"])
    changed: Counter[str] = Counter()
    for step in content["statements"]:
        changed.update(map(str, step["added"]))
        changed.subtract(map(str, step["removed"]))
    assert +changed == Counter(map(str, content["contributions"]))


async def test_a_judgement_is_a_statement_too(metrics_db: MetricsDatabase) -> None:
    override = Override(comment=text_hash("sick!"), label="positive")
    await metrics_db.apply(
        survey_response(1, words("sick!"), nps(9), at=ago(2)),
        score_of("c1/response/1", "sick!", -0.5),
        statement("c1/response/1", override, at=ago(1), seq=5),
    )
    async with serving(metrics_db.url, NOW) as http:
        _, judged = (await read(http, "c1/response/1"))["statements"]
    assert judged["body"] == {"type": "override", "comment": text_hash("sick!"), "label": "positive"}
    values = [
        [row["value"] for row in rows if row["measure"] == f"label:{MODEL}"] for rows in (judged["removed"], judged["added"])
    ]
    assert values == [[-1], [1]]


async def test_of_an_erased_subject_only_the_tombstone_is_left(metrics_db: MetricsDatabase) -> None:
    await metrics_db.apply(survey_response(1, words("secret"), at=ago(2)))
    await metrics_db.apply(erasure("c1/response/1", ago(1)))
    async with serving(metrics_db.url, NOW) as http:
        content = await read(http, "c1/response/1")
    assert (content["erased"], content["contributions"]) == (True, [])
    assert [one["body"] for one in content["statements"]] == [{"type": "tombstone"}]
    assert "secret" not in str(content)


async def test_unknown_subjects_those_of_others_and_long_histories_are_refused(
    metrics_db: MetricsDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    await metrics_db.tenant("other")
    await metrics_db.apply(survey_response(1, nps(9), at=ago(2), tenant="other"), survey_response(2, nps(9), at=ago(2)))
    async with serving(metrics_db.url, NOW) as http:
        for subject in ("c1/response/1", "c1/response", "nothing"):
            response = await http.get(f"/v1/feedback/{subject}")
            assert (response.status_code, response.json()["type"]) == (404, "urn:earshot:problem:unknown-subject")
        assert (await http.get("/v1/feedback/c1/response/2?fields=a")).status_code == 400
        monkeypatch.setattr(history, "MOST_STATEMENTS", 0)
        response = await http.get("/v1/feedback/c1/response/2")
    assert (response.status_code, response.json()["type"]) == (413, "urn:earshot:problem:too-many-statements")
