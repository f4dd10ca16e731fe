"""The transformer's network as files: an ONNX graph of eight-bit numbers, run by onnxruntime, and its tokenizer."""

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

E5 = MODELS / "e5-2.onnx"
PAD = 1
LONGEST = 160
"""Pieces of words that are read of one text; those longer than 300 characters come by sentence, of some 60 pieces."""
STEP = 4
"""A text is padded to a multiple of so many pieces, whoever is in its batch: sums of floats depend on how many there are."""
BATCH, TEXTS = 256, 8
"""Pieces and texts that are multiplied together at most, padding included: twice as many are 5 % faster and take 4 MB more."""


class OnnxNetwork:
    """One session in one thread: how many texts are read at once is for the caller to say."""

    def __init__(self, path: Path) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.enable_mem_pattern = False  # a plan of memory for each shape met is 12 MB, and saves no time
        options.log_severity_level = 3
        self._session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
        self._tokenizer = Tokenizer.from_file(str(tokenizer_of(path)))
        self._tokenizer.enable_truncation(LONGEST)
        self.facts: dict[str, str] = self._session.get_modelmeta().custom_metadata_map

    def __call__(self, texts: Sequence[str]) -> Outcome:
        ids = [self._tokenizer.encode(text).ids for text in texts]
        order = sorted(range(len(ids)), key=lambda place: len(ids[place]))
        found = [self._session.run(("logits", "meaning"), padded(batch)) for batch in batches([ids[place] for place in order])]
        back = np.argsort(order)
        logits, meanings = (np.concatenate(column)[back] for column in zip(*found, strict=True))
        return Outcome(logits, meanings)


def batches(ids: Sequence[list[int]]) -> Iterator[Sequence[list[int]]]:
    """Texts, the shortest first: together are those of one padded length, as many as have BATCH pieces, TEXTS at most."""
    start = 0
    for end in range(1, len(ids) + 1):
        size = room(ids[start])
        if end == len(ids) or room(ids[end]) != size or end - start == TEXTS or size * (end + 1 - start) > BATCH:
            yield ids[start:end]
            start = end


def room(text: list[int]) -> int:
    """The length to which a text is padded."""
    return -(-len(text) // STEP) * STEP


def padded(batch: Sequence[list[int]]) -> dict[str, NDArray[np.int64]]:
    """Texts of one padded length as the arrays that the graph takes."""
    ids = np.full((len(batch), room(batch[0])), PAD, np.int64)
    for row, text in zip(ids, batch, strict=True):
        row[: len(text)] = text
    return {"ids": ids, "mask": (ids != PAD).astype(np.int64)}


def tokenizer_of(path: Path) -> Path:
    """The tokenizer's file, beside the graph's."""
    return path.with_suffix(".tokenizer.json")


def read_transformer(path: Path = E5) -> TransformerScorer:
    """The transformer in its files. Raises BrokenModel."""
    try:
        network = OnnxNetwork(path)
        facts = facts_of(network.facts)
    except Exception as error:
        raise BrokenModel(f"{path.name}: {type(error).__name__}") from error
    return TransformerScorer(network, facts)


def facts_of(told: dict[str, str]) -> TransformerFacts:
    """What the graph's file says of the model. Raises KeyError and ValueError."""
    return TransformerFacts(
        model=Model(told["id"], told["version"]),
        temperature=float(told["temperature"]),
        manner=Manner(pole=float(told["pole"]), long=int(told["long"])),
        near=float(told["near"]),
    )
