"""The transformer `e5`: our own fine-tuned encoder, that reads eight languages and knows what a text is about."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from services.sentiment.domain.preprocessing import cased
from services.sentiment.domain.reading import Manner, Meanings, Reading, opinions, shares
from services.sentiment.domain.scorer import Model, Opinion


class Outcome(NamedTuple):
    """What the network says of some texts: logits (texts × negative, neutral, positive), meanings (texts × numbers)."""

    logits: NDArray[np.float32]
    meanings: Meanings


class Network(Protocol):
    """Runs on prepared texts; what it says of one depends on no other. Safe to call from several threads."""

    def __call__(self, texts: Sequence[str]) -> Outcome: ...


@dataclass(frozen=True, slots=True)
class TransformerFacts:
    """What training leaves beside the weights. `temperature` calibrates; `near` is the likeness from which on a theme is told."""

    model: Model
    temperature: float
    manner: Manner
    near: float


class TransformerScorer:
    """Scores with the network, texts and their pieces in one go."""

    def __init__(self, network: Network, facts: TransformerFacts) -> None:
        self.model = facts.model
        self.near = facts.near
        self._network = network
        self._facts = facts

    def score(self, texts: Sequence[str]) -> list[Opinion]:
        return opinions(texts, self.read, self._facts.manner)

    def meanings(self, texts: Sequence[str]) -> Meanings:
        """What texts are about (texts × numbers), vectors of length one."""
        return self._network([cased(text) for text in texts]).meanings

    def read(self, texts: Sequence[str]) -> Reading:
        """What is in texts, each read as it is."""
        said = self._network([cased(text) for text in texts])
        return Reading(shares(said.logits.astype(np.float64), self._facts.temperature), said.meanings)
