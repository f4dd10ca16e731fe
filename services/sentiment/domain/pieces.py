"""A comment in pieces: its sentences, and the halves of those that turn round at a "but"."""

import re

BLANKS = re.compile(r"[^\S\n]+")
"""A run of them is one: the patterns below would try every place in it."""
LINES = re.compile(r" ?\n[ \n]*")
END = re.compile(r"(?<=[.!?؟…])[\"')\]]*\s+(?=\S)|\n| ?;\s+")
FRENCH = r"mais(?=\s+(?:les?|la|l'\w|une?|des|du|ils?|elles?|on|je|j'\w|nous|vous|c'\w|ce|ça|trop|très|pas|peu|sans|pour|avec)\b)"
ITALIAN = r"ma(?=\s+(?:il|la|lo|i|gli|le|l'\w|una?|non|è|troppo|poco|molto|purtroppo|con|senza|per|si|ci|mi)\b)"
PORTUGUESE = r"mas(?=\s+(?:o|os|as?|não|uma?|é|foi|muito|pouco|sem|com|ainda|infelizmente|eu)\b)"
"""Each is another word in another language ("more", "my"): without a comma it turns only before words of its own."""
TURN = re.compile(
    r"(?:,?\s+(?:but|however|although|though|aber|jedoch|allerdings|trotzdem|cependant|pero|sin embargo|aunque|però|tuttavia|"
    rf"porém|maar|echter|لكن|ولكن|{FRENCH}|{ITALIAN}|{PORTUGUESE})|,\s+(?:mais|ma|mas))\s+",
    re.IGNORECASE,
)
LONGEST = 300
"""Characters of a piece; a longer one, of somebody who uses no full stops, is cut at a blank."""
SHORTEST = 8
"""Characters of a piece that stands for itself; a shorter one ("Hi.", "Nr.") belongs to the one before."""


def pieces(text: str) -> list[str]:
    """The pieces of a text, in order. At least one, unless the text is blank."""
    even = LINES.sub("\n", BLANKS.sub(" ", text))
    parts = [part.strip() for sentence in END.split(even) for turned in TURN.split(sentence) for part in cut(turned)]
    found: list[str] = []
    for part in filter(None, parts):
        if found and (len(part) < SHORTEST or len(found[-1]) < SHORTEST):
            found[-1] += f" {part}"
        else:
            found.append(part)
    return found


def cut(text: str) -> list[str]:
    """A text in parts of at most LONGEST characters, words whole where they can be."""
    found: list[str] = []
    while len(text) > LONGEST:
        end = text.rfind(" ", 1, LONGEST)
        end = end if end > 0 else LONGEST
        found.append(text[:end])
        text = text[end:]
    return [*found, text]
