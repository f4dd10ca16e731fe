"""Identities that customers write into comments: e-mail addresses, IBANs, card and phone numbers become placeholders.

A comment without `@` or a run of digits costs one scan. Numbers are judged by their check digits (cards, IBANs) and by the real
numbering plans (phones); an order number, a date, a price, a version or a time is none of these. Everything is linear in the
text, and what a hostile record holds beyond MAX_JUDGED numbers is hidden without being judged.
"""

import re
from collections.abc import Callable, Iterator

from stdnum import iban, luhn

from services.ingest.domain import phones

MAX_JUDGED = 100

DIGITS = re.compile(r"\d(?:[^\w\n]{0,3}\d){5}")
"""Six digits, nearly side by side: fewer are none of what we look for."""

DOMAIN = re.compile(r"@(?:[^\W_][\w-]{0,62}\.){1,8}[^\W\d_]{2,24}")
LOCAL_PART = re.compile(r"[\w.%+'-]{1,64}\Z")
IBAN = re.compile(r"\b[A-Z]{2}\d{2}(?:[ -]?[A-Z0-9]){11,30}", re.IGNORECASE)
CARD = re.compile(r"(?<![\d+.,-])\d{4}(?:[ -]?\d){9,15}(?![\d]|[.,-]\d)")
CARD_GROUPS = re.compile(r"\d{13,19}|\d{4}([ -])\d{4}\1\d{4}\1\d{1,7}|\d{4}([ -])\d{6}\2\d{4,5}")
CARD_ISSUERS = re.compile(r"4|5[0-8]|2[2-7]|3[04-9]|6")

Judge = Callable[[re.Match[str]], str]


class Redactor:
    """Redacts the texts of one record, which share its MAX_JUDGED."""

    def __init__(self) -> None:
        self._left = MAX_JUDGED

    def __call__(self, text: str) -> str:
        """`text` with `[email]`, `[iban]`, `[card]` and `[phone]` in the place of what is one."""
        if "@" in text:
            text = _without_emails(text)
        if DIGITS.search(text):
            text = IBAN.sub(self._bounded(_iban), text)
            text = CARD.sub(self._bounded(_card), text)
            text = phones.PHONE.sub(self._bounded(_phone), text)
        return text

    def _bounded(self, judge: Judge) -> Judge:
        def bounded(match: re.Match[str]) -> str:
            self._left -= 1
            return judge(match) if self._left >= 0 else "[number]"

        return bounded


def _without_emails(text: str) -> str:
    return "".join(_around_emails(text))


def _around_emails(text: str) -> Iterator[str]:
    end = 0
    for domain in DOMAIN.finditer(text):
        local = LOCAL_PART.search(text, max(end, domain.start() - 64), domain.start())
        if local:
            yield text[end : local.start()]
            yield "[email]"
            end = domain.end()
    yield text[end:]


def _iban(match: re.Match[str]) -> str:
    """The match may run on into the words that follow: the longest beginning that is an IBAN counts."""
    found = match[0]
    for end in range(len(found), 14, -1):
        if found[end - 1].isalnum() and iban.is_valid(found[:end]):
            return f"[iban]{found[end:]}"
    return found


def _card(match: re.Match[str]) -> str:
    digits = re.sub(r"\D", "", match[0])
    real = CARD_GROUPS.fullmatch(match[0]) and CARD_ISSUERS.match(digits) and luhn.is_valid(digits)
    return "[card]" if real else match[0]


def _phone(match: re.Match[str]) -> str:
    return "[phone]" if phones.is_phone(match) else match[0]
