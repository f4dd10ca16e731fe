"""Identities that customers write into comments: e-mail addresses, IBANs, card and phone numbers become placeholders.

Cards and IBANs are known by their issuers and check digits, phone numbers by the numbering plans of the world. An order number, a
date, a price, a version and a time are none of these. The work is linear in the length of the text. Candidates beyond MAX_JUDGED
are redacted without examination.
"""

from collections.abc import Callable, Iterable

from services.ingest.domain.redaction import cards, emails, ibans, phones
from services.ingest.domain.redaction.digits import has_enough_digits
from services.ingest.domain.redaction.folding import fold
from services.ingest.domain.redaction.spans import Budget, Span, replace

MAX_JUDGED = 60
"""Candidates of one record that are examined."""


class Redactor:
    """Redacts the texts of one record, which share a budget of MAX_JUDGED candidates."""

    def __init__(self) -> None:
        self._budget = Budget(MAX_JUDGED)

    def __call__(self, text: str) -> str:
        """`text` with `[email]`, `[iban]`, `[card]` and `[phone]` in place of identities, `[number]` beyond the budget."""
        text = _replaced(text, emails.find)
        if not has_enough_digits(text):
            return text
        text = _replaced(text, lambda folded: ibans.find(folded, self._budget))
        without_cards = _replaced(text, lambda folded: cards.find(folded, self._budget))
        if without_cards != text:
            text = _replaced(without_cards, cards.find_named_codes)
        return _replaced(text, lambda folded: phones.find(folded, self._budget))


def _replaced(text: str, find: Callable[[str], Iterable[Span]]) -> str:
    folded = fold(text)
    return replace(text, folded.in_original(find(folded.text)))
