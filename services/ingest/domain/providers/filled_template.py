"""A template of ours in JSON that the tool filled in, one field on each line.

It is not documented whether the tools escape values; Zendesk does not. So a value may hold a quote, and the text of a customer,
which comes last, may have several lines. Such a body is repaired before it is parsed. A body without escapes may also be JSON by
chance, or because its author wrote fields into a text or a name: each line is one field, and all that follows the key of the text
is text.
"""

import re
from typing import Any

from services.ingest.domain.providers.payload import Unusable, parse_object

CONTROL = re.compile(rb"[\x00-\x1f]")
"""Characters that a JSON string holds as escapes only."""
VALUE_LINE = re.compile(rb'^( *"[a-z_]+": ")(.*)(",?\r?)$', re.MULTILINE)
FIELD_LINE = re.compile(rb'^[ \t]*"[^"\n]*"[ \t]*:', re.MULTILINE)


def parse_filled(body: bytes, mark: str, text_key: str = "text") -> dict[str, Any]:
    """The JSON object in `body`. If it is made from a template, which the key `mark` says, its values may lack escapes.

    `text_key` is the key of the template's last line. Raises Unusable if the body is neither JSON nor a template.
    """
    try:
        payload = parse_object(body)
    except Unusable:
        if f'"{mark}"'.encode() not in body:
            raise
        return _repaired(body, text_key)
    is_filled = mark in payload and text_key in payload
    return _repaired(body, text_key) if is_filled and _states_more(body, payload, mark, text_key) else payload


def _states_more(body: bytes, payload: dict[str, Any], mark: str, text_key: str) -> bool:
    """Whether a template states a field behind its text, or several on one line although `mark` has a line of its own."""
    if next(reversed(payload)) != text_key:
        return True
    head, _, _ = body.partition(_begin_of(text_key))
    has_lines = re.match(rb'\s*{\s*\n\s*"%b":[^,\n]*,\s*\n' % mark.encode(), head) is not None
    return has_lines and len(FIELD_LINE.findall(head)) != len(payload) - 1


def _begin_of(text_key: str) -> bytes:
    return f'"{text_key}": "'.encode()


def _repaired(body: bytes, text_key: str) -> dict[str, Any]:
    """The fields of a template whose values are not escaped. Raises Unusable if it is none."""
    begin = _begin_of(text_key)
    head, separator, rest = body.partition(begin)
    text, quote, end = rest.rpartition(b'"')
    if not separator or not quote or end.strip() != b"}":
        raise Unusable(f"the body is no JSON; its {text_key} must come last, as in Earshot's template", "malformed_body")
    payload = parse_object(VALUE_LINE.sub(_with_escapes, head) + begin + b'"}')
    return payload | parse_object(b"{" + begin + _escaped(text) + b'"}')


def _with_escapes(line: re.Match[bytes]) -> bytes:
    return line[1] + _escaped(line[2]) + line[3]


def _escaped(text: bytes) -> bytes:
    """The text with the escapes of a JSON string."""
    quoted = text.replace(b"\\", b"\\\\").replace(b'"', b'\\"')
    return CONTROL.sub(lambda character: b"\\u%04x" % ord(character[0]), quoted)
