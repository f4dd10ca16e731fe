"""Telling phone numbers from the other numbers that customers write, by the numbering plans of the world (phonenumbers)."""

import re

import phonenumbers

PHONE = re.compile(r"(?<![\w#/.,-])(?:\+|\(\+?)?\d(?:[ ./()\u00a0\u2010-\u2015-]{0,3}\d){6,16}(?![\w]|[.,:/-]\d)")
"""Seven to seventeen digits in groups that people write; judged by `is_phone`."""

TRUNK_ZERO = ("DE", "GB", "FR", "NL", "AT", "CH", "BE", "IT", "SE", "AU", "PL")
"""Where a national number is written with a 0 before it (in Italy it belongs to the number)."""

NORTH_AMERICAN = re.compile(r"(?:1[ .-])?(?:\([2-9]\d\d\) ?|[2-9]\d\d[ .-])\d{3}[ .-]\d{4}")
IBERIAN = re.compile(r"[6-9]\d\d([ .-])(?:\d{3}\1\d{3}|\d\d\1\d\d\1\d\d)")
DATE = re.compile(r"(?<![\d./-])\d{1,4}([./-])\d{1,2}\1\d{1,4}(?![\d/-]|\.\d)")
SAYS_PHONE = re.compile(
    r"\b(?:call|phone|tel|mobil|cell|ring|text me|whatsapp|handy|telefon|anruf|fax|teléf|télé)[^\d\n]{0,20}\Z",
    re.IGNORECASE,
)
SAYS_OTHER = re.compile(
    r"(?:#|\b(?:order|invoice|ticket|case|ref|reference|tracking|parcel|shipment|serial|article|item|account|customer|sku|id|isbn|ean|"
    r"version|bestell\w*|rechnung\w*|auftrag\w*|kunden\w*|sendung\w*|artikel\w*|vorgang\w*|commande|pedido|factura)"
    r"[ .:#-]{0,3}(?:(?:no|nr|num|number|nummer|id|is|was|ist)[ .:#-]{0,3}){0,2})\Z",
    re.IGNORECASE,
)
LOOK_BACK = 40


def is_phone(match: re.Match[str]) -> bool:
    """Whether what PHONE found is a phone number, given what stands before it."""
    written = match[0]
    before = match.string[max(0, match.start() - LOOK_BACK) : match.start()]
    if written.startswith(("+", "(+", "00")):
        return _valid("+" + re.sub(r"\D", "", written.replace("(0)", "")).removeprefix("00"), None)
    if DATE.search(written) or SAYS_OTHER.search(before):
        return False
    return bool(SAYS_PHONE.search(before)) or _national(written)


def _national(written: str) -> bool:
    if written.lstrip("(").startswith("0"):
        return any(_valid(written, region) for region in TRUNK_ZERO)
    if NORTH_AMERICAN.fullmatch(written):
        return _valid(written, "US")
    return bool(IBERIAN.fullmatch(written)) and (_valid(written, "ES") or _valid(written, "PT"))


def _valid(number: str, region: str | None) -> bool:
    try:
        return bool(phonenumbers.is_valid_number(phonenumbers.parse(number, region)))
    except phonenumbers.NumberParseException:
        return False
