"""Bodies of `PUT /v1/sla`: how they are read, and why they are refused."""

import json
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
import pytest
from pydantic import ValidationError

from services.metrics.api.sla import PoliciesBody, policy_from, version_from, version_of
from services.metrics.domain.sla import Conditions, Policy, PolicyVersion, Target


def policy(name: str, seconds: Any, hours: str = "calendar", **when: list[str]) -> dict[str, Any]:
    target = {"seconds": seconds, "hours": hours}
    return {"id": name, "name": name.title(), "when": when, "targets": {"first_reply": target}}


POLICIES: dict[str, Any] = {"from": "2026-01-01", "policies": [policy("urgent", 1800, priority=["high"])]}


def read(**change: Any) -> PoliciesBody:
    return PoliciesBody.model_validate_json(json.dumps(POLICIES | change))


def test_a_body_becomes_a_version_with_sorted_values_in_nfc() -> None:
    body = read(policies=[policy("a", 60, "business", priority=["b", "a", "b"], team=["Cafe\u0301"])])
    expected = Policy("a", "A", Conditions(priority=("a", "b"), team=("Café",)), Target(60, business=True))
    assert version_from(body, ZoneInfo("Europe/Berlin")) == PolicyVersion(datetime(2025, 12, 31, 23, tzinfo=UTC), (expected,))


def test_a_version_begins_at_a_time_or_at_midnight_of_a_date_in_the_tenants_zone() -> None:
    starts = [
        version_from(read(**{"from": text}), ZoneInfo("Asia/Tokyo")).starts
        for text in ("2026-01-01", "2026-01-01T09:00:00+09:00")
    ]
    assert starts == [datetime(2025, 12, 31, 15, tzinfo=UTC), datetime(2026, 1, 1, tzinfo=UTC)]


def test_a_policy_may_have_any_of_the_targets_and_statuses_that_pause_it() -> None:
    one = policy("a", 60) | {"pause": ["pending", "on_hold"]}
    one["targets"] = {"first_reply": None, "next_reply": {"seconds": 60}, "resolution": {"seconds": 600, "hours": "business"}}
    (stored,) = version_from(read(policies=[one]), ZoneInfo("UTC")).policies
    assert (stored.first_reply, stored.next_reply, stored.resolution) == (None, Target(60), Target(600, business=True))
    assert stored.pause == ("on_hold", "pending")
    (returned,) = version_of(
        PolicyVersion(datetime(2026, 1, 1, tzinfo=UTC), (stored,)), datetime(2026, 1, 1, tzinfo=UTC)
    ).policies
    assert policy_from(returned) == stored


def test_a_policy_that_was_stored_before_there_were_other_targets_can_be_read() -> None:
    stored = b'{"id":"a","name":"A","when":{"team":["billing"]},"first_reply":{"seconds":60,"business":true}}'
    expected = Policy("a", "A", Conditions(team=("billing",)), Target(60, business=True))
    assert msgspec.json.decode(stored, type=Policy) == expected


@pytest.mark.parametrize(
    ("change", "name", "reason"),
    [
        ({"from": "2026-02-30"}, "from", "is not a date and time"),
        ({"from": "1969-12-31"}, "from", "between 1970 and 2100"),
        ({"policies": [POLICIES["policies"][0]] * 2}, "policies", "the id 'urgent' is given more than once"),
        ({"policies": [policy("Urgent", 60)]}, "policies.0.id", ""),
        ({"policies": [policy("a", 0)]}, "policies.0.targets.first_reply.seconds", ""),
        ({"policies": [policy("a", 60, "office")]}, "policies.0.targets.first_reply.hours", ""),
        ({"policies": [policy("a", 60, priority=[])]}, "policies.0.when.priority", ""),
        ({"policies": [policy("a", 60, colour=["red"])]}, "policies.0.when.colour", ""),
        ({"policies": [policy("a", 60) | {"targets": {}}]}, "policies.0.targets", "at least one of first_reply, next_reply and"),
        ({"policies": [policy("a", 60) | {"targets": {"first_reply": None}}]}, "policies.0.targets", "at least one of"),
        ({"policies": [policy("a", 60) | {"pause": ["solved"]}]}, "policies.0.pause.0", "'pending' or 'on_hold'"),
        (
            {"policies": [policy("a", 60) | {"targets": {"resolution": {"seconds": 0}}}]},
            "policies.0.targets.resolution.seconds",
            "greater than or equal to 1",
        ),
    ],
)
def test_a_refusal_names_the_place_and_the_reason(change: dict[str, Any], name: str, reason: str) -> None:
    with pytest.raises(ValidationError) as caught:
        read(**change)
    (error,) = caught.value.errors()
    assert ".".join(map(str, error["loc"])) == name
    assert reason in error["msg"]
