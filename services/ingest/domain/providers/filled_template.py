"""A template of ours in JSON that the tool filled in.

It is not documented whether the tools escape values. So if a body is no JSON, each line is repaired: a name may hold a quote, and
`text`, which comes last, may have several lines.
"""

import re
from typing import Any

from services.ingest.domain.providers.payload import Unusable, parse_object

TEXT = b'"text": "'
VALUE_LINE = re.compile(rb'^( *"[a-z_]+": ")(.*)(",?\r?)$', re.MULTILINE)


def parse_filled(body: bytes) -> dict[str, Any]:
    """The JSON object in `body`, with or without escapes in its values. Raises Unusable if it is none."""
    try:
        return parse_object(body)
    except Unusable:
        return _repaired(body)


def _repaired(body: bytes) -> dict[str, Any]:
    """The fields of a template whose values are not escaped. Raises Unusable if it is none."""
    head, mark, rest = body.partition(TEXT)
    text, quote, end = rest.rpartition(b'"')
    if not mark or not quote or end.strip() != b"}":
        raise Unusable("the body is no JSON; its text must come last, as in Earshot's template", "malformed_body")
    payload = parse_object(VALUE_LINE.sub(_with_escapes, head) + mark + b'"}')
    return payload | parse_object(b'{"text": "' + _escaped(text) + b'"}')


def _with_escapes(line: re.Match[bytes]) -> bytes:
    return line[1] + _escaped(line[2]) + line[3]


def _escaped(text: bytes) -> bytes:
    """The text with the escapes of a JSON string."""
    for raw, escaped in ((b"\\", b"\\\\"), (b'"', b'\\"'), (b"\r", b"\\r"), (b"\n", b"\\n"), (b"\t", b"\\t")):
        text = text.replace(raw, escaped)
    return text
