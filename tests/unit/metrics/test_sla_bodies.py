"""Bodies of `PUT /v1/sla`: how they are read, and why they are refused."""

import json
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from pydantic import ValidationError

from services.metrics.api.sla import PoliciesBody, version_from
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


def test_an_unsupported_part_may_be_stated_as_nothing() -> None:
    one = policy("a", 60) | {"pause": []}
    one["targets"] |= {"next_reply": None, "resolution": None}
    assert version_from(read(policies=[one]), ZoneInfo("UTC")) == version_from(read(policies=[policy("a", 60)]), ZoneInfo("UTC"))


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
        ({"policies": [policy("a", 60) | {"targets": {}}]}, "policies.0.targets.first_reply", ""),
        ({"policies": [policy("a", 60) | {"pause": ["pending"]}]}, "policies.0.pause", "is not supported yet"),
        (
            {"policies": [policy("a", 60) | {"targets": policy("a", 60)["targets"] | {"resolution": {"seconds": 60}}}]},
            "policies.0.targets.resolution",
            "is not supported yet",
        ),
    ],
)
def test_a_refusal_names_the_place_and_the_reason(change: dict[str, Any], name: str, reason: str) -> None:
    with pytest.raises(ValidationError) as caught:
        read(**change)
    (error,) = caught.value.errors()
    assert ".".join(map(str, error["loc"])) == name
    assert reason in error["msg"]
