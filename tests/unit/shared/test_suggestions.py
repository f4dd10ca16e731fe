"""Suggestions of the value that was probably meant."""

import pytest

from shared.suggestions import closest, refusal


@pytest.mark.parametrize(
    ("text", "match"),
    [("billling", ["billing"]), ("BILLING", ["billing"]), ("shiping", ["Shipping"]), ("xyz", []), ("", []), ("b" * 10**6, [])],
)
def test_the_closest_value_is_suggested_if_one_is_close(text: str, match: list[str]) -> None:
    assert closest(text, ["billing", "Shipping", "sales"]) == match


def test_a_refusal_has_the_suggestion_before_the_list() -> None:
    assert refusal("unknown", "taem", ["team", "agent"]) == 'unknown; did you mean "team"? Allowed: team, agent'
    assert refusal("unknown", "colour", ["team", "agent"]) == "unknown. Allowed: team, agent"
    assert refusal("unknown", "team", []) == "unknown"
