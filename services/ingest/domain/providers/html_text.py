"""The text of messages that tools send as HTML."""

import html
import re

BREAK = re.compile(r"<(?:br|/p|/div|/li|/h[1-6]|/tr|/blockquote)\b[^<>]*>", re.IGNORECASE)
TAG = re.compile(r"<[^<>]*>")


def plain_text(body: object) -> str:
    """The text of an HTML body, with line breaks. Empty if it has none."""
    if not isinstance(body, str):
        return ""
    text = html.unescape(TAG.sub("", BREAK.sub("\n", body)))
    return "\n".join(" ".join(line.split()) for line in text.splitlines()).strip().replace("\0", "")
