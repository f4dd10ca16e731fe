"""Redaction takes time linear in the length of a text, whatever the text holds."""

import time

import pytest

from services.ingest.domain.redaction import Redactor
from tests.growth import MOST, Hostile, growth

pytestmark = pytest.mark.timing

HOSTILE = [
    "1", "1 ", "@", "a@", "@a.", "0815 4711 2000 ab ", "DE89 ", "DE89370400440532013001 ", "4111 1111 1111 1112 ", "a", "1   ",
    "+", "1---", "AB12", "call ", "+49 30 1234567 ", "(", "1.1.1.", "0049", "01/02/2024 ", "01/02/2024,", "1 2 3", "4 ", "0 ",
    "4111111111111111 12/28 cvv 123 ", "valid 12/28 ", "[at]", "a%40", "(at)a(dot)", "call 1 ", "1\n", "١", "gb82west",
    "DE89         ", "1Z", "12:30 ", "€1 ", "/1", "0171/", '"', '"a@b.de', "a.", "@a-", "0171 1234567 or ", "(0)", "+(0)49 ",
    "\u00a0", "\u00a01", "45 ", "612 345 678 ", "1,", "call 1234567 1234567 ", "cvv ",
    "\u200b", "\u200b1", "１", "a at b dot ", " dot ", "D E 8 9 ", "call me at ", "4111111111111111 dec ", "12:",
]  # fmt: skip


@pytest.mark.parametrize("unit", HOSTILE)
def test_the_time_is_linear_in_the_length_of_a_hostile_text(unit: str) -> None:
    assert growth(lambda text: Redactor()(text), Hostile(unit), 40_000) < MOST


@pytest.mark.parametrize("unit", ["1 2 3 ", "612 345 ", "347 123 4567 x "])
def test_a_long_list_of_numbers_takes_linear_time(unit: str) -> None:
    """100,000 characters: under 2 s on an idle core."""
    began = time.process_time()
    Redactor()((unit * 100_000)[:100_000])
    assert time.process_time() - began < 8


def test_records_full_of_numbers_take_linear_time() -> None:
    """500 records of 100 groups, all of which a phone number may start with: about 1 ms each."""
    began = time.process_time()
    for _ in range(500):
        Redactor()("01234567 " * 100)
    assert time.process_time() - began < 8
