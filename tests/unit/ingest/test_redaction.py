"""What is hidden in comments, what isn't, and that hostile text costs no more than friendly text."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from stdnum import luhn

from services.ingest.domain.redaction import MAX_JUDGED, Redactor


def redact(text: str) -> str:
    """A text that stands alone."""
    return Redactor()(text)


@pytest.mark.parametrize(
    ("text", "published"),
    [
        ("mail me at Jane.Doe+x@example.co.uk, please", "mail me at [email], please"),
        ("x_y@sub.domain.io.", "[email]."),
        ("jürgen@müller.de schrieb", "[email] schrieb"),
        ("a@b.de and c@d.fr", "[email] and [email]"),
        ("call +49 30 1234567 now", "call [phone] now"),
        ("+1 (212) 555-2368", "[phone]"),
        ("+49 (0)30 1234567", "[phone]"),
        ("0049 171 1234567", "[phone]"),
        ("mobil 0171/1234567", "mobil [phone]"),
        ("my number is 01711234567", "my number is [phone]"),
        ("020 7946 0958", "[phone]"),
        ("01.23.45.67.89", "[phone]"),
        ("(212) 555-2368", "[phone]"),
        ("ring me: 5551234", "ring me: [phone]"),
        ("card 4111 1111 1111 1111", "card [card]"),
        ("4111111111111111.", "[card]."),
        ("amex 3782-822463-10005", "amex [card]"),
        ("DE89 3704 0044 0532 0130 00 and more", "[iban] and more"),
        ("gb82west12345698765432", "[iban]"),
        ("a@b.de, DE89370400440532013000, 4111111111111111, +49 30 1234567", "[email], [iban], [card], [phone]"),
    ],
)
def test_an_identity_is_hidden(text: str, published: str) -> None:
    assert redact(text) == published


@pytest.mark.parametrize(
    "text",
    [
        "order 302-4567890-1234567", "order 2125552368", "order number 0171 1234567",
        "Bestellung Nr. 01711234567", "invoice #0301234567",
        "on 2024-11-20 10:15:22", "2024-11-20T10:15:22.123456", "20.11.2024 10:15", "09.11.2024 10:15",
        "from 01/02/2024 to 03/04/2024",
        "1.299.000,00 EUR", "$12,345,678.90", "version 10.15.7.1234", "192.168.100.200",
        "4111 1111 1111 1112", "ISBN 978-3-16-148410-0",
        "tracking 00340434161094042557", "1 000 000 000 people", "DE89 3704 0044 0532 0130 01", "5 of 5",
        "@home", "a@b", "10:15:22",
        "1234567890", "12345678901234567890123456789",
    ],
)  # fmt: skip
def test_other_numbers_stay(text: str) -> None:
    assert redact(text) == text


@given(st.text())
def test_redacting_is_done_once_and_for_all(text: str) -> None:
    assert redact(redact(text)) == redact(text)


@given(st.text(st.characters(exclude_characters="@", exclude_categories=["Nd", "Cs"])))
def test_text_without_digits_and_at_signs_is_left_alone(text: str) -> None:
    assert redact(text) == text


@given(st.integers(0, 10**14 - 1), st.sampled_from(["", " ", "-"]))
def test_every_visa_number_is_hidden_however_it_is_grouped(number: int, space: str) -> None:
    digits = f"4{number:014d}"
    digits += luhn.calc_check_digit(digits)
    assert redact("my " + space.join(digits[i : i + 4] for i in range(0, 16, 4)) + " card") == "my [card] card"


@given(
    st.from_regex(r"[a-z0-9.+-]{1,30}@[a-z0-9]{1,20}\.(de|com|co\.uk)", fullmatch=True), st.text(" ,;\n", min_size=1, max_size=3)
)
def test_no_address_gets_through(address: str, space: str) -> None:
    published = redact(f"write to{space}{address}{space}please")
    assert "@" not in published
    assert published.count("[email]") == 1


@pytest.mark.parametrize(
    "unit",
    ["1", "1 ", "@", "a@", "@a.", "0815 4711 2000 ab ", "DE89 ", "DE89370400440532013001 ", "4111 1111 1111 1112 ", "a", "1   ",
     "+", "1---", "AB12", "call ", "+49 30 1234567 ", "(", "1.1.1.", "0049"],
)  # fmt: skip
def test_hostile_text_takes_no_longer_than_its_length_warrants(unit: str) -> None:
    text = unit * (65_536 // len(unit))
    begin = time.process_time()
    redact(text)
    assert time.process_time() - begin < 0.5


def test_beyond_what_is_judged_numbers_are_hidden_unjudged() -> None:
    assert redact("4111 1111 1111 1112 " * (MAX_JUDGED + 1)).count("[number]") > 0
    assert redact("4111 1111 1111 1112 " * (MAX_JUDGED // 2)).count("[number]") == 0


def test_the_texts_of_one_record_share_what_is_judged() -> None:
    redact_all = Redactor()
    texts = ["0815 4711 2000 or 0815 4711 2001 " * 20 for _ in range(1000)]
    begin = time.process_time()
    published = [redact_all(text) for text in texts]
    assert time.process_time() - begin < 2
    assert "0815" not in published[-1]
