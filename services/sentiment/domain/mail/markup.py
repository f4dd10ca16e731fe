"""HTML as text. Only known elements count as markup: "<3" and "<order number>" are text.

A parser of whole documents isn't needed, and Python's own takes quadratic time on some malformed input.
"""

import html
import re
from collections.abc import Iterator

INLINE = "a abbr b big center cite code del em font i img input ins label mark o:p q s small span strong sub sup u"
BLOCK = (
    "address article aside body br dd div dl dt fieldset figure footer form h1 h2 h3 h4 h5 h6 header hr html li main nav ol p "
    "pre section table tbody td th thead tr ul"
)
UNREAD = "blockquote head noscript script select style svg template title"
"""Elements whose content the author did not write, or that is not shown."""

NAMES = "|".join(f"{INLINE} {BLOCK} {UNREAD} meta link".split())
TAG = re.compile(
    rf"<(?P<end>/?)(?P<name>{NAMES})(?P<attributes>(?:[\s/][^<>]*+)?)>|<!--|<!doctype[^<>]*+>",
    re.IGNORECASE,
)
QUOTE = re.compile(
    r"gmail_quote|gmail_attr|moz-cite-prefix|yahoo_quoted|protonmail_quote|divRplyFwdMsg|appendonsend|mail-editor-reference"
)
"""Classes and ids of the elements with which mail clients begin the quoted message."""
BLOCKS, NOT_READ = frozenset(BLOCK.split()), frozenset(UNREAD.split())
BLANKS = re.compile(r"[^\S\n]+")
LINES = re.compile(r" ?\n[ \n]*")


def has_markup(text: str) -> bool:
    """Whether a text has an element of HTML."""
    return TAG.search(text) is not None


def without_markup(text: str) -> str:
    """The text of HTML, with a line for each block; without scripts, styles, comments and the quoted message."""
    plain = "".join(html.unescape(part) for part in written_parts(text))
    return LINES.sub("\n", BLANKS.sub(" ", plain)).strip()


def written_parts(text: str) -> Iterator[str]:
    """The parts of an HTML text between its tags, and a line break for each tag of a block, up to a quoted message."""
    at = 0
    unread = ""
    while tag := TAG.search(text, at):
        if not unread:
            yield text[at : tag.start()].replace("\n", " ")
        at = tag.end()
        if tag[0] == "<!--":
            end = text.find("-->", at)
            at = len(text) if end < 0 else end + 3
            continue
        name = (tag["name"] or "").lower()
        if unread:
            unread = "" if name == unread and tag["end"] else unread
        elif not tag["end"] and QUOTE.search(tag["attributes"] or ""):
            return
        elif name in NOT_READ and not tag["end"]:
            unread = name
        elif name in BLOCKS:
            yield "\n"
    if not unread:
        yield text[at:].replace("\n", " ")
