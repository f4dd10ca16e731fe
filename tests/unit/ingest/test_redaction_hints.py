"""Texts without any form of an at sign are not searched for e-mail addresses."""

from hypothesis import given
from hypothesis import strategies as st

from services.ingest.domain.redaction import emails


@given(
    st.text(st.sampled_from("ab dotpunkmail@(){}[]%40&#;"), max_size=40)
    | st.sampled_from(["jane(at)x.org", "jane dot com", "a%40b", "a&#64;b"])
)
def test_the_quick_search_for_an_at_sign_misses_nothing(text: str) -> None:
    assert emails.may_hold_address(text) == (emails.HINT.search(text) is not None)
