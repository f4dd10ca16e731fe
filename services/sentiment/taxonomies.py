"""The taxonomy that ships: the themes of a tenant who hasn't set any."""

from pathlib import Path

import msgspec

from services.sentiment.weights import MODELS, BrokenModel
from shared.taxonomy import Taxonomy

DEFAULT = MODELS / "taxonomy.json"


def read_default(path: Path = DEFAULT) -> Taxonomy:
    """The taxonomy of revision 0, from its file at every call. Raises BrokenModel."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=Taxonomy)
    except (OSError, msgspec.DecodeError) as error:
        raise BrokenModel(f"{path.name}: {type(error).__name__}") from error
