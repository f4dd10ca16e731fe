"""The text of documents in the Atlassian Document Format (developer.atlassian.com/cloud/jira, *Atlassian Document Format*)."""

from collections.abc import Iterator
from typing import Any

MOST_DEPTH = 20
"""Nested nodes that are read."""
BLOCKS = (
    "paragraph", "heading", "listItem", "blockquote", "codeBlock", "panel", "tableRow", "rule", "mediaSingle", "taskItem",
)  # fmt: skip
"""Nodes that end a line."""
LABELS = {"emoji": "shortName", "mention": "text", "inlineCard": "url", "status": "text"}
"""Nodes without text of their own, with the attribute that a reader sees."""


def text_of(body: object) -> str:
    """The text of a body: a document, or text already. Empty if it has none."""
    if isinstance(body, str):
        return body
    lines = (line.strip() for line in "".join(_pieces(body, MOST_DEPTH)).splitlines())
    return "\n".join(line for line in lines if line).replace("\0", "")


def _pieces(node: Any, depth: int) -> Iterator[str]:
    if not isinstance(node, dict) or depth == 0:
        return
    kind, text, attributes = node.get("type"), node.get("text"), node.get("attrs")
    if kind == "hardBreak":
        yield "\n"
    elif isinstance(text, str):
        yield text
    elif kind in LABELS and isinstance(attributes, dict) and isinstance(label := attributes.get(LABELS[kind]), str):
        yield label
    content = node.get("content")
    for inner in content if isinstance(content, list) else ():
        yield from _pieces(inner, depth - 1)
    if kind in BLOCKS:
        yield "\n"
