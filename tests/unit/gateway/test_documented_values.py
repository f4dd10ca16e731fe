"""Values that clients see: the public part of a secret, tags that match a header, and how often a query is evaluated again."""

from services.gateway.domain.etags import matches
from services.gateway.domain.keys import public_prefix
from services.gateway.domain.watch import parse_watch


def test_the_public_part_of_a_secret_is_its_first_ten_characters() -> None:
    assert public_prefix("esk_ABCDEFGHIJ") == "esk_ABCDEF"


def test_a_tag_matches_a_header_that_contains_it() -> None:
    assert matches('"b", "a"', '"a"')
    assert not matches('"b"', '"a"')
    assert not matches(None, '"a"')


def test_the_window_of_a_query_sets_how_often_it_is_evaluated() -> None:
    assert parse_watch([("kpis", "nps"), ("window", "1h")]).recheck == 3.6
    assert parse_watch([("kpis", "nps")]).recheck == 10
