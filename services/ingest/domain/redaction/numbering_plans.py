"""The world's numbering plans as regular expressions, from the metadata of `phonenumbers`.

`phonenumbers.parse` takes 50 µs per number and region, a lookup here a few. Both give the same result
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
"""Patterns of the valid national numbers, with and without the trunk prefix, by number of digits."""


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
    """Whether `digits`, with or without the trunk prefix, are a valid national number of one of the regions."""
    return _fits(digits, plan_of(regions))


def _fits(digits: str, plan: Plan) -> bool:
    pattern = plan.get(len(digits))
    return pattern is not None and pattern.fullmatch(digits) is not None


def _completed(digits: str, regions: tuple[str, ...], code: int) -> Iterator[str]:
    """The full national numbers that `digits` may abbreviate, in regions that omit or move a part (Argentina, San Marino)."""
    for prefix, rule in rules_of(regions, code):
        if (match := prefix.match(digits)) and match.lastindex:
            yield match.expand(rule) + digits[match.end() :]


@lru_cache(512)
def rules_of(regions: tuple[str, ...], code: int) -> list[tuple[re.Pattern[str], str]]:
    """The rules that complete national numbers of some regions: a prefix and its replacement."""
    metadata = [PhoneMetadata.metadata_for_region_or_calling_code(code, region) for region in regions]
    return [
        (re.compile(plan.national_prefix_for_parsing), plan.national_prefix_transform_rule)
        for plan in metadata
        if plan and plan.national_prefix_for_parsing and plan.national_prefix_transform_rule
    ]


@lru_cache(512)
def plan_of(regions: tuple[str, ...], code: int = 0) -> Plan:
    """The combined plan of some regions. `code` is the calling code, needed for region "001", which is not a country."""
    patterns: dict[int, list[str]] = {}
    for region in regions:
        if metadata := PhoneMetadata.metadata_for_region_or_calling_code(code, region):
            for length, pattern in _with_trunk_prefix(metadata):
                patterns.setdefault(length, []).append(pattern)
    return {
        length: re.compile("|".join(f"(?:{alternative})" for alternative in alternatives))
        for length, alternatives in patterns.items()
    }


def _with_trunk_prefix(metadata: PhoneMetadata) -> Iterator[tuple[int, str]]:
    """The patterns of a region's numbers, without and with its trunk prefix, each with its number of digits."""
    trunk = metadata.national_prefix or ""
    for lengths, pattern in _descriptions(metadata):
        for length in lengths:
            yield length, pattern
            if trunk:
                yield length + len(trunk), f"{trunk}(?:{pattern})"


def _descriptions(metadata: PhoneMetadata) -> Iterator[tuple[tuple[int, ...], str]]:
    """The lengths and the pattern of each kind of number in a region."""
    general = metadata.general_desc
    assert general is not None, "every region has a general description"
    for kind in KINDS:
        description = getattr(metadata, kind)
        if description and description.national_number_pattern:
            yield description.possible_length or general.possible_length, description.national_number_pattern
