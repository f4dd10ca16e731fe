"""Write e5-5: the network of e5-4 without a mask, in a small file that reads its weights from the file of e5-4.

python -m services.sentiment.training.sharing

The weights are those of e5-4 to the bit, so the repository and the images hold them once.
"""

from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import NodeProto, helper, numpy_helper
from onnx.external_data_helper import set_external_data

from services.sentiment.network import E5_4, E5_5

SMALLEST = 1024
"""Bytes of a constant that is read from another file. Smaller ones stay in the graph."""


class Rewriting:
    """A graph whose nodes are exchanged; their order stays that of the data."""

    def __init__(self, path: Path) -> None:
        self.model = onnx.load(path)
        self.graph = self.model.graph
        self._constants = {one.name: one for one in self.graph.initializer}

    def producer(self, name: str) -> NodeProto | None:
        """The node that has this output."""
        return next((node for node in self.graph.node if name in node.output), None)

    def value(self, name: str) -> NDArray[Any] | None:
        """The constant of this name."""
        return numpy_helper.to_array(self._constants[name]) if name in self._constants else None

    def constant(self, value: NDArray[Any]) -> str:
        """Add a constant. Returns its name."""
        name = f"k{len(self._constants)}"
        self._constants[name] = numpy_helper.from_array(np.ascontiguousarray(value), name)
        self.graph.initializer.append(self._constants[name])
        return name

    def replace(self, node: NodeProto, *nodes: NodeProto) -> None:
        """Put nodes in the place of one, whose output the last of them has."""
        at = list(self.graph.node).index(node)
        self.graph.node.remove(node)
        for new in reversed(nodes):
            self.graph.node.insert(at, new)

    def prune(self) -> None:
        """Delete the nodes and constants that nothing reads."""
        read = {output.name for output in self.graph.output}
        for node in reversed(list(self.graph.node)):
            if read.isdisjoint(node.output):
                self.graph.node.remove(node)
            else:
                read.update(node.input)
        for unread in [one for one in self.graph.initializer if one.name not in read]:
            self.graph.initializer.remove(unread)


def remove_mask(rewriting: Rewriting) -> None:
    """Take the mask from attention and from the means of texts, whose texts must then have one length, as `export` does."""
    graph = rewriting.graph
    for node in graph.node:
        if node.op_type == "MultiHeadAttention":
            del node.input[3:]
        elif node.op_type == "Cast" and node.input[0] == "mask" and node.output[0] != "seen":
            node.input[0] = "read"
    graph.node.insert(0, helper.make_node("Equal", ["ids", "ids"], ["read"]))
    graph.input.remove(next(one for one in graph.input if one.name == "mask"))
    rewriting.prune()


def multiply_heads(rewriting: Rewriting) -> None:
    """Write heads as products of matrices in place of products by element that are summed, as `export` does."""
    for total in [node for node in rewriting.graph.node if node.op_type == "ReduceSum"]:
        products = rewriting.producer(total.input[0])
        if products is None or products.op_type != "Mul":
            continue
        weights = rewriting.value(products.input[1])
        if weights is None or weights.ndim != 3:
            continue
        name = total.output[0]
        rewriting.replace(
            total,
            helper.make_node("Transpose", [products.input[0]], [f"{name}_turned"], perm=[0, 2, 1]),
            helper.make_node("MatMul", [rewriting.constant(weights[0]), f"{name}_turned"], [f"{name}_product"]),
            helper.make_node("Squeeze", [f"{name}_product", rewriting.constant(np.array([2]))], [name]),
        )
    rewriting.prune()


def share(model: onnx.ModelProto, weights: Path) -> int:
    """Let the constants of a graph point to their bytes in the file `weights`. Returns how many bytes stay in the graph.

    A constant stays if it is small, or if its offset is no multiple of the size of its numbers: onnxruntime reads them where the
    mapped file has them, and vector instructions may fail on such an address.
    """
    content, inside = weights.read_bytes(), 0
    for constant in model.graph.initializer:
        raw, size = constant.raw_data, helper.tensor_dtype_to_np_dtype(constant.data_type).itemsize
        offset = content.find(raw) if len(raw) >= SMALLEST else -1
        if offset < 0 or offset % size:
            inside += len(raw)
            continue
        set_external_data(constant, weights.name, offset, len(raw))
        constant.ClearField("raw_data")
    return inside


def unmasked(path: Path) -> Rewriting:
    """The network of a file without a mask, its heads as products of matrices."""
    rewriting = Rewriting(path)
    remove_mask(rewriting)
    multiply_heads(rewriting)
    return rewriting


def main() -> None:
    rewriting = unmasked(E5_4)
    facts = {one.key: one.value for one in rewriting.model.metadata_props}
    helper.set_model_props(rewriting.model, facts | {"version": "5", "rules": "3"})
    inside = share(rewriting.model, E5_4)
    E5_5.write_bytes(rewriting.model.SerializeToString())
    print(f"{E5_5.name}: {E5_5.stat().st_size} bytes, {inside} of them constants")
    print(f"{E5_4.name}: SHA-256 {sha256(E5_4.read_bytes()).hexdigest()}")


if __name__ == "__main__":
    main()
