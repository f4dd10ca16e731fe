"""An independent model, written from the definitions of the KPIs, agrees with the service.

Random records are sent in batches and as signed webhooks. Then random queries are compared, row by row.
"""

import random
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4
from zoneinfo import ZoneInfo

import pytest

from tests.e2e.model import exported, presets
from tests.e2e.model.buckets import cut
from tests.e2e.model.business import CALENDARS
from tests.e2e.model.estimates import ESTIMATES, Value
from tests.e2e.model.facts import Record, Scored, when
from tests.e2e.model.model import Ambiguous, Model, Query
from tests.e2e.model.sla import POLICIES
from tests.e2e.model.streams import AGENTS, MICRO, REGIONS, TEAMS, TEXTS, THEMES, ZONES, Streams, fresh_tickets
from tests.e2e.stack import Stack, until

SUBJECTS = 150
QUERIES = 120
VALUES = {
    "team": (*TEAMS, "null"),
    "agent": (*AGENTS, "null"),
    "region": (*REGIONS, "null"),
    "channel": ("email", "chat", "null"),
}
OF_COMMENTS = {"theme": (*THEMES, "null"), "urgency": ("legal_threat", "cancellation", "outage", "null")}
DURATIONS = (
    "first_reply_time",
    "next_reply_time",
    "first_resolution_time",
    "full_resolution_time",
    "handling_time",
    "requester_wait",
    "agent_wait",
)
AGGREGATIONS = {
    **dict.fromkeys((*DURATIONS, "agent_replies"), ("p50", "p90", "p95", "mean")),
    "backlog_age": ("p50", "p90", "p95"),
    "sentiment_share": ("positive", "neutral", "negative"),
}
FILED_BY = {"first_reply_time": ("replied", "created"), "next_reply_time": ("replied", "asked")}
OF_RESPONDENTS = ("nps", "csat", "ces", "ces_index", "stars", "comment_rate", "net_sentiment", "theme_sentiment")
OF_SCORED_COMMENTS = (
    "sentiment",
    "net_sentiment",
    "sentiment_share",
    "theme_volume",
    "theme_sentiment",
    "urgent_comments",
)
GRAINS = ("", "", "PT1H", "P1D", "P1W", "P1M", "P3M", "P1Y")
COMPARED_FLAGS = frozenset({"low_n", "mixed_forms", "maturing"})
Rows = dict[Any, Record]


@pytest.mark.parametrize("seed", [1, 2])
async def test_an_independent_model_agrees_with_what_is_served(stack: Stack, seed: int) -> None:
    connection = await stack.new_connection("standard")
    model = Model((await scores(stack)).__getitem__)
    await feed(stack, connection, Streams(seed).records(SUBJECTS), model, random.Random(seed))
    model.settle()
    await set_terms(stack)
    own = {"filter[connection]": connection["id"]}
    whole = {"from": "2025-01-01T00:00:00Z", "to": "2026-01-01T00:00:00Z"}
    queries = [Query("comment_rate"), Query("tickets_opened")]
    queries += [Query("theme_volume", ("theme",)), Query("theme_volume", ("urgency",))]
    queries += [Query("sentiment_share", agg=label) for label in ("positive", "neutral", "negative")]
    always = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)

    async def is_counted() -> bool:
        for query in queries:
            rows = (await stack.get(f"/v1/kpis/{query.kpi}", **whole, **parameters(query), **own)).json()["rows"]
            served = {tuple(row["dims"].values()): row for row in rows}
            expected = model.answer(query, *always)
            if served.keys() != expected.keys() or not all(value.agrees(served[group]) for group, value in expected.items()):
                return False
        return True

    await until(is_counted, description="all records counted")
    comparison = RandomQueries(seed, model)
    for _ in range(QUERIES):
        await comparison.compare(stack, own)
    assert comparison.rows > 10 * QUERIES
    for preset in exported.PRESETS:
        await compare_export(stack, own | whole, model, preset)
    await compare_due(stack, own, model)
    await feed(stack, connection, fresh_tickets(), model, random.Random(seed))
    model.settle()
    await compare_next_breaches(stack, own, model)


async def compare_export(stack: Stack, parameters: dict[str, str], model: Model, preset: str) -> None:
    """Compare each ticket of the export."""
    parameters = parameters | {"limit": "50"} | ({"preset": preset} if preset else {})
    expected = exported.exported(model, preset)
    rows: Rows = {}
    cursor: dict[str, str] = {}
    while True:
        page = (await stack.get("/v1/tickets", **parameters, **cursor)).json()
        rows |= {row["subject"]: row for row in page["tickets"]}
        if page["next"] is None:
            break
        cursor = {"cursor": page["next"]}
    assert rows.keys() == expected.keys()
    for subject, columns in expected.items():
        row = rows[subject] | {"opened": when(rows[subject]["opened"])}
        assert {name: row[name] for name in columns} == columns, (preset, subject)


async def compare_due(stack: Stack, own: dict[str, str], model: Model) -> None:
    """Compare the list of open tickets with a target that is not met: all are past their deadline."""
    page = (await stack.get("/v1/sla/upcoming", limit="500", **own)).json()
    assert page["next"] is None
    assert {row["state"] for row in page["rows"]} == {"breached"}
    assert {(row["subject"], row["metric"], when(row["deadline"])) for row in page["rows"]} == exported.due(model)


async def compare_next_breaches(stack: Stack, own: dict[str, str], model: Model) -> None:
    """Compare the next breach in all and by team, once the fresh tickets are counted."""
    ahead = {"window": "1d", **own}

    async def are_counted() -> bool:
        return bool((await stack.get("/v1/kpis/tickets_opened", **ahead)).json()["rows"][0]["value"] == len(fresh_tickets()))

    await until(are_counted, description="fresh tickets counted")
    for query in (Query("sla_breached_open"), Query("sla_breached_open", ("team",))):
        rows = (await stack.get("/v1/kpis/sla_breached_open", **ahead, **parameters(query))).json()["rows"]
        expected = model.next_breaches(query, datetime.now(UTC))
        assert expected
        for row in rows:
            at = expected.pop(tuple(row["dims"].values()), None)
            assert (when(row["next_breach"]) if row["next_breach"] else None) == at, (query, row)
        assert query.group_by or not expected
    cohort = (await stack.get("/v1/kpis/resolution_rate_cohort", **ahead)).json()["rows"][0]
    assert (cohort["value"], cohort["flags"].count("maturing")) == (0, 1)


class RandomQueries:
    """Random queries, answered by the stack and by the model. `rows` have been compared."""

    def __init__(self, seed: int, model: Model) -> None:
        self.r, self.model, self.rows = random.Random(seed), model, 0
        self.streams = Streams(seed)

    async def compare(self, stack: Stack, own: dict[str, str]) -> None:
        query, zone, grain = self.query(), self.r.choice(ZONES), self.r.choice(GRAINS)
        grain = "" if query.kpi == "theme_impact" else grain  # an impact takes long because of its interval
        week_start = self.r.choice(("monday", "sunday")) if grain == "P1W" else ""
        start, end = self.window(timedelta(days=5) if grain == "PT1H" else timedelta(days=90))
        times = {"from": start.isoformat(), "to": end.isoformat(), "tz": zone} | ({"grain": grain} if grain else {})
        times |= {"week_start": week_start} if week_start else {}
        answer = await stack.get(f"/v1/kpis/{query.kpi}", **times, **parameters(query), **own)
        assert answer.status_code == 200, answer.text
        rows: Rows = {}
        for row in answer.json()["rows"]:
            rows[(when(row["from"]), when(row["to"]), *(row["dims"][name] for name in query.group_by))] = row
        buckets = list(cut(start, end, grain, ZoneInfo(zone), week_start)) if grain else [(start, end)]
        if not query.group_by:
            assert set(rows) == set(buckets), (query, times)
        expected: dict[tuple[Any, ...], Value] = {}
        for bucket in buckets:
            try:
                expected |= {(*bucket, *group): value for group, value in self.model.answer(query, *bucket).items()}
            except Ambiguous:
                return
        for place in expected.keys() | rows.keys():
            value, row = expected.get(place, Value(0)), rows.get(place)
            assert (row["n"] if row else 0) == value.n, (query, times, place, value, row)
            if row and value.n:
                assert value.agrees(row), (query, times, place, value, row)
                assert flags_of(query.kpi, value, place[1]) == COMPARED_FLAGS & set(row["flags"]), (
                    query,
                    times,
                    place,
                    value,
                    row,
                )
            self.rows += 1

    def query(self) -> Query:
        if self.r.random() < 0.1:
            return self.query_of_impact()
        kpi = self.r.choice(sorted(ESTIMATES))
        of_comments = OF_COMMENTS if kpi in OF_SCORED_COMMENTS else {}
        names = ("team", "agent", "region", "channel", "priority", "survey", *of_comments, *of_comments, *of_comments)
        dimensions = dict.fromkeys(self.r.sample(names, self.r.choice((0, 1, 2))))
        values = VALUES | of_comments
        filters = {}
        if self.r.random() < 0.4:
            name = self.r.choice([*VALUES, *of_comments, *of_comments])
            filters[name] = tuple(self.r.choice(("", "", "!")) + value for value in self.r.sample(values[name], 2))
        agg = self.r.choice(AGGREGATIONS.get(kpi, ("",)))
        filed_by = self.r.choice(FILED_BY.get(kpi, ("",)))
        per = "respondent" if kpi in OF_RESPONDENTS and self.r.random() < 0.3 else ""
        hours = "business" if kpi in DURATIONS and self.r.random() < 0.5 else ""
        preset = ""
        if (offered := [name for name, kpis in presets.KPIS.items() if kpi in kpis]) and self.r.random() < 0.6:
            preset = self.r.choice(offered)
            if (preset, kpi) in presets.DEFAULTS and self.r.random() < 0.5:
                agg = filed_by = ""
        return Query(kpi, tuple(dimensions), filters, agg, filed_by, per, hours, preset)

    def query_of_impact(self) -> Query:
        dimensions = self.r.choice(((), ("theme",), ("theme", "region"), ("team", "theme"), ("channel",)))
        name = self.r.choice(("region", "team", *(() if "theme" in dimensions else ("theme", "theme"))))
        filters = {name: tuple(self.r.sample((VALUES | OF_COMMENTS)[name][:-1], 2))} if self.r.random() < 0.5 else {}
        return Query("theme_impact", dimensions, filters, self.r.choice(("nps", "csat", "sentiment")))

    def window(self, longest: timedelta) -> tuple[datetime, datetime]:
        """A window whose ends are often exactly at a fact, or a microsecond beside it."""
        at, other = (self.r.choice(self.model.facts).at + MICRO * self.r.choice((-1, 0, 1)) for _ in range(2))
        start, end = sorted((at.astimezone(UTC), other.astimezone(UTC) if self.r.random() < 0.5 else self.streams.time()))
        return start, min(max(end, start + MICRO), start + longest)


async def feed(stack: Stack, connection: dict[str, str], records: list[Record], model: Model, r: random.Random) -> None:
    """Post the records in order, in batches and as signed webhooks, some of them twice. The model accepts what is accepted."""
    records = [with_connection(record, connection["id"]) for record in records]

    def accept(record: Record, status: str) -> None:
        assert status in ("accepted", "duplicate")
        if status == "accepted":
            model.accept(connection["id"], connection["provider"], record, datetime.now(UTC))

    while records:
        now, records = records[:40], records[40:]
        if r.random() < 0.5:
            answer = await stack.admin("POST", "/v1/feedback:batch", params={"connection": connection["id"]}, json=now)
            for record, result in zip(now, answer.json()["results"], strict=True):
                accept(record, result["status"])
            continue
        for record in now:
            delivery = uuid4().hex
            for _ in range(r.choice((1, 1, 2))):
                answer = await stack.post_standard(record, connection=connection, delivery=delivery)
                accept(record, answer.json()["status"])


async def set_terms(stack: Stack) -> None:
    """Give the tenant the calendars and the SLA policies of the model and all presets, and wait until all numbers are of them."""
    for name, body in CALENDARS:
        response = await stack.admin("PUT", f"/v1/calendars/{name}", json=body)
        assert response.status_code == 200, response.text
    for path, body in (("/v1/sla", POLICIES), *((f"/v1/presets/{preset}", {}) for preset in presets.KPIS)):
        response = await stack.admin("PUT", path, json=body)
        assert response.status_code == 200, response.text

    async def is_built() -> bool:
        return (await stack.get("/v1/terms")).json()["building"] is None

    await until(is_built, description="terms applied")


async def scores(stack: Stack) -> dict[str, Scored]:
    """The score of every text."""
    body = {"comments": [{"text": text} for text in TEXTS]}
    answer = await stack.admin("POST", "/v1/score", json=body)
    return {text: scored(score) for text, score in zip(TEXTS, answer.json()["scores"], strict=True)}


def scored(score: Record) -> Scored:
    countable = "unsupported_language" not in score.get("flags", ())
    themes, urgency = (theme["theme"] for theme in score.get("themes", ())), score.get("urgency", ())
    label, value = (score["label"], score["score"]) if countable else (None, None)
    return Scored(label, value, frozenset(themes), frozenset(urgency))


def flags_of(kpi: str, value: Value, end: datetime) -> frozenset[str]:
    """The flags of a row that ends at `end`. A cohort of tickets is maturing for thirty days."""
    is_maturing = kpi == "resolution_rate_cohort" and end + timedelta(days=30) > datetime.now(UTC)
    return value.flags_of(kpi) | ({"maturing"} if is_maturing else frozenset())


def parameters(query: Query) -> dict[str, str]:
    named = {
        "group_by": ",".join(query.group_by),
        "agg": query.agg,
        "filed_by": query.filed_by,
        "per": query.per,
        "hours": query.hours,
        "preset": query.preset,
    }
    named |= {f"filter[{name}]": ",".join(values) for name, values in query.filters.items()}
    return {name: value for name, value in named.items() if value}


def with_connection(record: Record, connection: str) -> Record:
    """The record as it is posted: the subject of an override begins with its connection."""
    return record | {"subject": f"{connection}/{record['subject']}"} if record["type"] == "override" else record
