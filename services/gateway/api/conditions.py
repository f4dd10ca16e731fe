"""Conditional requests (RFC 9110, 13.1.2)."""

import re

TAG = re.compile(r'(?:W/)?("[\x21\x23-\x7e]*")')


def tags(if_none_match: str | None) -> list[str]:
    """The entity tags of an `If-None-Match`, weak ones as their strong twins, since it compares weakly. `*` names none."""
    return TAG.findall(if_none_match or "")


def matches(if_none_match: str | None, tag: str) -> bool:
    """Whether the client holds just this representation."""
    return tag in tags(if_none_match)


def weak(tag: str) -> str:
    """The entity tag as a weak one (RFC 9110, 8.8.1): what it names may differ in bytes that don't matter to the client."""
    return f"W/{tag}"
