"""Find e-mail addresses, including ones written with "(at)", in words, percent-encoded, quoted or in other scripts."""

import re
from collections.abc import Iterator

from services.ingest.domain.redaction.searching import Redaction

AT = r"(?:[@﹫]\s?|\s@\s|%40|&#64;|&commat;|[(\[{]a[)\]}]|\s?[(\[{]\s?(?:at|ät|@)\s?[)\]}]\s?)"
DOT = r"(?:[.。．｡]|\s?[(\[{]\s?(?:dot|punkt|point|punto)\s?[)\]}]\s?)"
TOP_LEVEL = r"(?:xn--[a-z0-9-]{1,59}|[^\W\d_]{2,24})"
SPELLED = (
    r"\s(?:at\s(?:[\w-]{1,63}+\s(?:dot|punkt)\s){1,4}|arobase\s(?:[\w-]{1,63}+\spoint\s){1,4}|"
    r"(?:arroba|chiocciola)\s(?:[\w-]{1,63}+\s(?:punto|ponto)\s){1,4})[a-z]{2,24}\b"
)
"""In words: "jane at example dot com". The words for @ and dot must be of one language."""
DOMAIN = re.compile(
    rf"{AT}(?:(?:[^\W_][\w\u0300-\u036f-]{{0,62}}+{DOT}){{1,8}}{TOP_LEVEL}|\[(?:ipv6:)?[0-9a-f:.]{{2,45}}\])|{SPELLED}",
    re.IGNORECASE,
)
HINT = re.compile(r"[@﹫]|%40|&#64;|&commat;|[(\[{]\s?(?:at?|ät)\s?[)\]}]|\s(?:dot|punkt|point|punto|ponto)\s", re.IGNORECASE)
ASCII_HINTS = ("@", "%40", "&", "(", "[", "{", "dot", "punkt", "point", "punto", "ponto")
"""Parts of a text in ASCII and lower case, one of which HINT needs. Most comments hold none, and this is ten times faster."""
LONGEST_LOCAL_PART = 256
"""Characters. RFC 5321 allows 64; a longer one is redacted too."""
LOCAL_PART_REVERSED = re.compile(r'"(?:[^"\n]|"\\){1,256}"|[^\s@﹫<>()\[\],;:"“”„«»]+')
"""The local part, matched from the at sign to the left. RFC 5322 allows more than letters and digits."""


def find(text: str) -> Iterator[Redaction]:
    """Find the addresses in `text`. Linear time."""
    if not may_hold_address(text):
        return
    end = 0
    for domain in DOMAIN.finditer(text):
        before = text[max(end, domain.start() - LONGEST_LOCAL_PART) : domain.start()][::-1]
        if local := LOCAL_PART_REVERSED.match(before):
            yield Redaction(domain.start() - local.end(), domain.end(), "[email]")
            end = domain.end()


def may_hold_address(text: str) -> bool:
    """Whether `text` holds an at sign in any form, or a dot in words."""
    if text.isascii():
        lower = text.lower()
        if not any(part in lower for part in ASCII_HINTS):
            return False
    return HINT.search(text) is not None
