"""IBANs: known by the structure of their country (SWIFT's registry) and their check digits, with any separators."""

import re
from collections.abc import Iterator
from functools import lru_cache

from stdnum import iban, numdb

from services.ingest.domain.redaction.digits import WIDE_GAP as GAP
from services.ingest.domain.redaction.spans import UNEXAMINED, Budget, Span

HEAD = re.compile(rf"([A-Za-z]){GAP}([A-Za-z]){GAP}\d{GAP}\d")
CHARACTERS = {"n": r"\d", "a": "[A-Za-z]", "c": "[A-Za-z0-9]"}
PART = re.compile(r"(\d{1,2})!([nac])")


def find(text: str, budget: Budget) -> Iterator[Span]:
    """The IBANs in `text`; candidates beyond the budget are redacted. Linear in its length."""
    end = 0
    for head in HEAD.finditer(text):
        if head.start() < end:
            continue
        pattern = country_pattern((head[1] + head[2]).upper())
        found = pattern and pattern.match(text, head.end())
        if not found:
            continue
        if not budget.spend():
            yield Span(head.start(), found.end(), UNEXAMINED)
        elif iban.is_valid(compact(text[head.start() : found.end()]), check_country=False):
            yield Span(head.start(), found.end(), "[iban]")
        else:
            continue
        end = found.end()


def compact(written: str) -> str:
    """Capital letters and the digits 0-9 alone."""
    return "".join([sign for sign in written if sign.isalnum()]).upper()


@lru_cache(1024)
def country_pattern(country: str) -> re.Pattern[str] | None:
    """The characters that follow country and check digits, separators between them; None if the country has no IBANs."""
    structure = numdb.get("iban").info(country)[0][1].get("bban", "")
    body = "".join(f"(?:{GAP}{CHARACTERS[kind]}){{{count}}}" for count, kind in PART.findall(structure))
    return re.compile(body) if body else None
