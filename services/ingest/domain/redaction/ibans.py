"""Find IBANs by the structure of each country (SWIFT registry) and the check digits, with any separators."""

import re
from collections.abc import Iterator
from functools import lru_cache

from stdnum import iban, numdb

from services.ingest.domain.redaction.searching import UNEXAMINED, Budget, Redaction
from services.ingest.domain.redaction.searching import WIDE_GAP as GAP

HEAD = re.compile(rf"([A-Za-z]){GAP}([A-Za-z]){GAP}\d{GAP}\d")
CHARACTERS = {"n": r"\d", "a": "[A-Za-z]", "c": "[A-Za-z0-9]"}
PART = re.compile(r"(\d{1,2})!([nac])")


def find(text: str, budget: Budget) -> Iterator[Redaction]:
    """Find the IBANs in `text`. Candidates beyond the budget are redacted. Linear time."""
    end = 0
    for head in HEAD.finditer(text):
        if head.start() < end:
            continue
        pattern = country_pattern((head[1] + head[2]).upper())
        rest = pattern and pattern.match(text, head.end())
        if not rest:
            continue
        if not budget.spend():
            yield Redaction(head.start(), rest.end(), UNEXAMINED)
        elif iban.is_valid(compact(text[head.start() : rest.end()]), check_country=False):
            yield Redaction(head.start(), rest.end(), "[iban]")
        else:
            continue
        end = rest.end()


def compact(written: str) -> str:
    """The letters and digits of an IBAN, in upper case."""
    return "".join([character for character in written if character.isalnum()]).upper()


@lru_cache(1024)
def country_pattern(country: str) -> re.Pattern[str] | None:
    """A pattern for the part after the check digits, with separators. None if the country has no IBANs."""
    structure = numdb.get("iban").info(country)[0][1].get("bban", "")
    body = "".join(f"(?:{GAP}{CHARACTERS[kind]}){{{count}}}" for count, kind in PART.findall(structure))
    return re.compile(body) if body else None
