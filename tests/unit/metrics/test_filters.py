"""How a filter parameter names values: separators, exclusion, escapes, and the group without a value."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.metrics.domain.filters import Values, parse_values
from shared.text import nfc


def written(value: str | None) -> str:
    """A value as docs/queries.md says it is written, and as the page writes it."""
    if value is None:
        return "null"
    if value == "null":
        return "\\null"
    return "".join(f"\\{character}" if character in "\\,!" else character for character in value)


@pytest.mark.parametrize(
    ("text", "include", "exclude"),
    [
        ("a", ("a",), ()),
        ("a,b", ("a", "b"), ()),
        ("!a,b", ("b",), ("a",)),
        (r"Smith\, John", ("Smith, John",), ()),
        (r"\!important", ("!important",), ()),
        (r"!\!important", (), ("!important",)),
        ("null", (None,), ()),
        ("!null", (), (None,)),
        (r"\null", ("null",), ()),
        (r"!\null", (), ("null",)),
        (r"\\null", (r"\null",), ()),
        (r"a\\,b", ("a\\", "b"), ()),
        (r"a\\\,b", (r"a\,b",), ()),
        ("a!b", ("a!b",), ()),
        ("!!a", (), ("!a",)),
        (r"DOMAIN\user", (r"DOMAIN\user",), ()),
        ("a\\", ("a\\",), ()),
        ("NULL", ("NULL",), ()),
        ("a, b", ("a", " b"), ()),
    ],
)
def test_a_filter_is_read_as_documented(text: str, include: tuple[str | None, ...], exclude: tuple[str | None, ...]) -> None:
    assert parse_values(text) == Values(include, exclude)


@pytest.mark.parametrize("text", ["", "!", "a,", ",a", "a,,b", "a,!", "a\0b"])
def test_an_empty_value_or_a_nul_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="empty"):
        parse_values(text)


values = st.none() | st.text(st.sampled_from("\\,!anul é"), min_size=1) | st.sampled_from(["null", "\\null", "!", ",", "\\"])


@given(st.lists(st.tuples(values, st.booleans()), min_size=1))
def test_whatever_is_written_with_escapes_is_read_back(named: list[tuple[str | None, bool]]) -> None:
    text = ",".join(f"{'!' if excluded else ''}{written(value)}" for value, excluded in named)
    normal = [(value if value is None else nfc(value), excluded) for value, excluded in named]
    assert parse_values(text) == Values(
        tuple(value for value, excluded in normal if not excluded), tuple(value for value, excluded in normal if excluded)
    )
