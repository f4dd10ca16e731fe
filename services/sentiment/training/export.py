"""Write a fitted reader as an ONNX file with eight-bit weights, small and fast on a CPU.

Weights are quantized by column, word embeddings by token, and the inputs of matrix products by fixed units (`rounding`), so that
the outputs of a text do not depend on the other texts of its batch. (onnxruntime's own dynamic quantization takes one unit for a
whole batch.)
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from services.sentiment.domain.transformer import TransformerFacts
from services.sentiment.training.encoder import Reader
from services.sentiment.training.meaning import Focus
from services.sentiment.training.rounding import Flow, Rounding, by_row, rounding
from services.sentiment.training.urging import Linear

OPSET, IR = 20, 10
ATTENTION = tuple(f"attention.self.{part}" for part in ("query", "key", "value"))
SLOTS = (*ATTENTION, "attention.output.dense", "intermediate.dense", "output.dense")
"""The matrices of a layer, in the order in which they are written."""
Floats = NDArray[np.float32]


class Graph:
    """Nodes and constants, as they are added."""

    def __init__(self) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self.constants: list[onnx.TensorProto] = []
        self._names: dict[bytes, str] = {}

    def constant(self, value: NDArray[Any] | np.generic) -> str:
        """The name of a constant, the same for equal ones."""
        key = value.tobytes() + repr((value.dtype, value.shape)).encode()
        if key not in self._names:
            self._names[key] = f"c{len(self.constants)}"
            self.constants.append(numpy_helper.from_array(np.asarray(value), self._names[key]))
        return self._names[key]

    def __call__(self, kind: str, *inputs: str | NDArray[Any] | np.generic, outputs: Sequence[str] = (), **how: Any) -> str:
        """A node's first output; arrays among its inputs become constants."""
        names = [one if isinstance(one, str) else self.constant(one) for one in inputs]
        made = list(outputs) or [f"n{len(self.nodes)}"]
        self.nodes.append(helper.make_node(kind, names, made, **how))
        return made[0]


class Layers:
    """Writes a reader's parts into a graph. Between them flow rows of hidden numbers: texts × pieces × hidden."""

    def __init__(self, graph: Graph, state: Mapping[str, Floats], met: Mapping[str, Flow], heads: int) -> None:
        self.add = graph
        self.state = state
        self.met = met
        self.heads = heads

    def embeddings(self) -> str:
        """The sum of the embeddings of word, position and type, normalised."""
        words, units = by_row(self.state["encoder.embeddings.word_embeddings.weight"])
        word = self.add(
            "Mul", self.add("Cast", self.add("Gather", words, "ids"), to=TensorProto.FLOAT), self.add("Gather", units, "ids")
        )
        long = self.add("Gather", self.add("Shape", "ids"), whole(1))
        places = (
            self.state["encoder.embeddings.position_embeddings.weight"]
            + self.state["encoder.embeddings.token_type_embeddings.weight"]
        )
        place = self.add("Slice", places, whole(0), long, whole(0))
        return self.norm(self.add("Add", word, place), "encoder.embeddings.LayerNorm")

    def layer(self, number: int, rows: str) -> str:
        name = f"encoder.encoder.layer.{number}"
        attended = self.product(self.attention(f"{name}.attention.self", rows), f"{name}.attention.output.dense")
        rows = self.norm(self.add("Add", attended, rows), f"{name}.attention.output.LayerNorm")
        wide = self.add("Gelu", self.product(rows, f"{name}.intermediate.dense"))
        return self.norm(self.add("Add", self.product(wide, f"{name}.output.dense"), rows), f"{name}.output.LayerNorm")

    def attention(self, name: str, rows: str) -> str:
        """Each head's mean of the values, weighed by how queries and keys agree. Without a mask it is faster."""
        query, key, value = self.products(rows, [f"{name}.{part}" for part in ("query", "key", "value")])
        return self.add("MultiHeadAttention", query, key, value, num_heads=self.heads, domain="com.microsoft")

    def product(self, rows: str, name: str) -> str:
        return self.products(rows, [name])[0]

    def products(self, rows: str, names: Sequence[str]) -> list[str]:
        """Rows times weights plus bias, for several weights that read the same rows; multiplied as whole numbers."""
        weights = [np.ascontiguousarray(self.state[f"{name}.weight"].T) for name in names]
        way = rounding(self.met[names[0]], np.concatenate(weights, axis=1))
        quantized = self.add("QuantizeLinear", self.add("Mul", rows, 1 / way.even), way.unit, way.zero)
        return [
            self.whole_product(quantized, way, way.even[:, None] * weight, self.state[f"{name}.bias"])
            for name, weight in zip(names, weights, strict=True)
        ]

    def whole_product(self, quantized: str, way: Rounding, weights: Floats, bias: Floats) -> str:
        columns, sizes = by_row(weights.T)
        return self.add(
            "MatMulIntegerToFloat", quantized, np.ascontiguousarray(columns.T), way.unit, sizes[:, 0], way.zero, np.int8(0), bias,
            domain="com.microsoft",
        )  # fmt: skip

    def pooled(self, rows: str) -> str:
        """The mean of each text's rows (texts × 1 × hidden), by a product with ones: `ReduceMean` adds up the rows of one text in
        another order than those of several.
        """
        ones = self.add("Unsqueeze", self.add("Cast", self.add("Equal", "ids", "ids"), to=TensorProto.FLOAT), whole(1))
        return self.add("Div", self.add("MatMul", ones, rows), self.add("ReduceSum", ones, whole(2), keepdims=1))

    def head(self, name: str, texts: str) -> str:
        """A head's weights times each text (texts × 1 × hidden) alone: onnxruntime would make one product of several texts times
        the weights, which is added up in another order than that of one text.
        """
        products = self.add("MatMul", self.state[f"{name}.weight"], self.add("Transpose", texts, perm=[0, 2, 1]))
        return self.add("Add", self.add("Squeeze", products, whole(2)), self.state[f"{name}.bias"])

    def norm(self, rows: str, name: str) -> str:
        return self.add(
            "LayerNormalization", rows, self.state[f"{name}.weight"], self.state[f"{name}.bias"], axis=-1, epsilon=1e-12
        )


def meaning_size(state: Mapping[str, Floats]) -> int:
    """The dimensions of a meaning."""
    return len(state["meaning.weight"])


def whole(*numbers: int) -> NDArray[np.int64]:
    return np.array(numbers, np.int64)


class Endings(NamedTuple):
    """Steps after a fitted network: the last one of a meaning, and a head for urgency that reads the result or the rows below."""

    focus: Focus | None = None
    urgent: Linear | None = None


BARE = Endings()


def export(net: Reader, path: Path, met: Mapping[str, Flow], endings: Endings = BARE) -> None:
    """Write `net`: ids (texts × pieces, int64; texts of one length) to `logits` (texts × 3), `meaning` (texts × MEANING, unit
    vectors), and `both` (texts × 1), and with an ending for it `urgent` (texts × reasons).

    `met`: the ranges of the inputs of its matrix products, from `fitting.flows`.
    """
    state = {name: value.detach().float().numpy() for name, value in net.state_dict().items()}
    graph = Graph()
    write = Layers(graph, state, met, net.encoder.config.num_attention_heads)
    rows, count = write.embeddings(), net.encoder.config.num_hidden_layers
    for number in range(count):
        if number == count - net.above:
            below = write.pooled(rows)
            meant = graph("LpNormalization", write.head("meaning", below), axis=1, p=2)
            if endings.focus:
                state |= {"focus.weight": np.ascontiguousarray(endings.focus.turn.T), "focus.bias": endings.focus.shift}
                meant = graph("LpNormalization", write.head("focus", graph("Unsqueeze", meant, whole(1))), axis=1, p=2)
            graph("Identity", meant, outputs=["meaning"])
            if endings.urgent:
                state |= {"urgent.weight": endings.urgent.weights, "urgent.bias": endings.urgent.bias}
                reads_rows = endings.urgent.weights.shape[1] != meaning_size(state)
                read = below if reads_rows else graph("Unsqueeze", meant, whole(1))
                graph("Identity", write.head("urgent", read), outputs=["urgent"])
        rows = write.layer(number, rows)
    top = write.pooled(rows)
    graph("Identity", write.head("head", top), outputs=["logits"])
    graph("Identity", write.head("both", top), outputs=["both"])
    made = helper.make_model(
        helper.make_graph(graph.nodes, "reader", inputs(), outputs(endings), graph.constants),
        opset_imports=[helper.make_opsetid("", OPSET), helper.make_opsetid("com.microsoft", 1)],
        ir_version=IR,
        producer_name="earshot",
    )
    onnx.save(made, path)


def state_facts(path: Path, facts: TransformerFacts) -> None:
    """Write into a network's file what else the service has to know, as `network.facts_of` reads it."""
    made = onnx.load(path)
    manner = facts.manner
    learnt = {"both": manner.both, "urgent": manner.urgent}
    adaptive = {
        "behind": facts.behind,
        "improbable": manner.improbable,
        "short": manner.short,
        "doubt": manner.doubt,
        "whole": manner.whole,
    }
    properties = (
        {
            "id": facts.model.id,
            "version": facts.model.version,
            "rules": facts.model.rules,
            "temperature": facts.temperature,
            "pole": manner.pole,
            "long": manner.long,
            "near": facts.near,
        }
        | {name: bar for name, bar in learnt.items() if bar is not None}
        | {name: value for name, value in adaptive.items() if value}
    )
    helper.set_model_props(made, {name: str(value) for name, value in properties.items()})
    onnx.save(made, path)


def inputs() -> list[onnx.ValueInfoProto]:
    return [helper.make_tensor_value_info("ids", TensorProto.INT64, ["texts", "pieces"])]


def outputs(endings: Endings) -> list[onnx.ValueInfoProto]:
    names = ["logits", "meaning", "both", *(["urgent"] if endings.urgent else [])]
    return [helper.make_tensor_value_info(name, TensorProto.FLOAT, ["texts", None]) for name in names]
