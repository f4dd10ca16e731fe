"""The compiled numbering plans accept the same numbers as `phonenumbers`."""

import random

import phonenumbers
import pytest

from services.ingest.domain.redaction.numbering_plans import is_international, is_national
from services.ingest.domain.redaction.phones import TRUNK_ZERO


def is_valid(number: str, region: str | None) -> bool:
    """Whether the library accepts a number."""
    try:
        return phonenumbers.is_valid_number(phonenumbers.parse(number, region))
    except phonenumbers.NumberParseException:
        return False


def digits(length: int, source: random.Random) -> str:
    return "".join(source.choices("0123456789", k=length))


def examples() -> list[str]:
    """A valid number of each region and kind that the library knows, with its calling code."""
    kinds = (phonenumbers.PhoneNumberType.FIXED_LINE, phonenumbers.PhoneNumberType.MOBILE, phonenumbers.PhoneNumberType.TOLL_FREE)
    numbers = [phonenumbers.example_number_for_type(region, kind) for region in phonenumbers.SUPPORTED_REGIONS for kind in kinds]
    return [f"{one.country_code}{phonenumbers.national_significant_number(one)}" for one in numbers if one]


def test_a_valid_number_of_every_region_is_international() -> None:
    assert [number for number in examples() if not is_international(number)] == []


def test_no_international_number_is_missed() -> None:
    source = random.Random(8)
    codes = list(phonenumbers.COUNTRY_CODE_TO_REGION_CODE)
    numbers = [f"{source.choice(codes)}{digits(source.randint(6, 11), source)}" for _ in range(2000)]
    valid = [number for number in numbers if is_valid(f"+{number}", None)]
    assert len(valid) > 50
    assert [number for number in valid if not is_international(number)] == []
    assert sum(map(is_international, numbers)) <= 1.2 * len(valid)


def test_no_national_number_is_missed() -> None:
    source = random.Random(9)
    numbers = [f"0{source.randint(1, 9)}{digits(source.randint(5, 10), source)}" for _ in range(600)]
    valid = [number for number in numbers if any(is_valid(number, region) for region in TRUNK_ZERO)]
    assert len(valid) > 50
    assert [number for number in valid if not is_national(number, TRUNK_ZERO)] == []
    assert sum(is_national(number, TRUNK_ZERO) for number in numbers) <= 1.1 * len(valid)


@pytest.mark.parametrize("number", ["", "0", "49", "999123456789", "0000000000", "49" * 20])
def test_other_digits_are_not_a_phone_number(number: str) -> None:
    assert not is_international(number)
