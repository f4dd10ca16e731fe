"""Splits the body of a batch into its records without parsing them: their number is known before any of them takes memory."""

import re

from shared.strict_json import MAX_DEPTH, Malformed

MAX_BRACKETS = 400_000
"""Opening and closing ones of all records of an array. 5,000 tickets with 20 facts each have 220,000."""

BLANK = b" \t\r\n"

LINE = re.compile(rb"[ \t\r\n]*+([^\n]++)")
"""The next line that is not blank, from its first byte that is not white space."""
START = re.compile(rb"(?:\xef\xbb\xbf)?[ \t\r\n]*+\[")
UP_TO_BRACKET = re.compile(rb'(?:[^"\[\]{}]++|"(?:[^"\\]++|\\.)*+")*+[\[\]{}]', re.DOTALL)
UP_TO_BRACKET_OR_COMMA = re.compile(rb'(?:[^"\[\]{},]++|"(?:[^"\\]++|\\.)*+")*+[\[\]{},]', re.DOTALL)


class TooMany(ValueError):
    """The batch has more records, or more brackets, than are allowed; the message says which."""


def is_array(raw: bytes) -> bool:
    """Whether the first byte that is not white space opens an array."""
    return START.match(raw) is not None


def split_lines(raw: bytes, most: int) -> list[bytes]:
    """The lines of NDJSON that are not blank. TooMany: there are more than `most`; the rest is not looked at."""
    records: list[bytes] = []
    at = 0
    while found := LINE.match(raw, at):
        at = found.end()
        _append(records, found[1].rstrip(BLANK), most)
    return records


def split_array(raw: bytes, most: int) -> list[bytes]:
    """The elements of a JSON array, each as its bytes. They may turn out to be no JSON when they are parsed.

    TooMany: there are more than `most`; the rest is not looked at. Malformed: the body is no array, or its brackets or commas are
    out of place.
    """
    start = START.match(raw)
    if start is None:
        raise Malformed("an array of records, or one record a line as application/x-ndjson, is expected")
    records: list[bytes] = []
    depth, brackets, begin, at = 1, 0, start.end(), start.end()
    while depth:
        found = (UP_TO_BRACKET if depth > 1 else UP_TO_BRACKET_OR_COMMA).match(raw, at)
        if found is None:
            raise Malformed("not JSON: the array has no end")
        at = found.end()
        mark = raw[at - 1 : at]
        if mark == b",":
            _append(records, _element(raw[begin : at - 1], at), most)
            begin = at
            continue
        depth += 1 if mark in b"[{" else -1
        brackets += 1
        if depth > MAX_DEPTH + 1:
            raise Malformed(f"a record is nested more than {MAX_DEPTH} deep")
        if brackets > MAX_BRACKETS:
            raise TooMany(f"more than {MAX_BRACKETS} brackets")
    if raw[at - 1 : at] != b"]" or raw[at:].strip(BLANK):
        raise Malformed(f"not JSON: the array ends at byte {at - 1}, and more follows")
    if records or raw[begin : at - 1].strip(BLANK):
        _append(records, _element(raw[begin : at - 1], at), most)
    return records


def _append(records: list[bytes], record: bytes, most: int) -> None:
    if len(records) == most:
        raise TooMany(f"more than {most} records")
    records.append(record)


def _element(text: bytes, end: int) -> bytes:
    element = text.strip(BLANK)
    if not element:
        raise Malformed(f"not JSON: a value is missing before byte {end - 1}")
    return element
