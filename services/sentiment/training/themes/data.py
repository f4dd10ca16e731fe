"""Our own labelled texts: `gold.jsonl` and `gold_2.jsonl` for evaluation, `pieces/FIELD.LANGUAGE.toml` for training.

docs/labelling.md is the guide by which they are labelled.
"""

import tomllib
from pathlib import Path
from typing import Literal, NamedTuple

import msgspec

from shared.events import Urgency
from shared.taxonomy import Taxonomy

HERE = Path(__file__).parent
NONE = "none"
"""The theme of a piece without any theme."""


class GoldComment(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A comment with its themes and their polarity, labelled by a human before any model scored it."""

    text: str
    lang: str
    themes: dict[str, Literal["neg", "neu", "pos"]]


class LabelledComment(GoldComment, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A gold comment with its label, the reasons why it is urgent, and whether it praises and complains."""

    label: Literal["neg", "neu", "pos"]
    mixed: bool
    urgency: tuple[Urgency, ...]


class Piece(NamedTuple):
    """A piece of a comment, as `domain.reading.pieces` splits them, and its theme, or NONE."""

    text: str
    theme: str
    lang: str


def gold() -> list[GoldComment]:
    """The comments for evaluation. They must be used neither for training nor for thresholds."""
    decode = msgspec.json.Decoder(GoldComment).decode
    return [decode(line) for line in (HERE / "gold.jsonl").read_bytes().splitlines()]


def newer_gold() -> list[LabelledComment]:
    """200 further comments for evaluation alone, labelled by docs/labelling.md before any model scored them."""
    decode = msgspec.json.Decoder(LabelledComment).decode
    return [decode(line) for line in (HERE / "gold_2.jsonl").read_bytes().splitlines()]


def pieces() -> list[Piece]:
    """The training pieces: of the default taxonomy, of `elsewhere()`, and of no theme."""
    return [piece for file in sorted((HERE / "pieces").glob("*.toml")) for piece in pieces_of(file)]


def pieces_of(file: Path) -> list[Piece]:
    """The pieces of one field in one language, as the file's name says: `customer_service.de.toml`."""
    lang = file.stem.rpartition(".")[2]
    return [Piece(text, theme, lang) for theme, texts in tomllib.loads(file.read_text()).items() for text in texts]


def elsewhere() -> Taxonomy:
    """Themes of other fields (hotels, phones, courses, …), without examples: they keep the head from knowing ours alone.

    They overlap with ours (a hotel's noise is of its premises too), so hold a piece only against the themes of its own field.
    """
    return msgspec.json.decode((HERE / "elsewhere.json").read_bytes(), type=Taxonomy)
