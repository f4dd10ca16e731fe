"""Identities that customers write into comments: e-mail addresses, IBANs, card and phone numbers become placeholders.

Cards and IBANs are known by their issuers and check digits, phone numbers by the numbering plans of the world. An order number, a
date, a price, a version and a time are none of these. The work is linear in the length of the text. Candidates beyond MAX_JUDGED
are redacted without examination.
"""

from services.ingest.domain.redaction import cards, emails, ibans, phones
from services.ingest.domain.redaction.digits import has_enough_digits
from services.ingest.domain.redaction.spans import Budget, replace

MAX_JUDGED = 60
"""Candidates of one record that are examined."""


class Redactor:
    """Redacts the texts of one record, which share a budget of MAX_JUDGED candidates."""

    def __init__(self) -> None:
        self._budget = Budget(MAX_JUDGED)

    def __call__(self, text: str) -> str:
        """`text` with `[email]`, `[iban]`, `[card]` and `[phone]` in place of identities, `[number]` beyond the budget."""
        text = replace(text, emails.find(text))
        if not has_enough_digits(text):
            return text
        text = replace(text, ibans.find(text, self._budget))
        without_cards = replace(text, cards.find(text, self._budget))
        if without_cards != text:
            text = replace(without_cards, cards.find_named_codes(without_cards))
        return replace(text, phones.find(text, self._budget))
