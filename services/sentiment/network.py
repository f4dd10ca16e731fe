"""Run the transformer's network: an ONNX graph with 8-bit weights in onnxruntime, and its tokenizer."""

from collections.abc import Iterator, Mapping, Sequence
from hashlib import file_digest
from pathlib import Path
from typing import NamedTuple

import numpy as np
import onnxruntime
from numpy.typing import NDArray
from tokenizers import Tokenizer

from services.sentiment.domain.reading import Manner
from services.sentiment.domain.scorer import Model
from services.sentiment.domain.themes import BEHIND
from services.sentiment.domain.transformer import Outcome, TransformerFacts, TransformerScorer
from services.sentiment.weights import MODELS, BrokenModel

E5 = MODELS / "e5-7.onnx"
PREVIOUS_E5 = MODELS / "e5-2.onnx"
"""The model of the previous release. It goes on scoring until every tenant uses the new one."""
E5_4, E5_5, E5_6 = MODELS / "e5-4.onnx", MODELS / "e5-5.onnx", MODELS / "e5-6.onnx"
"""The models between them. They were in no release, but installations that follow the main branch may have promoted them."""


class Weights(NamedTuple):
    """A file beside a network's own that holds its weights, and the SHA-256 with which the network was written."""

    name: str
    sha256: str


OF_E5_4 = Weights("e5-4.onnx", "52d50a400f551a4cae196a106ead191a6d3a2bd2f66f18c155cc618ca9f3afdb")
WEIGHTS: Mapping[str, Weights] = {"e5-7.onnx": OF_E5_4, "e5-6.onnx": OF_E5_4, "e5-5.onnx": OF_E5_4}
"""The networks that share weights, and the tokenizer, with another (`training/sharing.py`)."""
OUTPUTS = ("logits", "meaning", "both", "urgent")
"""The graph's outputs in the order of Outcome. e5-2 has only the first two."""
PAD = 1
MAX_TOKENS = 160
"""Tokens of a text that are read. Texts of more than 300 characters come by sentence, of about 60 tokens."""
STEP = 4
"""For a network with a mask, such as e5-2, a text is padded to a multiple of this many tokens. The padding doesn't depend on the
batch, since float sums depend on it. Later networks have no mask: a batch has texts of one length, and nothing is padded."""
BATCH, TEXTS = 128, 8
"""Tokens with padding, and texts, of one call at most; a longer text is read alone. Twice as many tokens take 4 MB more and no
less time, twice as many texts 2 to 4 MB more and at best 5 % less time."""


class OnnxNetwork:
    """One onnxruntime session with one thread; callers run several for parallel work. Raises BrokenModel for wrong weights."""

    def __init__(self, path: Path) -> None:
        check_weights(path)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.enable_mem_pattern = False  # the memory plans of all shapes take 12 MB and save no time
        options.log_severity_level = 3
        self._session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
        self._tokenizer = Tokenizer.from_file(str(tokenizer_of(path)))
        self._tokenizer.enable_truncation(MAX_TOKENS)
        self._step = STEP if "mask" in {one.name for one in self._session.get_inputs()} else 1
        self._outputs = [name for name in OUTPUTS if name in {output.name for output in self._session.get_outputs()}]
        self.facts: dict[str, str] = self._session.get_modelmeta().custom_metadata_map

    def __call__(self, texts: Sequence[str]) -> Outcome:
        places: dict[str, int] = {}
        back = [places.setdefault(text, len(places)) for text in texts]
        ids = [self._tokenizer.encode(text).ids for text in places]
        order = sorted(range(len(ids)), key=lambda place: len(ids[place]))
        cut = batches([ids[place] for place in order], self._step)
        outputs = [self._session.run(self._outputs, inputs_of(batch, self._step)) for batch in cut]
        rows = np.argsort(order)[back]
        return Outcome(*(np.concatenate(column)[rows] for column in zip(*outputs, strict=True)))


def batches(ids: Sequence[list[int]], step: int) -> Iterator[Sequence[list[int]]]:
    """Batches of texts of one padded length, from texts sorted by length: at most BATCH tokens and TEXTS texts, or one."""
    start = 0
    for end in range(1, len(ids) + 1):
        size = padded_length(ids[start], step)
        if end == len(ids) or padded_length(ids[end], step) != size or end - start == TEXTS or size * (end + 1 - start) > BATCH:
            yield ids[start:end]
            start = end


def padded_length(text: list[int], step: int) -> int:
    """The number of tokens to which a text is padded: a multiple of `step`."""
    return -(-len(text) // step) * step


def inputs_of(batch: Sequence[list[int]], step: int) -> dict[str, NDArray[np.int64]]:
    """The input arrays of the graph for texts of one padded length. Without padding there is no mask."""
    if step == 1:
        return {"ids": np.array(batch, np.int64)}
    ids = np.full((len(batch), padded_length(batch[0], step)), PAD, np.int64)
    for row, text in zip(ids, batch, strict=True):
        row[: len(text)] = text
    return {"ids": ids, "mask": (ids != PAD).astype(np.int64)}


def check_weights(path: Path) -> None:
    """Raise BrokenModel if the file with the weights of a network is missing, or is not the one with which it was written."""
    if path.name not in WEIGHTS:
        return
    name, expected = WEIGHTS[path.name]
    try:
        with path.with_name(name).open("rb") as file:
            digest = file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise BrokenModel(f"{path.name}: {name}, which holds its weights, can't be read: {type(error).__name__}") from error
    if digest != expected:
        raise BrokenModel(f"{path.name}: {name}, which holds its weights, has the SHA-256 {digest} instead of {expected}")


def tokenizer_of(path: Path) -> Path:
    """The path of a network's tokenizer, beside its weights."""
    weights = WEIGHTS.get(path.name)
    return (path.with_name(weights.name) if weights else path).with_suffix(".tokenizer.json")


def read_transformer(path: Path = E5) -> TransformerScorer:
    """Load the transformer. Raises BrokenModel if its files are missing or malformed."""
    try:
        network = OnnxNetwork(path)
        return TransformerScorer(network, facts_of(network.facts))
    except BrokenModel:
        raise
    except Exception as error:
        raise BrokenModel(f"{path.name}: {type(error).__name__}") from error


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
            improbable=float(metadata.get("improbable", 0)),
            short=int(metadata.get("short", 0)),
            doubt=float(metadata.get("doubt", 0)),
            whole="whole" in metadata,
        ),
        near=float(metadata["near"]),
        behind=float(metadata.get("behind", BEHIND)),
    )
