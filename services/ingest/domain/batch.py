"""Splits the body of a batch into records without parsing them, so that their number is bounded before they take memory."""

import re

from shared.strict_json import MAX_DEPTH, Malformed

MAX_BRACKETS = 400_000
"""Opening and closing brackets of all records of an array. 5,000 tickets with 20 facts each have 220,000."""

BLANK = b" \t\r\n"

LINE = re.compile(rb"[ \t\r\n]*+([^\n]++)")
"""The next line that is not blank, from its first byte that is not white space."""
START = re.compile(rb"(?:\xef\xbb\xbf)?[ \t\r\n]*+\[")
UP_TO_BRACKET = re.compile(rb'(?:[^"\[\]{}]++|"(?:[^"\\]++|\\.)*+")*+[\[\]{}]', re.DOTALL)
UP_TO_BRACKET_OR_COMMA = re.compile(rb'(?:[^"\[\]{},]++|"(?:[^"\\]++|\\.)*+")*+[\[\]{},]', re.DOTALL)


class TooMany(ValueError):
    """The batch has more records or more brackets than allowed; the message says which."""


def is_array(raw: bytes) -> bool:
    """Whether the first byte that is not white space opens an array."""
    return START.match(raw) is not None


def split_lines(raw: bytes, limit: int) -> list[bytes]:
    """The lines of NDJSON that are not blank. Raises TooMany if there are more than `limit`, without reading the rest."""
    records: list[bytes] = []
    at = 0
    while line := LINE.match(raw, at):
        at = line.end()
        _append(records, line[1].rstrip(BLANK), limit)
    return records


def split_array(raw: bytes, limit: int) -> list[bytes]:
    """The elements of a JSON array as bytes, which are not parsed and may be invalid.

    Raises TooMany if there are more than `limit`, without reading the rest. Raises Malformed if the body is not an array, or if
    its brackets or commas are out of place.
    """
    start = START.match(raw)
    if start is None:
        raise Malformed("an array of records, or one record a line as application/x-ndjson, is expected")
    records: list[bytes] = []
    depth, brackets, begin, at = 1, 0, start.end(), start.end()
    while depth:
        match = (UP_TO_BRACKET if depth > 1 else UP_TO_BRACKET_OR_COMMA).match(raw, at)
        if match is None:
            raise Malformed("not JSON: the array has no end")
        at = match.end()
        mark = raw[at - 1 : at]
        if mark == b",":
            _append(records, _element(raw[begin : at - 1], at), limit)
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
        _append(records, _element(raw[begin : at - 1], at), limit)
    return records


def _append(records: list[bytes], record: bytes, limit: int) -> None:
    if len(records) == limit:
        raise TooMany(f"more than {limit} records")
    records.append(record)


def _element(text: bytes, end: int) -> bytes:
    element = text.strip(BLANK)
    if not element:
        raise Malformed(f"not JSON: a value is missing before byte {end - 1}")
    return element
