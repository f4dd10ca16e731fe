"""A comment in pieces: its sentences, and the halves of those that turn round at a "but"."""

import re

END = re.compile(r"(?<=[.!?؟…])[\"')\]]*\s+(?=\S)|\s*\n+\s*|\s*;\s+")
TURN = re.compile(
    r",?\s+(?:but|however|although|though|aber|jedoch|allerdings|trotzdem|mais|cependant|pero|sin embargo|aunque|però|ma|"
    r"tuttavia|mas|porém|maar|echter|لكن|ولكن)\s+",
    re.IGNORECASE,
)
SHORTEST = 8
"""Characters of a piece that stands for itself; a shorter one ("Hi.", "Nr.") belongs to the one before."""


def pieces(text: str) -> list[str]:
    """The pieces of a text, in order. At least one, unless the text is blank."""
    parts = [part.strip() for sentence in END.split(text) for part in TURN.split(sentence)]
    found: list[str] = []
    for part in filter(None, parts):
        if found and (len(part) < SHORTEST or len(found[-1]) < SHORTEST):
            found[-1] += f" {part}"
        else:
            found.append(part)
    return found
