"""Find phone numbers by the world's numbering plans and by the words before them."""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Literal, NamedTuple

from services.ingest.domain.redaction.numbering_plans import is_international, is_national
from services.ingest.domain.redaction.phone_context import (
    ALSO,
    GLUED,
    LOOK_BACK,
    NO_PHONE,
    NOT_BEHIND,
    OTHER_FOLLOWS,
    PHONE_FOLLOWS,
    PLUS,
)
from services.ingest.domain.redaction.searching import (
    DASHES,
    FEWEST,
    GAP,
    UNEXAMINED,
    Budget,
    Group,
    Redaction,
    digits_of,
    groups_of,
    run_pattern,
)

RUN = run_pattern(FEWEST, GAP)
LONGEST = 15
"""Digits of the longest number with its calling code (ITU-T E.164)."""
PREFIX = "00"
"""Written before a calling code instead of a plus."""

TRUNK_ZERO = ("DE", "GB", "FR", "NL", "AT", "CH", "BE", "IT", "SE", "AU")
"""Regions that write a 0 before a national number (in Italy it is part of the number)."""

BREAK = re.compile(r"[\n\r,_|*•]")
"""Characters that never separate the groups of one phone number."""
TRUNK_IN_PARENTHESES = re.compile(r"\(\s?0\s?\)")
GOES_ON = re.compile(rf"[.{DASHES}]")
"""A gap after which the same number continues."""
DECIMALS = re.compile(r"[.,](?!0[1-9]\d)\d")
BLANK = re.compile(r"\s+")

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
"""Groupings of national numbers without a leading 0, with the regions that use them."""
FIRST_SIZES = {sizes[:2] for sizes in WITHOUT_ZERO}
MIXED_GAPS = ((3, 3, 4), (1, 3, 3, 4), (2, 5, 4), (1, 3, 3, 2, 2))
"""Groupings that may mix separators, such as (212) 555-2368."""


class Segment(NamedTuple):
    """Groups of digits that may be one phone number, several or none.

    `excluded` holds the indices of groups that are part of something else. `announces_phone` and `announces_other` tell whether
    the words before the digits announce a phone number, or a number of another kind.
    """

    text: str
    groups: Sequence[Group]
    excluded: frozenset[int]
    announces_phone: bool
    announces_other: bool

    def gap_before(self, place: int) -> str:
        """The separator before a group."""
        return self.text[self.groups[place - 1].end : self.groups[place].start] if place else ""

    def before(self, length: int) -> str:
        """At most `length` characters before the first group."""
        start = self.groups[0].start
        return self.text[max(0, start - length) : start]


class Cover(NamedTuple):
    """A choice of phone numbers among the first groups, as a linked list.

    `characters` is the total length of the numbers, `number` the last one as (first group, last group), `rest` those before it.
    """

    characters: int
    number: tuple[int, int] | None = None
    rest: "Cover | None" = None


def find(text: str, budget: Budget) -> Iterator[Redaction]:
    """Find the phone numbers in `text`. Candidates beyond the budget are redacted. Linear time."""
    end_of_phone = -1
    for run in RUN.finditer(text):
        for groups in _segments(text, groups_of(text, run)):
            for redaction in _in_segment(_segment(text, groups, end_of_phone), budget):
                yield redaction
                end_of_phone = redaction.end


def _segments(text: str, groups: Sequence[Group]) -> Iterator[Sequence[Group]]:
    """Split the groups of a run where no phone number can continue. Parts with too few digits are left out."""
    begin = 0
    for place in range(1, len(groups) + 1):
        if place == len(groups) or BREAK.search(text, groups[place - 1].end, groups[place].start):
            if sum(group.size for group in groups[begin:place]) >= FEWEST:
                yield groups[begin:place]
            begin = place


def _segment(text: str, groups: Sequence[Group], end_of_phone: int) -> Segment:
    start = groups[0].start
    before = text[max(0, start - LOOK_BACK) : start]
    announces_other = OTHER_FOLLOWS.search(before) is not None
    listed = end_of_phone >= 0 and start - end_of_phone < LOOK_BACK and ALSO.fullmatch(text, end_of_phone, start) is not None
    announces_phone = listed or (not announces_other and PHONE_FOLLOWS.search(before) is not None)
    return Segment(text, groups, _excluded(text, groups), announces_phone, announces_other)


def _excluded(text: str, groups: Sequence[Group]) -> frozenset[int]:
    """The indices of the groups that are part of a date, a time, an IP address or a parcel number."""
    begin, end = max(0, groups[0].start - LOOK_BACK), groups[-1].end
    excluded: list[int] = []
    place = 0
    for other in NO_PHONE.finditer(text, begin, end):
        while place < len(groups) and groups[place].end <= other.start():
            place += 1
        while place < len(groups) and groups[place].start < other.end():
            excluded.append(place)
            place += 1
    return frozenset(excluded)


def _in_segment(segment: Segment, budget: Budget) -> list[Redaction]:
    """The choice of phone numbers that covers most characters of the segment, by dynamic programming over its groups.

    A number starts at the start of the segment, behind another number, or where `_may_start` allows it.
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
    return _redactions(segment, _better(behind_number[count], best[count]))


def _trunk_zeros(segment: Segment) -> int:
    """The number of groups that start with 0. Each is at least one candidate."""
    return sum(segment.text.startswith("0", group.start) for group in segment.groups)


def _whole(segment: Segment) -> Redaction:
    return Redaction(segment.groups[0].start, segment.groups[-1].end, UNEXAMINED)


def _better(one: Cover | None, other: Cover) -> Cover:
    return one if one and one.characters >= other.characters else other


def _redactions(segment: Segment, cover: Cover | None) -> list[Redaction]:
    numbers: list[Redaction] = []
    while cover and cover.number:
        first, last = cover.number
        numbers.append(Redaction(_start(segment, first, last), segment.groups[last].end, "[phone]"))
        cover = cover.rest
    return numbers[::-1]


def _start(segment: Segment, first: int, last: int) -> int:
    """The start of the number, including its plus or opening parenthesis."""
    start = segment.groups[first].start
    before = segment.text[max(0, start - 4) : start]
    if first == 0 and (plus := PLUS.search(before)):
        return start - len(before) + plus.start()
    closed = ")" in segment.text[start : segment.groups[last].end]
    return start - 1 if closed and before.endswith("(") else start


def _is_one_long_number(groups: Sequence[Group]) -> bool:
    """Whether the grouping is that of one long number: by thousands, or in fours like shipment and account numbers."""
    first, *rest = [group.size for group in groups]
    by_thousands = first <= 3 and set(rest) == {3}
    in_fours = bool(rest) and max(first, rest[-1]) <= 4 and set(rest[:-1]) == {4}
    return by_thousands or in_fours


def _kind(segment: Segment, place: int, is_behind_number: bool, one_number: bool) -> Kind | None:
    """The kind of phone number that may start at a group. A cheap check before the numbering plans."""
    text, start = segment.text, segment.groups[place].start
    if place == 0 and PLUS.search(segment.before(4)):
        return "international"
    if place == 0:
        starts = segment.announces_phone or not GLUED.search(segment.before(3))
    else:
        starts = is_behind_number or _may_start(segment.gap_before(place), one_number)
    if not starts:
        return None
    if place == 0 and segment.announces_other and not (text.startswith(PREFIX, start) and len(segment.groups) > 1):
        return None
    if text.startswith(PREFIX, start):
        return "international"
    if segment.announces_phone and is_behind_number:
        return "any"
    if text[start] == "0":
        return "national" if segment.groups[place].size > 1 else None
    return "without a zero" if _sizes(segment, place, place + 1) in FIRST_SIZES else None


def _may_start(gap: str, one_number: bool) -> bool:
    """Whether a phone number may start after a gap that follows other digits."""
    return "/" in gap or (BLANK.fullmatch(gap) is not None and not one_number)


def _ends(segment: Segment, first: int) -> Iterator[int]:
    """The groups with which a number that starts at `first` may end."""
    longest = LONGEST + len(PREFIX) if segment.text.startswith(PREFIX, segment.groups[first].start) else LONGEST
    total = 0
    for last in range(first, len(segment.groups)):
        total += segment.groups[last].size
        if total > longest or last in segment.excluded:
            return
        if total >= FEWEST and _may_end(segment, last):
            yield last


def _may_end(segment: Segment, last: int) -> bool:
    """Whether a number may end at this group: no digits of it, no unit and no time follow."""
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
    """Whether the groups are a national number without a leading 0, by grouping, separators and numbering plans."""
    sizes = _sizes(segment, first, last)
    gaps = {segment.gap_before(place).removeprefix(")") for place in range(first + 1, last + 1)}
    if sizes not in MIXED_GAPS and len(gaps) > 1:
        return False
    by_thousands = set(sizes) == {3} == {group.size for group in segment.groups}
    if by_thousands and len(segment.groups) % 3:
        return False  # an amount: it looks like a Spanish number except for its other groups
    return is_national(digits_of(written), WITHOUT_ZERO[sizes])
