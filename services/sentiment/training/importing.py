"""Read a network that `export` wrote back into a reader, whose training can then continue.

Weights come back as they were rounded: matrices by column, word embeddings by token. The nodes are met in the order in which
`export` writes them.
"""

from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import onnx
import torch
from numpy.typing import NDArray
from onnx import NodeProto, numpy_helper
from transformers import BertModel

from services.sentiment.training.encoder import Reader, config
from services.sentiment.training.export import SLOTS
from services.sentiment.training.meaning import Focus
from services.sentiment.training.wheel import Pretrained

Values = NDArray[Any]
State = dict[str, Values]
WORDS = "encoder.embeddings.word_embeddings.weight"


class Imported(NamedTuple):
    """The state of a reader, and the last step of its meanings."""

    state: State
    focus: Focus


class Nodes:
    """The nodes of a graph by kind, and its constants."""

    def __init__(self, path: Path) -> None:
        graph = onnx.load(path).graph
        self.constants: Mapping[str, Values] = {one.name: numpy_helper.to_array(one) for one in graph.initializer}
        self.by_kind: defaultdict[str, list[NodeProto]] = defaultdict(list)
        for node in graph.node:
            self.by_kind[node.op_type].append(node)
        self.by_output = {output: node for node in graph.node for output in node.output}
        self.outputs = frozenset(output.name for output in graph.output)

    def values(self, node: NodeProto, place: int) -> Values:
        """The constant at a place of a node's inputs."""
        return self.constants[node.input[place]]


def read_exported(path: Path) -> Imported:
    """The weights of an exported network. `both` is missing in e5-2."""
    nodes = Nodes(path)
    state = embeddings(nodes)
    norms = nodes.by_kind["LayerNormalization"]
    products = nodes.by_kind["MatMulIntegerToFloat"]
    layers = len(nodes.by_kind["MultiHeadAttention"])
    names = [
        "embeddings.LayerNorm",
        *(f"encoder.layer.{n}.{part}.LayerNorm" for n in range(layers) for part in ("attention.output", "output")),
    ]
    for name, node in zip(names, norms, strict=True):
        state |= {f"encoder.{name}.weight": nodes.values(node, 1), f"encoder.{name}.bias": nodes.values(node, 2)}
    slots = [f"encoder.encoder.layer.{n}.{slot}" for n in range(layers) for slot in SLOTS]
    for name, node in zip(slots, products, strict=True):
        state |= {f"{name}.weight": weights(nodes, node), f"{name}.bias": nodes.values(node, 6)}
    heads = head_weights(nodes)
    for part in ("weight", "bias"):
        heads.pop(f"urgent.{part}", None)  # learnt again from the meanings of each network
    shift = heads.pop("focus.bias")
    focus = Focus(np.ascontiguousarray(heads.pop("focus.weight").T), shift)
    return Imported(state | heads, focus)


def embeddings(nodes: Nodes) -> State:
    """The embeddings of tokens and positions. `export` adds that of the only type to the positions."""
    words, units = nodes.by_kind["Gather"][:2]
    places = nodes.values(nodes.by_kind["Slice"][0], 0)
    return {
        WORDS: nodes.values(words, 0).astype(np.float32) * nodes.values(units, 0),
        "encoder.embeddings.position_embeddings.weight": places,
        "encoder.embeddings.token_type_embeddings.weight": np.zeros((1, places.shape[1]), np.float32),
    }


def weights(nodes: Nodes, product: NodeProto) -> Values:
    """The weights (out × in) of a product of whole numbers, whose input is divided by channel first."""
    quantize = nodes.by_output[product.input[0]]
    divided = nodes.values(nodes.by_output[quantize.input[0]], 1)
    columns, units = nodes.values(product, 1).astype(np.float32), nodes.values(product, 3)
    return np.ascontiguousarray((columns * units * divided[:, None]).T)


def head_weights(nodes: Nodes) -> State:
    """The weights of the heads, in the order in which they are written. e5-2 has no `urgent` and no `both`, and its heads are
    products by element that are summed; those of later networks are products of matrices.
    """
    state: State = {}
    names = [
        "meaning",
        "focus",
        *(["urgent"] if "urgent" in nodes.outputs else []),
        "head",
        *(["both"] if "both" in nodes.outputs else []),
    ]
    by_element = not nodes.by_kind["Squeeze"]
    dimensions, place = (3, 1) if by_element else (2, 0)
    products = nodes.by_kind["Mul" if by_element else "MatMul"]
    heads = [node for node in products if getattr(nodes.constants.get(node.input[place]), "ndim", 0) == dimensions]
    for name, node in zip(names, heads, strict=True):
        constant = nodes.values(node, place)
        following = nodes.by_kind["ReduceSum" if by_element else "Squeeze"]
        product = next(other for other in following if other.input[0] == node.output[0])
        added = next(other for other in nodes.by_kind["Add"] if other.input[0] == product.output[0])
        state |= {f"{name}.weight": constant[0] if by_element else constant, f"{name}.bias": nodes.values(added, 1)}
    return state


def imported_reader(imported: Imported, pretrained: Pretrained) -> Reader:
    """A reader with imported weights; a head that they lack starts at random. Word embeddings are frozen."""
    layers = 1 + max(int(name.split(".layer.")[1].split(".")[0]) for name in imported.state if ".layer." in name)
    pieces = len(imported.state[WORDS])
    net = Reader(BertModel(config(pretrained, pieces, layers, 0.0), add_pooling_layer=False))
    state = net.state_dict() | {name: torch.from_numpy(np.array(value)) for name, value in imported.state.items()}
    net.load_state_dict(state)
    net.encoder.embeddings.word_embeddings.weight.requires_grad_(False)
    return net
