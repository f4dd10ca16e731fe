"""Names of time zones."""

import pytest

from shared.zones import read_zone, zone_name


@pytest.mark.parametrize("name", ["Europe/Berlin", "America/Argentina/Buenos_Aires", "UTC", "EST5EDT", "Etc/GMT+5"])
def test_a_zone_is_read_by_its_name(name: str) -> None:
    assert read_zone(name).key == zone_name(name) == name


@pytest.mark.parametrize(
    "name",
    [
        "right/Europe/Berlin",
        "right/UTC",
        "posix/Europe/Berlin",
        "localtime",
        "posixrules",
        "Factory",
        "Mars/Olympus",
        "",
        "../UTC",
    ],
)
def test_a_file_that_is_no_iana_zone_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="is not an IANA zone"):
        read_zone(name)


def test_the_region_is_suggested() -> None:
    with pytest.raises(ValueError, match='did you mean "Europe/Berlin"'):
        read_zone("right/Europe/Berlin")
