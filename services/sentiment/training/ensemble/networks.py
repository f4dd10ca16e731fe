"""The encoders as `learn` trains them, with the parameter names of `training.encoder`. PyTorch and numpy alone."""

import math
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

State = dict[str, Tensor]


def unpacked(*paths: Path) -> State:
    """The weights of files that `pack.save` wrote."""
    state: State = {}
    for path in paths:
        with np.load(path) as arrays:
            for name in arrays.files:
                if name.endswith("|8"):
                    state[name[:-2]] = torch.from_numpy(arrays[name].astype(np.float32) * arrays[f"{name[:-2]}|unit"])
                elif not name.endswith("|unit"):
                    state[name] = torch.from_numpy(arrays[name])
    return state


def dense(inside: int, outside: int) -> nn.ModuleDict:
    """A linear step under the name that BERT gives it."""
    return nn.ModuleDict({"dense": nn.Linear(inside, outside)})


class Layer(nn.Module):
    """Attention and two dense steps, each added to its input and normalised."""

    def __init__(self, hidden: int, heads: int, wide: int, dropped: float, least: float) -> None:
        super().__init__()
        self.heads = heads
        parts = nn.ModuleDict({name: nn.Linear(hidden, hidden) for name in ("query", "key", "value")})
        after = nn.ModuleDict({"dense": nn.Linear(hidden, hidden), "LayerNorm": nn.LayerNorm(hidden, eps=least)})
        self.attention = nn.ModuleDict({"self": parts, "output": after})
        self.intermediate = dense(hidden, wide)
        self.output = nn.ModuleDict({"dense": nn.Linear(wide, hidden), "LayerNorm": nn.LayerNorm(hidden, eps=least)})
        self.drop = nn.Dropout(dropped)

    def forward(self, rows: Tensor, bias: Tensor) -> Tensor:
        """The rows (texts × tokens × hidden) after this layer. `bias` (texts × heads or 1 × tokens × tokens) is added to
        attention."""
        texts, long, hidden = rows.shape
        reading = self.attention["self"]
        query, key, value = (
            reading[name](rows).view(texts, long, self.heads, -1).transpose(1, 2) for name in ("query", "key", "value")
        )
        mixed = functional.scaled_dot_product_attention(query, key, value, attn_mask=bias.to(query.dtype))
        after = self.attention["output"]
        mixed = self.drop(after["dense"](mixed.transpose(1, 2).reshape(texts, long, hidden)))
        rows = after["LayerNorm"](rows + mixed)
        wide = self.drop(self.output["dense"](functional.gelu(self.intermediate["dense"](rows))))
        result: Tensor = self.output["LayerNorm"](rows + wide)
        return result


class Encoder(nn.Module):
    """A BERT (`relative` false), or an MPNet, whose attention knows how far tokens are apart."""

    def __init__(self, state: State, heads: int, dropped: float = 0.0, relative: bool = False) -> None:
        super().__init__()
        words = state["encoder.embeddings.word_embeddings.weight"]
        places = state["encoder.embeddings.position_embeddings.weight"]
        hidden, least = words.shape[1], 1e-5 if relative else 1e-12
        count = 1 + max(int(name.split(".layer.")[1].split(".")[0]) for name in state if ".layer." in name)
        wide = state["encoder.encoder.layer.0.intermediate.dense.weight"].shape[0]
        parts: dict[str, nn.Module] = {
            "word_embeddings": nn.Embedding(*words.shape),
            "position_embeddings": nn.Embedding(*places.shape),
            "LayerNorm": nn.LayerNorm(hidden, eps=least),
        }
        if not relative:
            parts["token_type_embeddings"] = nn.Embedding(1, hidden)
        self.embeddings = nn.ModuleDict(parts)
        self.relative, self.drop = relative, nn.Dropout(dropped)
        layers = nn.ModuleList(Layer(hidden, heads, wide, dropped, least) for _ in range(count))
        inside: dict[str, nn.Module] = {"layer": layers}
        if relative:
            inside["relative_attention_bias"] = nn.Embedding(32, heads)
        self.encoder = nn.ModuleDict(inside)
        self.hidden = hidden

    def forward(self, ids: Tensor, mask: Tensor) -> list[Tensor]:
        """The states before the first and after each layer (texts × tokens × hidden)."""
        places = torch.arange(ids.shape[1], device=ids.device)
        rows = self.embeddings["word_embeddings"](ids)
        rows = rows + self.embeddings["position_embeddings"](places + (2 if self.relative else 0))
        if not self.relative:
            rows = rows + self.embeddings["token_type_embeddings"].weight[0]
        rows = self.drop(self.embeddings["LayerNorm"](rows))
        bias = torch.zeros(mask.shape, device=ids.device).masked_fill(~mask, -1e4)[:, None, None, :]
        if self.relative:
            apart = buckets(places[None, :] - places[:, None])
            bias = bias + self.encoder["relative_attention_bias"](apart).permute(2, 0, 1)[None]
        bias = bias.expand(-1, -1, ids.shape[1], -1).contiguous()
        states = [rows]
        for layer in self.encoder["layer"]:
            states.append(layer(states[-1], bias))
        return states


def buckets(distance: Tensor, count: int = 32, most: int = 128) -> Tensor:
    """The numbers by which MPNet knows the distance from a query's token to a key's (Raffel et al., 2020): small distances have
    a number each, larger ones share them."""
    half = count // 2
    offset = (distance > 0).long() * half
    far = distance.abs()
    exact = half // 2
    grown = exact + (torch.log(far.float().clamp(min=1) / exact) / math.log(most / exact) * (half - exact)).long()
    return offset + torch.where(far < exact, far, grown.clamp(max=half - 1))


def pooled(states: Tensor, mask: Tensor) -> Tensor:
    """The mean over the tokens of a text."""
    heft = mask.unsqueeze(-1).to(states.dtype)
    return (states * heft).sum(1) / heft.sum(1)


class Teacher(nn.Module):
    """An encoder with a head for the label."""

    def __init__(self, encoder: Encoder) -> None:
        super().__init__()
        self.encoder = encoder
        self.drop = nn.Dropout(0.1)
        self.head = nn.Linear(encoder.hidden, 3)

    def forward(self, ids: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        """Logits (texts × 3), and the means of the last states (texts × hidden)."""
        top = pooled(self.encoder(ids, mask)[-1], mask)
        return self.head(self.drop(top)), top


class Student(nn.Module):
    """The network to ship: `training.encoder.Reader`, with the last step of the meaning and the head for urgency."""

    def __init__(self, encoder: Encoder, above: int, meaning: int = 256) -> None:
        super().__init__()
        self.encoder = encoder
        self.above = above
        self.drop = nn.Dropout(0.1)
        self.head = nn.Linear(encoder.hidden, 3)
        self.both = nn.Linear(encoder.hidden, 1)
        self.meaning = nn.Linear(encoder.hidden, meaning)
        self.focus = nn.Linear(meaning, meaning)
        self.urgent = nn.Linear(encoder.hidden, 6)
        self.copy = nn.Linear(encoder.hidden, encoder.hidden)
        """From the student's last states to the teachers'; not shipped."""
        self.steep = nn.Parameter(torch.tensor([12.0, 0.115]))
        """Steepness and threshold by which likeness becomes the logit of a match with a theme; not shipped."""

    def forward(self, ids: Tensor, mask: Tensor) -> dict[str, Tensor]:
        """By name: `logits` (texts × 3), `both` (texts × 1), `urgent` (texts × reasons), `meaning` (texts × MEANING, unit
        vectors), and `top`, the means of the last states (texts × hidden)."""
        states = self.encoder(ids, mask)
        top, below = pooled(states[-1], mask), pooled(states[-1 - self.above], mask)
        with torch.autocast(ids.device.type, enabled=False):
            top, below = top.float(), below.float()
            meaning = functional.normalize(self.focus(functional.normalize(self.meaning(below), dim=1)), dim=1)
            return {
                "logits": self.head(self.drop(top)),
                "both": self.both(self.drop(top)),
                "urgent": self.urgent(self.drop(below)),
                "meaning": meaning,
                "top": top,
            }
