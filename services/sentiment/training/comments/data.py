"""Our own whole comments, one file for each language: `LANGUAGE.jsonl`.

Language models wrote them for this purpose and labelled them by docs/labelling.md. They had seen none of the comments on which
figures are measured; comments that were nearly equal to one of those by chance were removed. No native speaker has read those
in other languages than English. A fifth, chosen by the hash of its text, is held out from training, for thresholds; eight of
those share three fifths of their words with one to learn from.
"""

from hashlib import sha256
from pathlib import Path

import msgspec

from services.sentiment.training.themes.data import LabelledComment

HERE = Path(__file__).parent
HELD_OUT = 5
"""One comment in so many is held out."""


def comments(held_out: bool) -> list[LabelledComment]:
    """The comments to learn from, or those for thresholds, file by file."""
    decode = msgspec.json.Decoder(LabelledComment).decode
    everything = [decode(line) for file in sorted(HERE.glob("*.jsonl")) for line in file.read_bytes().splitlines()]
    return [comment for comment in everything if is_held_out(comment.text) == held_out]


def is_held_out(text: str) -> bool:
    """Whether the comment with this text is held out."""
    return int.from_bytes(sha256(text.encode()).digest()[:4], "big") % HELD_OUT == 0
