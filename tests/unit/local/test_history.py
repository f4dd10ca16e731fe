"""The demo's history: the same for the same end, acceptable to ingest, and with a story that the numbers show."""

from collections import Counter
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from statistics import median
from typing import Any

import pytest

from deploy.local.demo.history import history, tickets
from deploy.local.demo.load import expected_counts
from deploy.local.demo.story import BAD_WEEK_AGO, DAYS, Story
from services.ingest.domain.record import read_record

UNTIL = datetime(2026, 11, 22, 13, 30, tzinfo=UTC)
STORY = Story(UNTIL)
Record = dict[str, Any]


@pytest.fixture(scope="module")
def subjects() -> list[tuple[str, Record]]:
    return history(UNTIL)


@pytest.fixture(scope="module")
def records(subjects: list[tuple[str, Record]]) -> list[Record]:
    return [record for _, record in subjects]


def test_the_same_end_gives_the_same_history(subjects: list[tuple[str, Record]]) -> None:
    assert history(UNTIL) == subjects
    assert history(UNTIL, seed=1) != subjects


def test_ingest_accepts_every_record(records: list[Record]) -> None:
    for record in records:
        read_record(record, UNTIL)


def test_its_size_is_that_of_a_small_company_and_ids_are_unique(subjects: list[tuple[str, Record]]) -> None:
    assert 4_000 <= len(subjects) <= 6_000
    assert len({(provider, record["type"], record["id"]) for provider, record in subjects}) == len(subjects)
    assert {provider for provider, _ in subjects} == {"standard", "typeform", "zendesk"}


def test_it_starts_90_days_ago_and_ends_at_its_end(records: list[Record]) -> None:
    assert UNTIL - timedelta(days=DAYS) <= min(map(begun, records)) < UNTIL - timedelta(days=DAYS - 1)
    assert UNTIL - timedelta(hours=12) < max(map(begun, records)) < UNTIL
    assert max(datetime.fromisoformat(fact["at"]) for record in records for fact in record.get("facts", ())) <= UNTIL


def test_tickets_go_on_after_the_end_of_the_history(records: list[Record]) -> None:
    left = {record["id"]: record["facts"] for record in records if record["type"] == "ticket"}
    whole = {record["id"]: record["facts"] for record in tickets(UNTIL)}
    assert left.keys() == whole.keys()
    assert all(whole[number][: len(facts)] == facts for number, facts in left.items())
    assert 10 < sum(len(whole[number]) > len(facts) for number, facts in left.items()) < 400


def test_facts_of_a_ticket_are_ordered_by_time() -> None:
    for record in tickets(UNTIL):
        times = [fact["at"] for fact in record["facts"]]
        assert times == sorted(times)
        assert record["facts"][0]["fact"] == "opened"


def test_there_are_more_subjects_on_mondays_and_by_day(records: list[Record]) -> None:
    weekdays = Counter(begun(record).weekday() for record in records)
    assert weekdays[0] > 1.8 * weekdays[6]
    by_night = sum(begun(record).hour < 4 for record in records)
    assert by_night < len(records) * 0.06


def test_in_the_bad_week_the_team_replies_late_and_its_ratings_fall(records: list[Record]) -> None:
    start, end = STORY.bad_week
    assert (UNTIL - start).days // 7 == BAD_WEEK_AGO
    delivery = [r for r in records if r["type"] == "ticket" and team(r) == "delivery"]
    bad = [r for r in delivery if start <= begun(r) < end]
    usual = [r for r in delivery if not start <= begun(r) < end]
    assert median(first_replies(bad)) > 4 * median(first_replies(usual))
    assert satisfied(bad) < satisfied(usual) - 0.35
    assert len(bad) > 1.3 * len(usual) / (DAYS / 7 - 1)
    others = [r for r in records if r["type"] == "ticket" and team(r) == "technical" and start <= begun(r) < end]
    assert median(first_replies(others)) < 0.5 * median(first_replies(bad))


def test_after_the_release_the_app_has_fewer_tickets_and_a_higher_nps(records: list[Record]) -> None:
    app = [record for record in records if record["dimensions"]["product"] == "app"]
    before = [record for record in app if begun(record) < STORY.release]
    after = [record for record in app if begun(record) >= STORY.release]
    days_after = (UNTIL - STORY.release).days
    technical = [sum(r["type"] == "ticket" and team(r) == "technical" for r in part) for part in (before, after)]
    assert technical[1] / days_after < 0.65 * technical[0] / (DAYS - days_after)
    assert nps(after) > nps(before) + 20


def test_comments_match_the_rating(records: list[Record]) -> None:
    loved = {record["answers"][-1]["text"].lower() for record in records if says(record, range(9, 11))}
    hated = {record["answers"][-1]["text"].lower() for record in records if says(record, range(4))}
    assert len(loved) > 100
    assert len(hated) > 40
    assert not any(word in text for text in loved for word in ("terrible", "disappointed", "annoying", "unacceptable"))
    assert not any(word in text for text in hated for word in ("love", "fantastic", "thank you", "brilliant"))
    assert len(loved & hated) < 8


def test_expected_counts_leave_out_spam(records: list[Record]) -> None:
    counts = expected_counts(records)
    assert 1_500 < counts["tickets_opened"] < sum(r["type"] == "ticket" for r in records)
    assert counts["nps"] == sum(a["kind"] == "nps" for r in records for a in r.get("answers", ()))


# --- reading records
def begun(record: Record) -> datetime:
    return datetime.fromisoformat(record["at"])


def team(record: Record) -> str | None:
    teams = [fact["team"] for fact in record["facts"] if "team" in fact]
    return teams[-1] if teams else None


def first_replies(records: Iterable[Record]) -> list[float]:
    """Seconds until the first public message by an agent, of the tickets that have one."""
    replies = (
        next((fact["at"] for fact in r["facts"] if fact["fact"] == "message" and fact["by"] == "agent" and fact["public"]), None)
        for r in records
    )
    return [(datetime.fromisoformat(at) - begun(r)).total_seconds() for r, at in zip(records, replies, strict=True) if at]


def satisfied(records: Iterable[Record]) -> float:
    ratings = [fact["value"] for record in records for fact in record["facts"] if fact["fact"] == "rating"]
    return sum(ratings) / len(ratings)


def nps(records: Iterable[Record]) -> float:
    values = [a["value"] for record in records for a in record.get("answers", ()) if a["kind"] == "nps"]
    return 100 * (sum(v >= 9 for v in values) - sum(v <= 6 for v in values)) / len(values)


def says(record: Record, scores: range) -> bool:
    """Whether the record has such an NPS answer, and an English comment after it."""
    answers = record.get("answers") or [{}]
    return answers[0].get("kind") == "nps" and answers[0]["value"] in scores and answers[-1].get("language") == "en"
