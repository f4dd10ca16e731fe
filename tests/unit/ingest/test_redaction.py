"""Identities are redacted, other numbers stay, and a record has a budget of candidates."""

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from stdnum import luhn

from services.ingest.domain.redaction import MAX_EXAMINED, Redactor


def redact(text: str) -> str:
    """The only text of a record, redacted."""
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
def test_an_identity_is_redacted(text: str, published: str) -> None:
    assert redact(text) == published


BLANKS = {
    "no-break": "\u00a0",
    "narrow no-break": "\u202f",
    "thin": "\u2009",
    "double": "  ",
    "line break": "\n",
    "CRLF": "\r\n  ",
}
SEPARATORS = {
    **BLANKS,
    "dot": ".",
    "dash": "-",
    "en dash": "–",
    "spaced dash": " - ",
    "slash": "/",
    "zero width": "\u200b",
    "none": "",
    "soft hyphen": "\u00ad",
}
CHECKED_SEPARATORS = {
    **SEPARATORS,
    "colon": ":",
    "semicolon": ";",
    "plus": "+",
    "equals": "=",
    "backslash": "\\",
    "fraction slash": "⁄",
}
"""Where check digits tell a number from a time or a list."""


@pytest.mark.parametrize("separator", CHECKED_SEPARATORS.values(), ids=CHECKED_SEPARATORS)
@pytest.mark.parametrize("card", ["4111 1111 1111 1111", "5500 0000 0000 0004", "3782 822463 10005", "6011 0009 9013 9424"])
def test_a_card_is_redacted_with_any_separator(card: str, separator: str) -> None:
    assert redact(f"my card {card.replace(' ', separator)}, please") == "my card [card], please"


@pytest.mark.parametrize("separator", CHECKED_SEPARATORS.values(), ids=CHECKED_SEPARATORS)
@pytest.mark.parametrize(
    "iban",
    [
        "DE89 3704 0044 0532 0130 00",
        "gb82 west 1234 5698 7654 32",
        "NO93 8601 1117 947",
        "MT84 MALT 0110 0001 2345 MTLC AST0 01S",
    ],
)
def test_an_iban_is_redacted_with_any_separator(iban: str, separator: str) -> None:
    assert redact(f"account {iban.replace(' ', separator)}; please") == "account [iban]; please"


@pytest.mark.parametrize(
    ("text", "published"),
    [
        ("you charged 4111 1111 1111 1111 50 EUR", "you charged [card] 50 EUR"),
        ("50 EUR from 4111 1111 1111 1111 150 EUR more", "50 EUR from [card] 150 EUR more"),
        ("my card 4111111111111111 12/28", "my card [card]"),
        ("Visa 5500 0000 0000 0004 123", "Visa [card]"),
        ("4111 1111 1111 1111 12/28 123", "[card]"),
        ("4111 1111 1111 1111 exp 12/28 cvv 123", "[card]"),
        ("4111 1111 1111 1111, expires 12/2028, CVV is 1234.", "[card]."),
        ("gültig bis 12/28, 4111 1111 1111 1111", "gültig bis [card]"),
        ("12/28 4111 1111 1111 1111", "[card]"),
        ("4111 1111 1111 1111 Dec 2028 123", "[card]"),
        ("4111111111111111 2028-12 123", "[card]"),
        ("4111111111111111/12/28/123", "[card]"),
        ("4111111111111111:1228:123", "[card]"),
        ("my card is 4111111111111111 and the cvv is 123 and it expires 12/28", "my card is [card]"),
        ("4111111111111111 expiring 12/28, the three digits on the back are 123", "[card]"),
        ("4111111111111111 mm/yy 12/28 pin 1234", "[card]"),
        ("carte 4111111111111111 exp 12/28 cryptogramme visuel 123", "carte [card]"),
        ("tarjeta 4111111111111111 caduca 12/28", "tarjeta [card]"),
        ("+4111 1111 1111 1111", "+[card]"),
        ("row 1,4111 1111 1111 1111", "row 1,[card]"),
        ("５５００ ００００ ００００ ０００４", "[card]"),
        ("ＤＥ８９ ３７０４ ００４４ ０５３２ ０１３０ ００", "[iban]"),
        ("D\u200bE89 3704 0044 0532 0130 00", "[iban]"),
        ("D E 8 9 3 7 0 4 0 0 4 4 0 5 3 2 0 1 3 0 0 0", "[iban]"),
        ("هاتفي ٠٥٠ ١٢٣ ٤٥٦٧ شكرا", "هاتفي [phone] شكرا"),
        ("٠٥٠١٢٣٤٥٦٧", "[phone]"),
        ("０１７１ １２３４５６７", "[phone]"),
        ("0\u00ad171\u00ad1234567", "[phone]"),
        ("\u200b0171\u200b 1234567\u200b!", "\u200b[phone]\u200b!"),
        ("347 1234567 o 347 123 4567", "[phone] o [phone]"),
        ("91 123 45 67", "[phone]"),
        ("(91) 123 45 67", "[phone]"),
        ("21 123 4567", "[phone]"),
        ("(11) 91234-5678", "[phone]"),
        ("8 912 345-67-89", "[phone]"),
        ("llámame al 612345678", "llámame al [phone]"),
        ("mi móvil es 612345678", "mi móvil es [phone]"),
        ("my number is 4155552671", "my number is [phone]"),
        ("my number: 0 1 7 1 1 2 3 4 5 6 7", "my number: [phone]"),
        ("call me back at 5551234", "call me back at [phone]"),
        ("CVV 123 for the card 4111 1111 1111 1111", "CVV [card] for the card [card]"),
        ("cards 4111 1111 1111 1111 5500 0000 0000 0004", "cards [card] [card]"),
        ("4111111111111111/5500000000000004", "[card]/[card]"),
        ("order 12345 4111 1111 1111 1111", "order 12345 [card]"),
        ("on 12/28/2024 with 4111 1111 1111 1111 on 12/28/2024", "on 12/28/2024 with [card] on 12/28/2024"),
        ("4 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1", "[card]"),
        ("card4111111111111111", "card[card]"),
        ("٤١١١ ١١١١ ١١١١ ١١١١", "[card]"),
        ("IBANDE89370400440532013000BIC", "IBAN[iban]BIC"),
        ("NO9386011117947", "[iban]"),
        ("DE89 3704 0044 0532 0130 00 50 EUR", "[iban] 50 EUR"),
        ("030 901820 / 0151 12345678", "[phone] / [phone]"),
        ("030 901820/0151 12345678", "[phone]/[phone]"),
        ("415-555-2671/415-555-2672", "[phone]/[phone]"),
        ("030 901820 0151 12345678", "[phone] [phone]"),
        ("01 23 45 67 89 06 12 34 56 78", "[phone] [phone]"),
        ("+49 30 1234567 +49 171 1234567", "[phone] [phone]"),
        ("0171 1234567,0171 7654321", "[phone],[phone]"),
        ("call 5551234 or 5551235", "call [phone] or [phone]"),
        ("Tel.0171 1234567", "Tel.[phone]"),
        ("0171 1234567 (10-18 Uhr)", "[phone] (10-18 Uhr)"),
        ("0171 1234567 50 EUR", "[phone] 50 EUR"),
        ("75001 06 12 34 56 78", "75001 [phone]"),
        ("28001 612 345 678", "28001 [phone]"),
        ("customer 12345678 0171 1234567", "customer 12345678 [phone]"),
        ("order 12345 / 0171 1234567", "order 12345 / [phone]"),
        ("order +49 30 1234567", "order [phone]"),
        ("12.11.2024 0171 1234567", "12.11.2024 [phone]"),
        ("0151\u202f123\u00a045\u2009678", "[phone]"),
        ("\u202a+49 30 1234567\u202c", "\u202a[phone]\u202c"),
        ("612 345 678", "[phone]"),
        ("912 345 678", "[phone]"),
        ("212 345 678", "[phone]"),
        ("(+49) 30 1234567", "[phone]"),
        ("tel: 0049 (0) 30 / 90 18 20", "tel: [phone]"),
        ("+54 9 11 2345 6789", "[phone]"),
        ("mailto:jane.doe@example.com?subject=x", "mailto:[email]?subject=x"),
        ('"john doe"@example.com', "[email]"),
        ("<jane+tag@example.com>", "<[email]>"),
        ("jane＠example.com", "[email]"),
        ("jane (at) example (dot) com", "[email]"),
        ("?user=jane%40example.com", "[email]"),
        ("ju\u0308rgen@mu\u0308ller.de", "[email]"),
        ("почта@пример.рф", "[email]"),
        ("user@xn--e1afmkfd.xn--p1ai", "[email]"),
        ("a@[192.168.0.1]", "[email]"),
        ("jane@[IPv6:2001:db8::1]", "[email]"),
        ("jane@exam\u200bple.com", "[email]"),
        ("write to jane @ example.com", "write to [email]"),
        ("jane@ example.com", "[email]"),
        ("jane at example dot com", "[email]"),
        ("jane arroba example punto com", "[email]"),
        ("jane(a)example.com", "[email]"),
        ("jane&#64;example.com", "[email]"),
        ("o'neil!#$&*/=?^`{|}~@example.com", "[email]"),
    ],
)
def test_an_identity_beside_other_digits_or_in_an_unusual_form_is_redacted(text: str, published: str) -> None:
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
        "IMEI 356938035643809", "EAN 4006381333931", "0.5105105105105105", "52.5200066123456789, 13.404954",
        "550e8400-e29b-41d4-a716-446655440000", "v2.0.171.1234567", "phone with address 192.168.100.200",
        "order 01711234567 please", "order number 0171 1234567, please", "Pedido nº 612 345 678", "ticket 4711-0815-2000",
        "612 345 678 EUR", "612.345.678 €", "1 612 345 678 people", "population 12 345 678", "€ 612 345 678",
        "tracking 0034 0434 1610 9404 2557", "tracking 9405 5036 9930 0000 0000 00", "1Z 999 AA1 01 2345 6784", "JD014600003RU",
        "open 0800-1800", "09-17 Uhr, 10-18 Uhr", "rated 10 10 10 9 8 7", "5 4 5 4 5 4 3",
        "01/02/2024 02/02/2024 03/02/2024 04/02/2024", "2024/01/02, 2024/01/03", "card ending 1111", "**** **** **** 1111",
        "Auftrag 0012345678", "S/N 0412345678", "policy 0123/4567890", "model 415-555-2671", "part no 347-555-2671", "05 06 2024",
        "I tell you 12345678 times", "I called about 12345678", "ring size 1234567", "my cell costs 1.299.000",
        "phone model 12345678",
        "phone is an iPhone 15 2023 256 GB", "Cellar 1234567", " ".join(map(str, range(1, 41))), "at this point it is late",
        "10:15:22, 11:15:22, 12:15:22", "what @jane.doe said", "we met @ home. Thanks", "20\u00ad24",
        "seats 12, 13, 14, 15, 16, 17, 18, 19", "0 800 and 0 900", "0171", "@ 5 pm", "what @jane said", "50% @ 3.5",
    ],
)  # fmt: skip
def test_other_numbers_stay(text: str) -> None:
    assert redact(text) == text


@given(st.text())
def test_redacting_twice_changes_nothing(text: str) -> None:
    assert redact(redact(text)) == redact(text)


@given(st.text(st.characters(exclude_characters="@", exclude_categories=["Nd", "Cs"])))
def test_text_without_digits_and_at_signs_is_unchanged(text: str) -> None:
    assert redact(text) == text


@given(st.integers(0, 10**14 - 1), st.sampled_from(["", " ", "-"]))
def test_every_visa_number_is_redacted_in_any_grouping(number: int, space: str) -> None:
    digits = f"4{number:014d}"
    digits += luhn.calc_check_digit(digits)
    assert redact("my " + space.join(digits[i : i + 4] for i in range(0, 16, 4)) + " card") == "my [card] card"


@given(
    st.from_regex(r"[a-z0-9.+-]{1,30}@[a-z0-9]{1,20}\.(de|com|co\.uk)", fullmatch=True), st.text(" ,;\n", min_size=1, max_size=3)
)
def test_every_address_is_redacted(address: str, space: str) -> None:
    published = redact(f"write to{space}{address}{space}please")
    assert "@" not in published
    assert published.count("[email]") == 1


# --- the corpora of the repository ------------------------------------------------------------------------------------------
ROOT = Path(__file__).parents[3]
CORPORA = (
    "deploy/local/demo/corpus/*",
    "services/sentiment/training/own/*.toml",
    "services/sentiment/training/themes/*.jsonl",
    "services/sentiment/training/themes/pieces/*.toml",
    "tests/unit/sentiment/own_sentences.py",
    "tests/unit/sentiment/urgent_*.jsonl",
)


def test_nothing_is_redacted_in_comments_without_identities() -> None:
    lines = [line for pattern in CORPORA for file in sorted(ROOT.glob(pattern)) for line in file.read_text().splitlines()]
    assert sum(len(re.findall(r"\d", line)) > 1 for line in lines) > 100
    assert [line for line in lines if redact(line) != line] == []


# --- time ---------------------------------------------------------------------------------------------------------------------


def test_numbers_beyond_the_budget_are_redacted_unexamined() -> None:
    assert redact("4111 1111 1111 1112 " * (MAX_EXAMINED + 1)).count("[number]") > 0
    assert redact("4111 1111 1111 1112 " * (MAX_EXAMINED // 2)).count("[number]") == 0


@pytest.mark.parametrize(
    "identity", ["4111 1111 1111 1111", "DE89 3704 0044 0532 0130 00", "0171 1234567", "+49 30 1234567", "a@b.de"]
)
@pytest.mark.parametrize(
    "filler", ["4111 1111 1111 1112 x ", "DE89370400440532013001 x ", "0815 471120001 x ", "0171 1234567 x "]
)
def test_no_identity_is_published_beyond_the_budget(filler: str, identity: str) -> None:
    assert identity not in redact(filler * (3 * MAX_EXAMINED) + identity)


def test_the_texts_of_one_record_share_the_budget() -> None:
    redact_all = Redactor()
    published = [redact_all("0815 4711 2000 or 0815 4711 2001 " * 20) for _ in range(100)]
    assert "0815" not in published[-1]
