import pytest

from services.gateway.domain.media import accepts_gzip, choose_media_type, parameters_of

OFFERED = ("application/json", "text/csv", "application/x-ndjson")


@pytest.mark.parametrize(
    ("accept", "chosen"),
    [
        ("", "application/json"),
        ("*/*", "application/json"),
        ("text/csv", "text/csv"),
        ("TEXT/CSV; charset=utf-8", "text/csv"),
        ("text/*", "text/csv"),
        ("application/json;q=0.5, text/csv;q=0.9", "text/csv"),
        ("text/csv;q=0, */*", "application/json"),
        ("application/x-ndjson, */*;q=0.1", "application/x-ndjson"),
        ("image/png", "application/json"),
        ("text/csv;q=nonsense, application/json", "application/json"),
        (",;q=,", "application/json"),
        ("application/json;q=0, */*", "text/csv"),
        ("application/json;q=0, */*;q=0.5, application/x-ndjson;q=0.7", "application/x-ndjson"),
        ("*/*;q=0", "application/json"),
    ],
)
def test_the_type_with_the_highest_weight_is_chosen(accept: str, chosen: str) -> None:
    assert choose_media_type(accept, OFFERED) == chosen


@pytest.mark.parametrize(
    ("accept", "parameters"),
    [
        ("text/csv", {}),
        ("application/json; charset=utf-8", {}),
        ("text/csv; header=absent; charset=UTF-8-SIG", {"header": "absent", "charset": "utf-8-sig"}),
        ('text/csv;charset="utf-8-sig";q=0.5', {"charset": "utf-8-sig"}),
        ("text/csv;header=present;q=0.1, text/csv;header=absent", {"header": "absent"}),
        ("text/csv;flag", {"flag": ""}),
    ],
)
def test_the_parameters_of_a_media_type_are_those_of_its_heaviest_entry(accept: str, parameters: dict[str, str]) -> None:
    assert parameters_of(accept, "text/csv") == parameters


@pytest.mark.parametrize(
    ("header", "yes"), [("", False), ("gzip, br", True), ("gzip;q=0", False), ("*", True), ("identity", False)]
)
def test_gzip_only_if_it_is_accepted(header: str, yes: bool) -> None:
    assert accepts_gzip(header) is yes
