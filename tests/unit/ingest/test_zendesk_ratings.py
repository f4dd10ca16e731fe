"""Zendesk's events about satisfaction ratings."""

from typing import Any

import pytest

from tests.unit.ingest.zendesk_payloads import event, facts, parse


@pytest.mark.parametrize(("score", "value"), [("GOOD", 1), ("BAD", 0), ("good_with_comment", 1), ("BAD_WITH_COMMENT", 0)])
def test_a_rating_is_good_or_bad_and_keeps_the_tools_word(score: str, value: int) -> None:
    body = event("csat_received", {"satisfaction_score": {"score": score, "comment": "because"}})
    [rating] = facts(body, "rating")
    assert (rating.value, rating.scale, rating.raw, rating.text, rating.id) == (value, (0, 1), score, "because", "satisfaction")


def test_an_offered_rating_is_ignored_and_an_unknown_one_is_a_problem() -> None:
    assert parse(event("csat_received", {"satisfaction_score": {"score": "OFFERED"}})).ignored
    assert parse(event("csat_received", {"satisfaction_score": {"score": "4"}})).problem_code == "unknown_value"


@pytest.mark.parametrize("happened", [{}, {"survey_response": {"answers": [{"rating": 4}]}}, {"satisfaction_score": "GOOD"}])
def test_a_rating_of_another_shape_is_a_problem_and_not_ignored(happened: dict[str, Any]) -> None:
    parsed = parse(event("csat_received", happened))
    assert (parsed.ignored, parsed.problem_code, parsed.about) == (None, "unexpected_payload", ("ticket/35436",))
