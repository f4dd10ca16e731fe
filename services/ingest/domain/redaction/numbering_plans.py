"""The numbering plans of the world as regular expressions, by the metadata of `phonenumbers`.

`phonenumbers.parse` takes 50 µs for each number and region; a look-up here takes a few. The verdicts are the same
(tests/unit/ingest/test_numbering_plans.py).
"""

import re
from collections.abc import Iterator, Mapping
from functools import lru_cache

from phonenumbers import COUNTRY_CODE_TO_REGION_CODE, PhoneMetadata

LONGEST_CALLING_CODE = 3
KINDS = (
    "fixed_line",
    "mobile",
    "toll_free",
    "premium_rate",
    "shared_cost",
    "personal_number",
    "voip",
    "pager",
    "uan",
    "voicemail",
)

Plan = Mapping[int, re.Pattern[str]]
"""The valid national numbers as they are written, with or without the trunk prefix, by their number of digits."""


def is_international(digits: str) -> bool:
    """Whether `digits` (calling code first, no plus) are a valid number of some country."""
    for size in range(1, LONGEST_CALLING_CODE + 1):
        code = int(digits[:size] or 0)
        if code in COUNTRY_CODE_TO_REGION_CODE and not digits.startswith("0"):
            regions = COUNTRY_CODE_TO_REGION_CODE[code]
            numbers = [digits[size:], *_completed(digits[size:], regions, code)]
            return any(_fits(number, plan_of(regions, code)) for number in numbers)
    return False


def is_national(digits: str, regions: tuple[str, ...]) -> bool:
    """Whether `digits`, with or without the trunk prefix, are a valid number of one of the regions."""
    return _fits(digits, plan_of(regions))


def _fits(digits: str, plan: Plan) -> bool:
    pattern = plan.get(len(digits))
    return pattern is not None and pattern.fullmatch(digits) is not None


def _completed(digits: str, regions: tuple[str, ...], code: int) -> Iterator[str]:
    """The whole national numbers that `digits` may be short for where a part is left out or moved (Argentina, San Marino)."""
    for prefix, rule in rules_of(regions, code):
        if (found := prefix.match(digits)) and found.lastindex:
            yield found.expand(rule) + digits[found.end() :]


@lru_cache(512)
def rules_of(regions: tuple[str, ...], code: int) -> list[tuple[re.Pattern[str], str]]:
    """How the national numbers of some regions are completed: a prefix and what replaces it."""
    facts = [PhoneMetadata.metadata_for_region_or_calling_code(code, region) for region in regions]
    return [
        (re.compile(one.national_prefix_for_parsing), one.national_prefix_transform_rule)
        for one in facts
        if one and one.national_prefix_for_parsing and one.national_prefix_transform_rule
    ]


@lru_cache(512)
def plan_of(regions: tuple[str, ...], code: int = 0) -> Plan:
    """The plan of some regions together. `code`: the calling code, needed for region "001", which stands for no country."""
    patterns: dict[int, list[str]] = {}
    for region in regions:
        if facts := PhoneMetadata.metadata_for_region_or_calling_code(code, region):
            for length, pattern in _written(facts):
                patterns.setdefault(length, []).append(pattern)
    return {length: re.compile("|".join(f"(?:{one})" for one in found)) for length, found in patterns.items()}


def _written(facts: PhoneMetadata) -> Iterator[tuple[int, str]]:
    """The patterns of a region's numbers without and with its trunk prefix, each with its number of digits."""
    trunk = facts.national_prefix or ""
    for lengths, pattern in _descriptions(facts):
        for length in lengths:
            yield length, pattern
            if trunk:
                yield length + len(trunk), f"{trunk}(?:{pattern})"


def _descriptions(facts: PhoneMetadata) -> Iterator[tuple[tuple[int, ...], str]]:
    """The lengths and the pattern of each kind of number that a region has."""
    general = facts.general_desc
    assert general is not None, "every region has a general description"
    for kind in KINDS:
        description = getattr(facts, kind)
        if description and description.national_number_pattern:
            yield description.possible_length or general.possible_length, description.national_number_pattern
