"""Redact identities in comments: e-mail addresses, IBANs, card numbers and phone numbers become placeholders.

Cards and IBANs are recognized by issuer and check digits, phone numbers by the world's numbering plans. Order numbers, dates,
prices, versions and times stay. The work is linear in the length of the text. Candidates beyond MAX_EXAMINED are redacted
unexamined.
"""

from collections.abc import Callable, Iterable

from services.ingest.domain.redaction import cards, emails, ibans, phones
from services.ingest.domain.redaction.searching import Budget, Redaction, apply_redactions, fold, has_enough_digits

MAX_EXAMINED = 60
"""Candidates that are examined per record."""


class Redactor:
    """Redacts the texts of one record. They share a budget of MAX_EXAMINED candidates."""

    __slots__ = ("_budget",)

    def __init__(self) -> None:
        self._budget = Budget(MAX_EXAMINED)

    def __call__(self, text: str) -> str:
        """`text` with identities replaced by `[email]`, `[iban]`, `[card]` and `[phone]`, and by `[number]` beyond the budget."""
        if not text.isascii() or emails.may_hold_address(text):
            text = _redact(text, emails.find)
        if not has_enough_digits(text):
            return text
        text = _redact(text, lambda folded: ibans.find(folded, self._budget))
        without_cards = _redact(text, lambda folded: cards.find(folded, self._budget))
        if without_cards != text:
            text = _redact(without_cards, cards.find_named_codes)
        return _redact(text, lambda folded: phones.find(folded, self._budget))


def _redact(text: str, find: Callable[[str], Iterable[Redaction]]) -> str:
    folded = fold(text)
    return apply_redactions(text, folded.in_original(find(folded.text)))
