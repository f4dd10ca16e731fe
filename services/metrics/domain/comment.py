"""What a customer said, as it counts and as it is shown."""

from dataclasses import dataclass
from datetime import datetime

from shared.events import text_hash


@dataclass(frozen=True, slots=True)
class Comment:
    """One comment, filed at its own time; `text_hash` is the name under which its scores are found."""

    at: datetime
    text: str
    language: str | None
    text_hash: str


def comment(at: datetime, text: str, language: str | None) -> Comment:
    """The comment that this text is."""
    return Comment(at, text, language, text_hash(text))
