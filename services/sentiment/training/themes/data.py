"""Our own labelled words as files: `gold.jsonl`, comments to judge by."""

from pathlib import Path
from typing import Literal

import msgspec

HERE = Path(__file__).parent


class GoldComment(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A comment and the themes a human found in it, each with its polarity; labelled before any model saw it."""

    text: str
    lang: str
    themes: dict[str, Literal["neg", "neu", "pos"]]


def gold() -> list[GoldComment]:
    """The comments to judge by. Nothing may be learnt from them, and no threshold chosen by them."""
    decode = msgspec.json.Decoder(GoldComment).decode
    return [decode(line) for line in (HERE / "gold.jsonl").read_bytes().splitlines()]
