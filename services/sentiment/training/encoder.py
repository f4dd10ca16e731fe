"""The transformer for training: an encoder with fewer layers and tokens, and heads for sentiment, meaning, and praise beside
complaint."""

from collections.abc import Sequence
from typing import NamedTuple

import torch
from tokenizers import Tokenizer
from torch import Tensor, nn
from transformers import BertConfig, BertModel

from services.sentiment.training.vocabulary import tokenizer
from services.sentiment.training.wheel import Pretrained

CLASSES = 3
MEANING = 256
"""Dimensions of a meaning (embedding)."""
LONGEST = 80
"""Tokens of a text that are read."""


class Outputs(NamedTuple):
    """Outputs for some texts: `logits` (texts × 3), `meaning` (texts × MEANING, unit vectors), `top`, the means of the last
    states (texts × hidden), from which the logits are computed, and `both` (texts × 1), the logit of praise beside complaint."""

    logits: Tensor
    meaning: Tensor
    top: Tensor
    both: Tensor


class Reader(nn.Module):
    """Reads texts as ids and mask (texts × tokens).

    The meaning is taken `above` layers below the top: the topmost layers learn to tell praise from blame, and little else.
    """

    def __init__(self, encoder: BertModel, above: int = 2) -> None:
        super().__init__()
        hidden = encoder.config.hidden_size
        self.encoder = encoder
        self.above = above
        self.drop = nn.Dropout(0.1)
        self.head = nn.Linear(hidden, CLASSES)
        self.meaning = nn.Linear(hidden, MEANING)
        self.both = nn.Linear(hidden, 1)

    def forward(self, ids: Tensor, mask: Tensor) -> Outputs:
        layers = self.encoder(input_ids=ids, attention_mask=mask, output_hidden_states=True).hidden_states
        top = pooled(layers[-1], mask)
        meant = self.meaning(pooled(layers[-1 - self.above], mask))
        meaning = meant / meant.norm(dim=1, keepdim=True).clamp(min=1e-6)
        return Outputs(self.head(self.drop(top)), meaning, top, self.both(self.drop(top)))


def pooled(states: Tensor, mask: Tensor) -> Tensor:
    """The mean over the tokens of a text."""
    heft = mask.unsqueeze(-1).to(states.dtype)
    return (states * heft).sum(1) / heft.sum(1)


def reader(pretrained: Pretrained, pieces: Sequence[int], layers: Sequence[int], dropped: float = 0.0) -> Reader:
    """A reader with the encoder's `layers` and only `pieces`, which are indices of its tokens.

    The word embeddings are frozen, so that languages and words that training hardly meets stay where they are. `dropped`: the
    share of hidden numbers left out at random in each step of training.
    """
    encoder = BertModel(config(pretrained, len(pieces), len(layers), dropped), add_pooling_layer=False)
    weights = {
        name: torch.from_numpy(value.copy()) for name, value in pretrained.weights.items() if not name.startswith("encoder.")
    }
    for place, layer in enumerate(layers):
        old = f"encoder.layer.{layer}."
        weights |= {
            name.replace(old, f"encoder.layer.{place}."): torch.from_numpy(value.copy())
            for name, value in pretrained.weights.items()
            if name.startswith(old)
        }
    weights["embeddings.word_embeddings.weight"] = torch.from_numpy(pretrained.words[list(pieces)])
    encoder.load_state_dict(weights)
    encoder.embeddings.word_embeddings.weight.requires_grad_(False)
    return Reader(encoder)


def config(pretrained: Pretrained, pieces: int, layers: int, dropped: float) -> BertConfig:
    return BertConfig(
        vocab_size=pieces,
        hidden_size=pretrained.words.shape[1],
        num_hidden_layers=layers,
        num_attention_heads=pretrained.heads,
        intermediate_size=pretrained.intermediate,
        max_position_embeddings=512,
        type_vocab_size=1,
        layer_norm_eps=1e-12,
        pad_token_id=1,
        hidden_dropout_prob=dropped,
        attention_probs_dropout_prob=0.0,
        attn_implementation="eager",
    )


def tokenizer_of_pieces(pretrained: Pretrained, pieces: Sequence[int]) -> Tokenizer:
    return tokenizer([pretrained.pieces[place] for place in pieces], LONGEST)
