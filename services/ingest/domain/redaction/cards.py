"""Find payment cards by issuer prefix, length and check digit (Luhn), anywhere in a run of digits.

The expiry date and the security code beside a card are redacted with it. So are those that are named as such anywhere in a text
that holds a card.
"""

import re
from collections.abc import Iterator, Sequence

from stdnum import ean, luhn

from services.ingest.domain.redaction.searching import (
    DASHES,
    UNEXAMINED,
    WIDE_GAP,
    Budget,
    Group,
    Redaction,
    digits_of,
    groups_of,
    run_pattern,
)

SHORTEST, LONGEST = 13, 19
LONGEST_PHONE = 15
"""Up to this many digits after a plus are a phone number."""
RUN = run_pattern(SHORTEST, WIDE_GAP)
SIXTEEN_UP = frozenset({16, 17, 18, 19})
ISSUERS = tuple(
    (re.compile(prefix), lengths)
    for prefix, lengths in (
        ("4", frozenset({13, 16, 19})),  # Visa
        (r"5[1-5]|2(?:22[1-9]|2[3-9]|[3-6]|7[01]|720)", frozenset({16})),  # Mastercard
        ("3[47]", frozenset({15})),  # American Express
        ("36", frozenset({14}) | SIXTEEN_UP),  # Diners Club
        ("30[0-5]|3095|3[89]", frozenset({14}) | SIXTEEN_UP),  # Diners Club
        (r"35(?:2[89]|[3-8])", SIXTEEN_UP),  # JCB
        (
            "5[0678]|6|220[0-4]|8[12]",
            SIXTEEN_UP,
        ),  # Maestro (no issuer uses fewer than 16 digits), Discover, UnionPay, RuPay, Mir
        ("9792", frozenset({16})),  # Troy
    )
)
NO_ISSUER = "017"
"""First digits that no issuer uses."""
CURRENCY = r"\s?(?:[€$£¥%]|(?:eur|usd|gbp|chf|pln|brl|euros?|dollars?|pounds?|reais)\b)"
JOINT = rf"[\s{DASHES},;:.()/|=~]{{1,6}}"
MONTH = (
    r"(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec|mär|mai|okt|dez|ene|abr|ago|dic|janv|févr|mars|avr|juin|juil|août|déc|"
    r"fev|set|out|gen|mag|giu|lug|ott|mrt|mei)[a-zéûç]{0,8}\.?"
)
DATE = (
    rf"{MONTH}\s{{0,2}}['’]?(?:20)?\d\d|20\d\d[/{DASHES}](?:0[1-9]|1[0-2])|"
    rf"(?:0?[1-9]|1[0-2])\s{{0,2}}[/.{DASHES} ]\s{{0,2}}(?:20)?\d\d|(?:0[1-9]|1[0-2])\d\d"
)
NAME = (
    r"(?:exp(?:iry|ires|iring|iration|\.)?(?:\s?date)?|mm\s?/\s?yy(?:yy)?|valid(?:\s(?:thru|until|to))?|thru|gültig(?:\sbis)?|ablauf\w{0,10}|verfall\w{0,10}|"
    r"caduca|caducidad|scade|vence|vencimiento|validade|scadenza|expire(?:\sle)?|geldig(?:\stot)?|cvv2?|cvc2?|cv2|csc|cid|"
    r"(?:card\s)?sec(?:urity|\.)?\s(?:code|number|no)|pin|(?:three|four|3|4)\sdigits(?:\son\sthe\sback(?:\sof\s(?:it|the\scard))?)?|card\scode|prüf(?:ziffer|nummer)|kartenprüfnummer|cryptogramme(?:\svisuel)?|código(?:\sde\sseguridad)?|code)"
)
LINK = r"(?:\s?(?:is|are|it|the|ist|est|es|é|è|and|und|et|y|e|en|with|mit|no|nr|number|code)\b)"
NAMED = rf"(?:{LINK}{{0,2}}+\s?\b{NAME}\b{LINK}{{0,2}}[\s:.#=]{{0,3}})"
ENDS = rf"(?!\d|[.,/{DASHES}:](?!\d{{3}}(?!\d))\d|{CURRENCY})"
"""Not followed by the rest of a number, date, time or amount. A security code of three digits may follow."""
AFTER = re.compile(rf"(?:{JOINT}{NAMED}?(?:{DATE}|\d{{3,4}}){ENDS}){{1,2}}", re.IGNORECASE)
"""An expiry date, a security code or both after a card."""
BEFORE = re.compile(rf"(?<![\d/.,])(?:{DATE}){JOINT}\Z", re.IGNORECASE)
LOOK_BACK = 16
"""Characters before a card that are searched for an expiry date."""
ANYWHERE = re.compile(rf"\b{NAME}\b{LINK}{{0,2}}[\s:.#=]{{0,3}}((?:{DATE}|\d{{3,4}}){ENDS})", re.IGNORECASE)


def find(text: str, budget: Budget) -> Iterator[Redaction]:
    """Find the cards in `text`, with the date and code beside each. Candidates beyond the budget are redacted. Linear time."""
    numbers = [card for run in RUN.finditer(text) for card in _in_run(text, groups_of(text, run), budget)]
    limits = [*[number.start for number in numbers], len(text)][1:]
    end = 0
    for (start, stop, placeholder), limit in zip(numbers, limits, strict=True):
        date = BEFORE.search(text, max(end, start - LOOK_BACK), start)
        beside = AFTER.match(text, stop, limit)
        end = beside.end() if beside else stop
        yield Redaction(date.start() if date else start, end, placeholder)


def find_named_codes(text: str) -> Iterator[Redaction]:
    """Find expiry dates and security codes that are named as such. For texts that hold a card."""
    for code in ANYWHERE.finditer(text):
        yield Redaction(*code.span(1), "[card]")


def _in_run(text: str, groups: Sequence[Group], budget: Budget) -> Iterator[Redaction]:
    place = 0
    while place < len(groups):
        candidates = [] if text[groups[place].start] in NO_ISSUER else _candidates(text, groups, place)
        if candidates and not budget.spend():
            yield Redaction(groups[place].start, groups[-1].end, UNEXAMINED)
            return
        last = next((last for last in candidates if is_card(text[groups[place].start : groups[last].end])), None)
        if last is None:
            place += 1
        else:
            yield Redaction(groups[place].start, groups[last].end, "[card]")
            place = last + 1


def _candidates(text: str, groups: Sequence[Group], first: int) -> list[int]:
    """The groups with which a card that starts at group `first` may end, longest card first."""
    start = groups[first].start
    after_plus, is_fraction = text.endswith("+", 0, start), _is_fraction(text, start)
    total, sizes, candidates = 0, [], []
    for last in range(first, len(groups)):
        size = groups[last].size
        total += size
        if total > LONGEST:
            break
        sizes.append(size)
        if total < SHORTEST or (after_plus and total <= LONGEST_PHONE) or (is_fraction and last == first):
            continue
        if _grouped(sizes) or (first == 0 and last == len(groups) - 1 and len(set(sizes)) == 1):
            candidates.append(last)
    return candidates[::-1]


def _is_fraction(text: str, start: int) -> bool:
    """Whether the digits at `start` follow a decimal point."""
    before = text[max(0, start - 2) : start]
    return len(before) == 2 and before[0].isdigit() and before[1] in ".,"


def _grouped(sizes: Sequence[int]) -> bool:
    """Whether cards are written in such groups: one group, groups of 4 (8, 12), equal groups, 4-6-5, 4-6-4, 6-13."""
    *head, last = sizes
    if not head or sizes in ([4, 6, 5], [4, 6, 4], [6, 13]):
        return True
    if all(size % 4 == 0 for size in head):
        return last <= 8
    return head[0] in (5, 6) and len(set(head)) == 1 and last <= head[0]


def is_card(written: str) -> bool:
    """Whether the digits of `written` are a card number of some issuer."""
    digits = digits_of(written)
    if not any(len(digits) in lengths and prefix.match(digits) for prefix, lengths in ISSUERS):
        return False
    is_article = len(digits) == 13 and ean.is_valid(digits)  # German article numbers start with 4, like Visa's old 13-digit cards
    return bool(luhn.checksum(digits) == 0) and not is_article
