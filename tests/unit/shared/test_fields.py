"""The parameter `fields`: some fields, or all but some."""

import pytest

from shared.fields import select_fields

FIELDS = ("from", "value", "n", "distribution")


@pytest.mark.parametrize(
    ("text", "selected"),
    [
        (None, FIELDS),
        ("n,value", ("value", "n")),
        ("value, n ,value", ("value", "n")),
        ("!distribution", ("from", "value", "n")),
        ("!distribution,!from", ("value", "n")),
        ("value,n,!n", ("value",)),
    ],
)
def test_fields_are_selected_in_their_own_order(text: str | None, selected: tuple[str, ...]) -> None:
    assert select_fields(text, FIELDS) == selected


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("vlaue", 'unknown field; did you mean "value"? Allowed: from, value, n, distribution'),
        ("!colour", "unknown field. Allowed: from, value, n, distribution"),
        ("", "unknown field"),
        ("value,", "unknown field"),
        ("value,!value", "selects no field"),
    ],
)
def test_an_unknown_field_is_refused_with_the_list(text: str, reason: str) -> None:
    with pytest.raises(ValueError, match="field") as caught:
        select_fields(text, FIELDS)
    assert str(caught.value).startswith(reason)
