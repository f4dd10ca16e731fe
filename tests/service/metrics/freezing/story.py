"""Helpers of the tests of freezing: a tenant with old and recent feedback, and the worker."""

from datetime import UTC, datetime, timedelta

from services.metrics.freezer import Freezer
from shared.events import Event, Message, Opened, Override, ScoreEvent, StatusSet, Ticket, text_hash
from tests.service.metrics.database import MetricsDatabase, lists_of, score_of, serving, statement, survey_response
from tests.unit.metrics.build import csat, nps, words

NOW = datetime.now(UTC)
OLD, RECENT = NOW - timedelta(days=200), NOW - timedelta(days=5)
FORMER_TICKET = "c2/ticket/1"


def story() -> tuple[list[Event], list[ScoreEvent]]:
    """Twelve responses and six tickets, of which every third is recent; the others were untouched for months."""
    events, scores = [], []
    for n in range(1, 13):
        at = (RECENT if n % 3 == 0 else OLD) + timedelta(hours=n)
        events.append(survey_response(n, nps(n % 11), csat(n % 5 + 1), words(f"comment {n}"), at=at, customer=f"p{n % 4}"))
        scores.append(score_of(f"c1/response/{n}", f"comment {n}", n / 20, **lists_of(n)))
    for n in range(1, 7):
        at = (RECENT if n % 3 == 0 else OLD) + timedelta(hours=n)
        facts = (Opened(at=at, text=f"ticket {n}"), Message(at=at + timedelta(hours=1), by="agent", id="m1"))
        solved = Ticket(facts=(StatusSet(at=at + timedelta(hours=2), status="solved"),))
        events.append(statement(f"c2/ticket/{n}", Ticket(facts=facts), at=at, seq=100 + n, dimensions={"team": "a"}))
        events.append(statement(f"c2/ticket/{n}", solved, at=at, seq=200 + n))
        scores.append(score_of(f"c2/ticket/{n}", f"ticket {n}", -n / 20))
    judged = Override(comment=text_hash("comment 1"), label="negative")
    events.append(statement("c1/response/1", judged, at=OLD, seq=300))
    return events, scores


async def freeze(metrics: MetricsDatabase, months: int | None = 3, at_once: int = 4, slug: str = "acme") -> None:
    """Store the setting, and run the pass that it begins."""
    async with serving(metrics.url, NOW, slug) as http:
        assert (await http.put("/v1/freezing", json={"after_months": months})).status_code == 200
    await run_passes(metrics, at_once)


async def run_passes(metrics: MetricsDatabase, at_once: int = 4, now: datetime = NOW) -> None:
    freezer = Freezer(metrics.pool, at_once=at_once, pause_ratio=0, clock=lambda: now)
    while await freezer.step():
        pass


async def frozen(metrics: MetricsDatabase) -> set[str]:
    """The subjects that are frozen. Asserts that no subject is stored in both ways, or in none."""
    rows = await metrics.pool.fetch(
        "SELECT subject, EXISTS (SELECT FROM statements st WHERE st.subject_id = s.id) AS thawed,"
        " EXISTS (SELECT FROM scores sc WHERE sc.subject_id = s.id) AS scored,"
        " EXISTS (SELECT FROM frozen_subjects f WHERE f.subject_id = s.id) AS frozen FROM subjects s"
    )
    assert all(row["thawed"] != row["frozen"] and not (row["scored"] and row["frozen"]) for row in rows)
    return {row["subject"] for row in rows if row["frozen"]}


UNTOUCHED = {f"c1/response/{n}" for n in range(1, 13) if n % 3} | {f"c2/ticket/{n}" for n in (1, 2, 4, 5)}
