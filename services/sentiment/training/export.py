"""A fitted reader as an ONNX file of whole numbers of eight bits, small and fast on a CPU.

Weights are rounded by column, word embeddings by piece. What flows between layers is rounded by row, that is by piece of text,
as it is met: nothing that stands beside a text in a batch can change what is said of it. (onnxruntime's own dynamic quantisation
takes one unit for a whole batch, so that a score would depend on its neighbours.)
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from services.sentiment.domain.transformer import TransformerFacts
from services.sentiment.training.encoder import Reader
from services.sentiment.training.meaning import Focus

OPSET, IR = 20, 10
MIDDLE = 128
"""The unsigned number that stands for zero, in what flows."""
Floats = NDArray[np.float32]


class Graph:
    """Nodes and constants, as they are added."""

    def __init__(self) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self.constants: list[onnx.TensorProto] = []
        self._kept: dict[bytes, str] = {}

    def constant(self, value: NDArray[Any] | np.generic) -> str:
        """The name of a constant, the same for equal ones."""
        key = value.tobytes() + repr((value.dtype, value.shape)).encode()
        if key not in self._kept:
            self._kept[key] = f"c{len(self.constants)}"
            self.constants.append(numpy_helper.from_array(np.asarray(value), self._kept[key]))
        return self._kept[key]

    def __call__(self, kind: str, *inputs: str | NDArray[Any] | np.generic, outputs: Sequence[str] = (), **how: Any) -> str:
        """A node's first output; arrays among its inputs become constants."""
        names = [one if isinstance(one, str) else self.constant(one) for one in inputs]
        made = list(outputs) or [f"n{len(self.nodes)}"]
        self.nodes.append(helper.make_node(kind, names, made, **how))
        return made[0]


class Layers:
    """Writes a reader's parts into a graph. Between them flow rows of hidden numbers, one for each piece of each text."""

    def __init__(self, graph: Graph, state: Mapping[str, Floats], heads: int) -> None:
        self.add = graph
        self.state = state
        self.heads = heads
        self.hidden = state["encoder.embeddings.LayerNorm.weight"].shape[0]
        self.shape = graph("Shape", "ids")

    def embeddings(self) -> str:
        """Word, place and kind, added and normalised."""
        words, units = by_row(self.state["encoder.embeddings.word_embeddings.weight"])
        flat = self.add("Reshape", "ids", whole(-1))
        word = self.add(
            "Mul", self.add("Cast", self.add("Gather", words, flat), to=TensorProto.FLOAT), self.add("Gather", units, flat)
        )
        long = self.add("Gather", self.shape, np.array(1, np.int64))
        places = (
            self.state["encoder.embeddings.position_embeddings.weight"]
            + self.state["encoder.embeddings.token_type_embeddings.weight"]
        )
        place = self.add("Slice", places, whole(0), self.add("Unsqueeze", long, whole(0)), whole(0))
        texts = self.add("Reshape", word, self.add("Concat", self.shape, whole(self.hidden), axis=0))
        return self.norm(
            self.add("Reshape", self.add("Add", texts, place), whole(-1, self.hidden)), "encoder.embeddings.LayerNorm"
        )

    def layer(self, number: int, rows: str, unseen: str) -> str:
        name = f"encoder.encoder.layer.{number}"
        attended = self.attention(f"{name}.attention.self", rows, unseen)
        attended = self.linear(self.rounded(attended), *self.weights(f"{name}.attention.output.dense"))
        rows = self.norm(self.add("Add", attended, rows), f"{name}.attention.output.LayerNorm")
        wide = self.add("Gelu", self.linear(self.rounded(rows), *self.weights(f"{name}.intermediate.dense")))
        narrow = self.linear(self.rounded(wide), *self.weights(f"{name}.output.dense"))
        return self.norm(self.add("Add", narrow, rows), f"{name}.output.LayerNorm")

    def attention(self, name: str, rows: str, unseen: str) -> str:
        """Queries, keys and values in one multiplication; then softmax over a text's pieces, the padding `unseen`."""
        parts = [self.weights(f"{name}.{part}") for part in ("query", "key", "value")]
        small = np.float32((self.hidden // self.heads) ** -0.5)
        parts[0] = parts[0][0] * small, parts[0][1] * small
        weights, bias = (np.concatenate(column, axis=-1) for column in zip(*parts, strict=True))
        both = self.linear(self.rounded(rows), weights, bias)
        size = self.hidden // self.heads
        split = self.add("Reshape", both, self.add("Concat", self.shape, whole(3, self.heads, size), axis=0))
        turned = self.add("Transpose", split, perm=[2, 0, 3, 1, 4])
        query, key, value = (self.add("Gather", turned, np.array(part, np.int64)) for part in range(3))
        likeness = self.add("MatMul", query, self.add("Transpose", key, perm=[0, 1, 3, 2]))
        seen = self.add("MatMul", self.add("Softmax", self.add("Add", likeness, unseen), axis=-1), value)
        return self.add("Reshape", self.add("Transpose", seen, perm=[0, 2, 1, 3]), whole(-1, self.hidden))

    def rounded(self, rows: str) -> tuple[str, str]:
        """Rows of floats as rows of unsigned eight-bit numbers, and the unit of each row."""
        largest = self.add("ReduceMax", self.add("Abs", rows), whole(-1), keepdims=0)
        units = self.add("Max", self.add("Mul", largest, np.float32(1 / 127)), np.float32(1e-9))
        zeros = self.add(
            "ConstantOfShape", self.add("Shape", units), value=helper.make_tensor("v", TensorProto.UINT8, [1], [MIDDLE])
        )
        return self.add("QuantizeLinear", rows, units, zeros, axis=0), self.add("Unsqueeze", units, whole(1))

    def linear(self, rounded: tuple[str, str], weights: Floats, bias: Floats) -> str:
        """Rows times weights (in × out) plus bias, multiplied as whole numbers."""
        rows, units = rounded
        columns, sizes = by_row(weights.T)
        product = self.add(
            "MatMulIntegerToFloat", rows, np.ascontiguousarray(columns.T), np.float32(1), sizes[:, 0],
            np.uint8(MIDDLE), np.int8(0), domain="com.microsoft",
        )  # fmt: skip
        return self.add("Add", self.add("Mul", product, units), bias)

    def pooled(self, rows: str) -> str:
        """The mean of each text's rows, the padding left out; each text a product of its own, so that all are added up alike."""
        seen = self.add("Cast", "mask", to=TensorProto.FLOAT)
        texts = self.add("Reshape", rows, self.add("Concat", self.shape, whole(self.hidden), axis=0))
        total = self.add("MatMul", self.add("Unsqueeze", seen, whole(1)), texts)
        return self.add("Div", self.add("Squeeze", total, whole(1)), self.add("ReduceSum", seen, whole(1), keepdims=1))

    def head(self, name: str, texts: str) -> str:
        """Texts times a head's weights, row by row: a product of matrices is added up in another order for one text alone."""
        products = self.add("Mul", self.add("Unsqueeze", texts, whole(1)), self.state[f"{name}.weight"][None])
        return self.add("Add", self.add("ReduceSum", products, whole(2), keepdims=0), self.state[f"{name}.bias"])

    def norm(self, rows: str, name: str) -> str:
        return self.add(
            "LayerNormalization", rows, self.state[f"{name}.weight"], self.state[f"{name}.bias"], axis=-1, epsilon=1e-12
        )

    def weights(self, name: str) -> tuple[Floats, Floats]:
        return np.ascontiguousarray(self.state[f"{name}.weight"].T), self.state[f"{name}.bias"]


def by_row(values: Floats) -> tuple[NDArray[np.int8], Floats]:
    """Rows in whole numbers from -127 to 127, and the unit of each (rows × 1)."""
    units = np.maximum(np.abs(values).max(axis=1, keepdims=True) / 127, 1e-9).astype(np.float32)
    return np.rint(values / units).astype(np.int8), units


def whole(*numbers: int) -> NDArray[np.int64]:
    return np.array(numbers, np.int64)


def export(net: Reader, path: Path, focus: Focus | None = None) -> None:
    """Write `net`: ids and mask (texts × pieces, int64) to `logits` (texts × 3) and `meaning` (texts × MEANING, unit vectors)."""
    state = {name: value.detach().float().numpy() for name, value in net.state_dict().items()}
    graph = Graph()
    write = Layers(graph, state, net.encoder.config.num_attention_heads)
    hidden = graph("Sub", np.float32(1), graph("Cast", "mask", to=TensorProto.FLOAT))
    unseen = graph("Unsqueeze", graph("Mul", hidden, np.float32(-1e4)), whole(1, 2))
    rows, count = write.embeddings(), net.encoder.config.num_hidden_layers
    for number in range(count):
        if number == count - net.above:
            meant = graph("LpNormalization", write.head("meaning", write.pooled(rows)), axis=1, p=2)
            if focus:
                state |= {"focus.weight": np.ascontiguousarray(focus.turn.T), "focus.bias": focus.shift}
                meant = graph("LpNormalization", write.head("focus", meant), axis=1, p=2)
            graph("Identity", meant, outputs=["meaning"])
        rows = write.layer(number, rows, unseen)
    graph("Identity", write.head("head", write.pooled(rows)), outputs=["logits"])
    made = helper.make_model(
        helper.make_graph(graph.nodes, "reader", inputs(), outputs(), graph.constants),
        opset_imports=[helper.make_opsetid("", OPSET), helper.make_opsetid("com.microsoft", 1)],
        ir_version=IR,
        producer_name="earshot",
    )
    onnx.save(made, path)


def state_facts(path: Path, facts: TransformerFacts) -> None:
    """Write into a network's file what else the service has to know, as `network.facts_of` reads it."""
    made = onnx.load(path)
    told = {
        "id": facts.model.id,
        "version": facts.model.version,
        "temperature": facts.temperature,
        "pole": facts.manner.pole,
        "long": facts.manner.long,
        "near": facts.near,
    }
    helper.set_model_props(made, {name: str(value) for name, value in told.items()})
    onnx.save(made, path)


def inputs() -> list[onnx.ValueInfoProto]:
    return [helper.make_tensor_value_info(name, TensorProto.INT64, ["texts", "pieces"]) for name in ("ids", "mask")]


def outputs() -> list[onnx.ValueInfoProto]:
    return [helper.make_tensor_value_info(name, TensorProto.FLOAT, ["texts", None]) for name in ("logits", "meaning")]
