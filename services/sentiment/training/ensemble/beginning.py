"""Teachers and students before training, from the weights that `prepare` packs."""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import torch
from torch import nn

from .networks import Encoder, State, Student, Teacher, unpacked

HEADS = 12
"""Attention heads of a layer, in e5 and in MPNet."""
DROPPED = 0.1
"""Share of a teacher's hidden numbers that are left out at random in each step of training."""
WORDS = "encoder.embeddings.word_embeddings.weight"


class Shape(NamedTuple):
    """The size of a student: the layers of e5-4 with which it begins, the width of their dense steps, and how many layers below
    the top its meaning is taken."""

    layers: Sequence[int]
    width: int
    above: int


SHAPES = {"l8": Shape(range(8), 1536, 2), "l6": Shape((0, 1, 3, 4, 6, 7), 1344, 1), "thin": Shape(range(8), 640, 2)}
"""Students by name. `l8` has the size of e5-4."""


def new_teacher(work: Path, kind: str) -> Teacher:
    """A teacher of 12 layers: `e5`, whose word embeddings are frozen, or `mpnet`."""
    files = ("e5.npz", "words.npz") if kind == "e5" else ("mpnet_1.npz", "mpnet_2.npz")
    state = unpacked(*(work / file for file in files))
    encoder = Encoder(state, HEADS, DROPPED, relative=kind == "mpnet")
    load(encoder, {name.removeprefix("encoder."): value for name, value in state.items()})
    encoder.embeddings["word_embeddings"].weight.requires_grad_(kind != "e5")
    return Teacher(encoder)


def new_student(work: Path, shape: str) -> Student:
    """A student with layers of e5-4, of each the strongest numbers of the dense step. Its word embeddings are frozen."""
    layers, width, above = SHAPES[shape]
    former = unpacked(work / "e5_4.npz", work / "words.npz")
    state = {name: value for name, value in former.items() if ".layer." not in name}
    for place, layer in enumerate(layers):
        old = f".layer.{layer}."
        state |= {name.replace(old, f".layer.{place}."): value for name, value in former.items() if old in name}
        narrow(state, place, width)
    net = Student(Encoder(state, HEADS), above)
    hidden = net.encoder.hidden
    state |= {"steep": net.steep.data, "copy.weight": torch.eye(hidden), "copy.bias": torch.zeros(hidden)}
    state |= {name: value for name, value in net.state_dict().items() if name.startswith("urgent.")}
    load(net, state)
    net.encoder.embeddings["word_embeddings"].weight.requires_grad_(False)
    return net


def narrow(state: State, layer: int, width: int) -> None:
    """Reduce the dense step of a layer to its `width` numbers with the largest weights, in place."""
    inside, outside = f"encoder.encoder.layer.{layer}.intermediate.dense", f"encoder.encoder.layer.{layer}.output.dense"
    strength = state[f"{inside}.weight"].norm(dim=1) * state[f"{outside}.weight"].norm(dim=0)
    strongest = strength.topk(width).indices.sort().values
    for part in ("weight", "bias"):
        state[f"{inside}.{part}"] = state[f"{inside}.{part}"][strongest]
    state[f"{outside}.weight"] = state[f"{outside}.weight"][:, strongest]


def load(net: nn.Module, state: State) -> None:
    """Load weights, without position ids and the like, which are no parameters. Exits if weights are missing."""
    own = net.state_dict()
    if missing := own.keys() - state.keys():
        raise SystemExit(f"weights are missing: {sorted(missing)[:5]}")
    net.load_state_dict({name: state[name] for name in own})
