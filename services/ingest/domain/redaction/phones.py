"""Phone numbers: known by the numbering plans of the world and by the words before them."""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Literal, NamedTuple

from services.ingest.domain.redaction.cards import CURRENCY
from services.ingest.domain.redaction.digits import DASHES, FEWEST, GAP, Group, digits_of, groups_of, runs_of
from services.ingest.domain.redaction.numbering_plans import is_international, is_national
from services.ingest.domain.redaction.spans import UNEXAMINED, Budget, Span

RUN = runs_of(FEWEST, GAP)
LONGEST = 15
"""Digits of a number with its calling code (ITU-T E.164)."""
PREFIX = "00"
"""In front of a calling code, instead of a plus."""

TRUNK_ZERO = ("DE", "GB", "FR", "NL", "AT", "CH", "BE", "IT", "SE", "AU")
"""Where a national number is written with a 0 before it (in Italy it belongs to the number)."""

BREAK = re.compile(r"[\n\r,_|*•]")
"""What a separator inside one phone number does not hold."""
DATE = (
    rf"(?<!\d)(?:\d{{4}}(?P<y>[./{DASHES}])(?:0?[1-9]|1[0-2])(?P=y)(?:0?[1-9]|[12]\d|3[01])|"
    rf"(?:0?[1-9]|[12]\d|3[01])(?P<d>[./{DASHES}])(?:0?[1-9]|[12]\d|3[01])(?P=d)(?:\d{{4}}|\d\d)|"
    rf"(?:0?[1-9]|[12]\d|3[01])\s(?:0[1-9]|1[0-2])\s(?:19|20)\d\d)(?!\d|[./{DASHES}]\d)"
)
TIMES = r"(?<![\d-])(?:[01]\d|2[0-4])[0-5]\d ?[-\u2013] ?(?:[01]\d|2[0-4])[0-5]\d(?!\d)"
"""From one to another, without a colon: 0800-1800."""
ADDRESS = r"(?<![\d.])\d{1,3}(?:\.\d{1,3}){3}(?![\d.])"
"""Of the Internet, version 4."""
PARCEL = r"\b1[Zz](?: ?[0-9A-Za-z]){16}\b"
"""A tracking number of UPS."""
NO_PHONE = re.compile(f"{DATE}|{TIMES}|{ADDRESS}|{PARCEL}")
PLUS = re.compile(r"(?:\(\s?)?\+\s?\(?\Z")
"""In front of a calling code."""
GLUED = re.compile(r"#\Z|[\w][/\-\u2010-\u2015]\Z|\d[.,]\Z|[€$£¥]\s?\Z|\w\Z")
"""In front of digits that are part of a longer word or number, or an amount."""
TRUNK_IN_PARENTHESES = re.compile(r"\(\s?0\s?\)")
PHONE_WORD = (
    r"(?:call(?:ed|ing)?|(?:tele)?phone|tel|tél|tlf|mob(?:ile?|il)?|cell(?:phone|ular(?:e)?)?|ring|text|sms|whats\s?app|handy(?:nummer)?|"
    r"telefon(?:nummer|isch|o|e)?|telefoon(?:nummer)?|rufnummer|anruf(?:en)?|rufen|erreichbar|fax|teléfono|móvil|llám\w{1,4}|llamar(?:me)?|"
    r"telemóvel|liguem?|téléphone|portable|appel\w{0,3}|chiama\w{0,4}|bel|my number|meine nummer|mijn nummer|mi número|"
    r"(?:o )?meu número|mon numéro|(?:il )?mio numero|\w?هاتف\w{0,3}|رقمي|جوال\w{0,3}|اتصل\w{0,3}|واتساب)"
)
PHONE_LINK = (
    r"(?:me|us|him|her|back|again|at|on|under|number|no|nr|num|nummer|is|was|mich|uns|unter|ist|lautet|an|auf|al|el|es|número|nos|"
    r"au|le|est|numéro|é|è|il|numero|op|mij|ons|بي|على|هو)"
)
SAYS_PHONE = re.compile(rf"\b{PHONE_WORD}\b(?:[\s.:,-]{{1,3}}{PHONE_LINK}\b){{0,4}}[\s.:,#=(-]{{0,4}}\Z", re.IGNORECASE)
"""Words that say that a phone number follows, and nothing else between."""
SAYS_OTHER = re.compile(
    r"(?:#|\b(?:order|invoice|ticket|case|ref|reference|tracking|parcel|shipment|serial|article|item|account|customer|contract|sku|id|"
    r"isbn|ean|imei|version|case|claim|policy|police|model|modell|part|batch|lot|booking|reservation|flight|gate|size|s/n|sn|p/n|pn|po|"
    r"buchung\w*|reserva|póliza|modelo|modèle|modello|bestell\w*|rechnung\w*|auftrag\w*|kunden\w*|sendung\w*|artikel\w*|vorgang\w*|vertrag\w*|serien\w*|"
    r"commande|facture|contrat|suivi|pedido|factura|contrato|encomenda|fatura|ordine|fattura|bestelling|factuur)"
    r"[ .:#-]{0,3}(?:(?:no|nr|n[°º]|num|number|nummer|id|is|was|ist)[ .:#-]{0,3}){0,2})\Z",
    re.IGNORECASE,
)
GOES_ON = re.compile(rf"[.{DASHES}]")
"""A gap between two groups of one number: nothing ends at it."""
DECIMALS = re.compile(r"[.,](?!0[1-9]\d)\d")
BLANK = re.compile(r"\s+")
ALSO = re.compile(r"[\s,;/|&+]{0,4}(?:or|and|oder|und|ou|et|o|y|e|of|en)?[\s,;/|&+(]{0,4}", re.IGNORECASE)
"""What stands between two phone numbers of one list."""
NOT_BEHIND = re.compile(rf"\w|:\d|{CURRENCY}", re.IGNORECASE)
LOOK_BACK = 40
"""Characters before a number that may say what it is."""

Kind = Literal["international", "national", "without a zero", "any"]

WITHOUT_ZERO: Mapping[tuple[int, ...], tuple[str, ...]] = {
    (3, 3, 4): ("US", "IT"),
    (1, 3, 3, 4): ("US",),
    (2, 5, 4): ("BR",),
    (1, 3, 3, 2, 2): ("RU",),
    (3, 3, 3): ("ES", "PT"),
    (3, 2, 2, 2): ("ES", "PT"),
    (2, 3, 2, 2): ("ES",),
    (2, 3, 4): ("PT",),
    (3, 7): ("IT",),
    (3, 2, 2, 3): ("IT",),
    (3, 3, 2, 2): ("IT",),
}
"""How national numbers are grouped that begin with no 0, and in which regions."""
FIRST_SIZES = {sizes[:2] for sizes in WITHOUT_ZERO}
MIXED_GAPS = ((3, 3, 4), (1, 3, 3, 4), (2, 5, 4), (1, 3, 3, 2, 2))
"""Those that may hold different separators, such as (212) 555-2368."""


class Segment(NamedTuple):
    """Groups of digits that may be one phone number, several, or none.

    `excluded`: places of groups that are part of something else; `of_phone`, `of_other`: what the words before the digits say.
    """

    text: str
    groups: Sequence[Group]
    excluded: frozenset[int]
    of_phone: bool
    of_other: bool

    def gap_before(self, place: int) -> str:
        return self.text[self.groups[place - 1].end : self.groups[place].start] if place else ""

    def before(self, length: int) -> str:
        start = self.groups[0].start
        return self.text[max(0, start - length) : start]


class Cover(NamedTuple):
    """A choice of phone numbers among the first groups: the characters in them, and the last number as (first group, last group)
    with the choice before it.
    """

    characters: int
    number: tuple[int, int] | None = None
    rest: "Cover | None" = None


def find(text: str, budget: Budget) -> Iterator[Span]:
    """The phone numbers in `text`; candidates beyond the budget are redacted. Linear in its length."""
    end_of_phone = -1
    for run in RUN.finditer(text):
        for groups in _segments(text, groups_of(text, run)):
            for span in _in_segment(_segment(text, groups, end_of_phone), budget):
                yield span
                end_of_phone = span.end


def _segments(text: str, groups: Sequence[Group]) -> Iterator[Sequence[Group]]:
    """The groups of a run, parted where no phone number goes on; only parts with enough digits."""
    begin = 0
    for place in range(1, len(groups) + 1):
        if place == len(groups) or BREAK.search(text, groups[place - 1].end, groups[place].start):
            if sum(group.size for group in groups[begin:place]) >= FEWEST:
                yield groups[begin:place]
            begin = place


def _segment(text: str, groups: Sequence[Group], end_of_phone: int) -> Segment:
    start = groups[0].start
    before = text[max(0, start - LOOK_BACK) : start]
    of_other = SAYS_OTHER.search(before) is not None
    listed = end_of_phone >= 0 and start - end_of_phone < LOOK_BACK and ALSO.fullmatch(text, end_of_phone, start) is not None
    return Segment(
        text, groups, _excluded(text, groups), listed or (not of_other and SAYS_PHONE.search(before) is not None), of_other
    )


def _excluded(text: str, groups: Sequence[Group]) -> frozenset[int]:
    """The places of the groups that are part of a date, a time, an Internet address or a parcel's number."""
    begin, end = max(0, groups[0].start - LOOK_BACK), groups[-1].end
    found: list[int] = []
    place = 0
    for other in NO_PHONE.finditer(text, begin, end):
        while place < len(groups) and groups[place].end <= other.start():
            place += 1
        while place < len(groups) and groups[place].start < other.end():
            found.append(place)
            place += 1
    return frozenset(found)


def _in_segment(segment: Segment, budget: Budget) -> list[Span]:
    """The choice of phone numbers that covers most of the segment. A number starts where the segment does, behind another number,
    or where `_may_start` allows it.
    """
    count = len(segment.groups)
    behind_number: list[Cover | None] = [Cover(0), *[None] * count]
    best: list[Cover] = [Cover(0)] * (count + 1)
    one_number = _is_one_long_number(segment.groups)
    if not one_number and _trunk_zeros(segment) > budget.left:
        return [_whole(segment)]
    for place in range(count):
        cover = best[place] = _better(behind_number[place], best[place])
        best[place + 1] = _better(best[place + 1], cover)
        kind = _kind(segment, place, behind_number[place] is not None, one_number)
        for last in _ends(segment, place) if kind else ():
            if kind == "without a zero" and _sizes(segment, place, last) not in WITHOUT_ZERO:
                continue
            if not budget.spend():
                return [_whole(segment)]
            if kind and _is_phone(segment, place, last, kind):
                characters = cover.characters + segment.groups[last].end - segment.groups[place].start
                behind_number[last + 1] = _better(behind_number[last + 1], Cover(characters, (place, last), cover))
    return _spans(segment, _better(behind_number[count], best[count]))


def _trunk_zeros(segment: Segment) -> int:
    """How many of the groups a national number may start with: as many candidates at least."""
    return sum(segment.text.startswith("0", group.start) for group in segment.groups)


def _whole(segment: Segment) -> Span:
    return Span(segment.groups[0].start, segment.groups[-1].end, UNEXAMINED)


def _better(one: Cover | None, other: Cover) -> Cover:
    return one if one and one.characters >= other.characters else other


def _spans(segment: Segment, cover: Cover | None) -> list[Span]:
    found: list[Span] = []
    while cover and cover.number:
        first, last = cover.number
        found.append(Span(_start(segment, first, last), segment.groups[last].end, "[phone]"))
        cover = cover.rest
    return found[::-1]


def _start(segment: Segment, first: int, last: int) -> int:
    """Where the number starts, with a plus or a parenthesis that belongs to it."""
    start = segment.groups[first].start
    before = segment.text[max(0, start - 4) : start]
    if first == 0 and (plus := PLUS.search(before)):
        return start - len(before) + plus.start()
    closed = ")" in segment.text[start : segment.groups[last].end]
    return start - 1 if closed and before.endswith("(") else start


def _is_one_long_number(groups: Sequence[Group]) -> bool:
    """Whether all is grouped like one number: by thousands, or in fours as shipment and account numbers are."""
    first, *rest = [group.size for group in groups]
    by_thousands = first <= 3 and set(rest) == {3}
    in_fours = bool(rest) and max(first, rest[-1]) <= 4 and set(rest[:-1]) == {4}
    return by_thousands or in_fours


def _kind(segment: Segment, place: int, is_behind_number: bool, one_number: bool) -> Kind | None:
    """What kind of phone number may start at a group; a cheap test before the numbering plans."""
    text, start = segment.text, segment.groups[place].start
    if place == 0 and PLUS.search(segment.before(4)):
        return "international"
    if place == 0:
        starts = segment.of_phone or not GLUED.search(segment.before(3))
    else:
        starts = is_behind_number or _may_start(segment.gap_before(place), one_number)
    if not starts:
        return None
    if place == 0 and segment.of_other and not (text.startswith(PREFIX, start) and len(segment.groups) > 1):
        return None
    if text.startswith(PREFIX, start):
        return "international"
    if segment.of_phone and is_behind_number:
        return "any"
    if text[start] == "0":
        return "national" if segment.groups[place].size > 1 else None
    return "without a zero" if _sizes(segment, place, place + 1) in FIRST_SIZES else None


def _may_start(gap: str, one_number: bool) -> bool:
    """Whether a phone number may start behind a gap, in front of which there are digits that are none."""
    return "/" in gap or (BLANK.fullmatch(gap) is not None and not one_number)


def _ends(segment: Segment, first: int) -> Iterator[int]:
    """The groups that a number may end with, given its first."""
    longest = LONGEST + len(PREFIX) if segment.text.startswith(PREFIX, segment.groups[first].start) else LONGEST
    total = 0
    for last in range(first, len(segment.groups)):
        total += segment.groups[last].size
        if total > longest or last in segment.excluded:
            return
        if total >= FEWEST and _may_end(segment, last):
            yield last


def _may_end(segment: Segment, last: int) -> bool:
    """Whether what follows a group is no part of its number, and shows no amount or time."""
    end = segment.groups[last].end
    if NOT_BEHIND.match(segment.text, end):
        return False
    if last + 1 < len(segment.groups):
        return not GOES_ON.fullmatch(segment.gap_before(last + 1))
    return not DECIMALS.match(segment.text, end)


def _is_phone(segment: Segment, first: int, last: int, kind: Kind) -> bool:
    written = segment.text[segment.groups[first].start : segment.groups[last].end]
    match kind:
        case "any":
            return True
        case "national":
            return is_national(digits_of(written), TRUNK_ZERO)
        case "international":
            return _is_international(written)
        case "without a zero":
            return _is_without_zero(segment, first, last, written)


def _sizes(segment: Segment, first: int, last: int) -> tuple[int, ...]:
    return tuple([group.size for group in segment.groups[first : last + 1]])


def _is_international(written: str) -> bool:
    digits = digits_of(TRUNK_IN_PARENTHESES.sub("", written))
    return is_international(digits.removeprefix(PREFIX))


def _is_without_zero(segment: Segment, first: int, last: int, written: str) -> bool:
    """By its grouping, its separators and the plans of the regions that write so."""
    sizes = _sizes(segment, first, last)
    gaps = {segment.gap_before(place).removeprefix(")") for place in range(first + 1, last + 1)}
    if sizes not in MIXED_GAPS and len(gaps) > 1:
        return False
    by_thousands = set(sizes) == {3} == {group.size for group in segment.groups}
    if by_thousands and len(segment.groups) % 3:
        return False  # an amount: it looks like a Spanish number but for its other groups
    return is_national(digits_of(written), WITHOUT_ZERO[sizes])
