"""Read and write the file of the linear model."""

import json
from pathlib import Path
from zipfile import BadZipFile

import numpy as np

from services.sentiment.domain.linear import BINS, LinearModel
from services.sentiment.domain.reading import LABELS, Manner
from services.sentiment.domain.scorer import Model

MODELS = Path(__file__).parent / "models"
LINEAR = MODELS / "linear-2.npz"


class BrokenModel(Exception):
    """The file of a model is missing or malformed."""


def read_linear(path: Path = LINEAR) -> LinearModel:
    """Read a linear model. Raises BrokenModel if the file is missing or malformed."""
    try:
        with path.open("rb") as raw, np.load(raw, allow_pickle=False) as file:
            facts = json.loads(str(file["facts"]))
            weights, idf, bias = file["weights"], file["idf"], file["bias"]
    except (OSError, EOFError, KeyError, TypeError, ValueError, BadZipFile) as error:
        raise BrokenModel(f"{path.name}: {type(error).__name__}") from error
    if weights.shape != (BINS, len(LABELS)) or idf.shape != (BINS,) or (weights.dtype, idf.dtype) != (np.int8, np.uint8):
        raise BrokenModel(f"{path.name}: its arrays have the wrong shape or type")
    return LinearModel(
        model=Model(facts["id"], facts["version"], facts.get("rules", 1)),
        weights=weights,
        weight_unit=facts["weight_unit"],
        idf=idf,
        idf_unit=facts["idf_unit"],
        bias=bias,
        temperature=facts["temperature"],
        manner=Manner(facts["pole"], facts["long"]),
    )


def write_linear(path: Path, trained: LinearModel) -> None:
    """Write a linear model, compressed, since most bins are empty."""
    facts = {
        "id": trained.model.id,
        "version": trained.model.version,
        "rules": trained.model.rules,
        "weight_unit": trained.weight_unit,
        "idf_unit": trained.idf_unit,
        "temperature": trained.temperature,
        "pole": trained.manner.pole,
        "long": trained.manner.long,
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    np.savez_compressed(path, facts=np.array(json.dumps(facts)), weights=trained.weights, idf=trained.idf, bias=trained.bias)
