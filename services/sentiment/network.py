"""Run the transformer's network: an ONNX graph with 8-bit weights in onnxruntime, and its tokenizer."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import onnxruntime
from numpy.typing import NDArray
from tokenizers import Tokenizer

from services.sentiment.domain.reading import Manner
from services.sentiment.domain.scorer import Model
from services.sentiment.domain.transformer import Outcome, TransformerFacts, TransformerScorer
from services.sentiment.weights import MODELS, BrokenModel

E5 = MODELS / "e5-4.onnx"
PREVIOUS_E5 = MODELS / "e5-2.onnx"
"""The model before it, which scores until every tenant uses the new one."""
OUTPUTS = ("logits", "meaning", "both", "urgent")
"""The graph's outputs in the order of Outcome. e5-2 has only the first two."""
PAD = 1
MAX_TOKENS = 160
"""Tokens of a text that are read. Texts of more than 300 characters come by sentence, of about 60 tokens."""
STEP = 4
"""Texts are padded to a multiple of so many tokens, whatever else is in the batch: float sums depend on the padding."""
BATCH, TEXTS = 256, 8
"""Tokens with padding, and texts, of one call at most: twice as many are 5 % faster and take 4 MB more."""


class OnnxNetwork:
    """One onnxruntime session with one thread; callers run several for parallel work."""

    def __init__(self, path: Path) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.enable_mem_pattern = False  # the memory plans of all shapes take 12 MB and save no time
        options.log_severity_level = 3
        self._session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
        self._tokenizer = Tokenizer.from_file(str(tokenizer_of(path)))
        self._tokenizer.enable_truncation(MAX_TOKENS)
        self._outputs = [name for name in OUTPUTS if name in {output.name for output in self._session.get_outputs()}]
        self.facts: dict[str, str] = self._session.get_modelmeta().custom_metadata_map

    def __call__(self, texts: Sequence[str]) -> Outcome:
        ids = [self._tokenizer.encode(text).ids for text in texts]
        order = sorted(range(len(ids)), key=lambda place: len(ids[place]))
        outputs = [self._session.run(self._outputs, padded(batch)) for batch in batches([ids[place] for place in order])]
        back = np.argsort(order)
        return Outcome(*(np.concatenate(column)[back] for column in zip(*outputs, strict=True)))


def batches(ids: Sequence[list[int]]) -> Iterator[Sequence[list[int]]]:
    """Batches of texts of one padded length, from texts sorted by length: at most BATCH tokens and TEXTS texts."""
    start = 0
    for end in range(1, len(ids) + 1):
        size = padded_length(ids[start])
        if end == len(ids) or padded_length(ids[end]) != size or end - start == TEXTS or size * (end + 1 - start) > BATCH:
            yield ids[start:end]
            start = end


def padded_length(text: list[int]) -> int:
    """The number of tokens to which a text is padded."""
    return -(-len(text) // STEP) * STEP


def padded(batch: Sequence[list[int]]) -> dict[str, NDArray[np.int64]]:
    """The input arrays of the graph for texts of one padded length."""
    ids = np.full((len(batch), padded_length(batch[0])), PAD, np.int64)
    for row, text in zip(ids, batch, strict=True):
        row[: len(text)] = text
    return {"ids": ids, "mask": (ids != PAD).astype(np.int64)}


def tokenizer_of(path: Path) -> Path:
    """The path of the tokenizer, beside the graph."""
    return path.with_suffix(".tokenizer.json")


def read_transformer(path: Path = E5) -> TransformerScorer:
    """Load the transformer. Raises BrokenModel if its files are missing or malformed."""
    try:
        network = OnnxNetwork(path)
        facts = facts_of(network.facts)
    except Exception as error:
        raise BrokenModel(f"{path.name}: {type(error).__name__}") from error
    return TransformerScorer(network, facts)


def facts_of(metadata: dict[str, str]) -> TransformerFacts:
    """The parameters in the graph's metadata. Raises KeyError or ValueError if one is missing or malformed."""
    return TransformerFacts(
        model=Model(metadata["id"], metadata["version"], int(metadata.get("rules", 1))),
        temperature=float(metadata["temperature"]),
        manner=Manner(
            pole=float(metadata["pole"]),
            long=int(metadata["long"]),
            both=float(metadata["both"]) if "both" in metadata else None,
            urgent=float(metadata["urgent"]) if "urgent" in metadata else None,
        ),
        near=float(metadata["near"]),
    )
