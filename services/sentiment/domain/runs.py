"""Runs of characters on which Unicode's normalisation and the look-up of emoji take time that grows with the square of the run.

No written language and no emoji has such runs. To shorten them leaves every other text as it is.
"""

import re
import unicodedata

MOST_MARKS = 30
"""Combining marks in a row, as in Unicode's stream-safe text format (UAX #15)."""
JOINER = "\u200d"
MOST_JOINTS = 8
"""Joiners in one chain of emoji. The longest emoji have three."""


def _is_mark(sign: str) -> bool:
    """Whether normalisation may have to move `sign`: its decomposition begins with a character of a combining class."""
    return unicodedata.category(sign)[0] == "M" and unicodedata.combining(unicodedata.normalize("NFKD", sign)[0]) != 0


MARK = f"[{''.join(filter(_is_mark, map(chr, range(0x300, 0x1F000))))}]"
LONG_MARKS = re.compile(f"({MARK}{{{MOST_MARKS}}}){MARK}++")
LONG_CHAIN = re.compile(rf"(?:[^\s{JOINER}]{{1,10}}+{JOINER}){{{MOST_JOINTS},}}+")


def with_few_marks(text: str) -> str:
    """`text` with at most MOST_MARKS combining marks in a row."""
    return text if text.isascii() else LONG_MARKS.sub(r"\1", text)


def without_long_chains(text: str) -> str:
    """`text` without the joiners of chains that are longer than any emoji."""
    return LONG_CHAIN.sub(lambda chain: chain[0].replace(JOINER, ""), text) if JOINER in text else text
