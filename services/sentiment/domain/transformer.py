"""The transformer `e5`: our own fine-tuned encoder for eight languages, with embeddings for themes."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from services.sentiment.domain.preprocessing import cased
from services.sentiment.domain.reading import Manner, Meanings, Numbers, Reading, opinions, softmax
from services.sentiment.domain.scorer import Model, Opinion
from services.sentiment.domain.themes import BEHIND


class Outcome(NamedTuple):
    """Output of the network: logits (texts × negative, neutral, positive), meanings (texts × dimensions), and the logits of
    praise beside complaint (texts × 1) and of the reasons for urgency (texts × reasons). Older networks lack the last two.
    """

    logits: NDArray[np.float32]
    meanings: Meanings
    both: NDArray[np.float32] | None = None
    urgent: NDArray[np.float32] | None = None


class Network(Protocol):
    """Runs on normalised texts. The output for a text does not depend on the others. Thread-safe."""

    def __call__(self, texts: Sequence[str]) -> Outcome: ...


@dataclass(frozen=True, slots=True)
class TransformerFacts:
    """Parameters beside the weights. `temperature` calibrates; `near` is the likeness from which on a theme matches, `behind` how
    far it may be below that of the likeliest theme.
    """

    model: Model
    temperature: float
    manner: Manner
    near: float
    behind: float = BEHIND


class TransformerScorer:
    """Scores with the network, a text and its pieces in one call."""

    def __init__(self, network: Network, facts: TransformerFacts) -> None:
        self.model = facts.model
        self.near = facts.near
        self.behind = facts.behind
        self.manner = facts.manner
        self._network = network
        self._facts = facts

    def score(self, texts: Sequence[str]) -> list[Opinion]:
        """The opinion of each text, with a passage for each of its pieces."""
        return opinions(texts, self.read, self.manner, self.model.rules)

    def meanings(self, texts: Sequence[str]) -> Meanings:
        """The meanings of texts (texts × dimensions), as unit vectors."""
        return self._network([cased(text, self.model.rules) for text in texts]).meanings

    def read(self, texts: Sequence[str]) -> Reading:
        """The reading of each text as a whole."""
        outcome = self._network([cased(text, self.model.rules) for text in texts])
        return Reading(
            odds=softmax(outcome.logits.astype(np.float64), self._facts.temperature),
            meanings=outcome.meanings,
            both=None if outcome.both is None else sigmoid(outcome.both[:, 0].astype(np.float64)),
            urgent=None if outcome.urgent is None else sigmoid(outcome.urgent.astype(np.float64)),
        )


def sigmoid(logits: Numbers) -> Numbers:
    """The probabilities of logits. A logit below -60 counts as -60, since `exp` would overflow."""
    probabilities: Numbers = 1 / (1 + np.exp(-np.maximum(logits, -60.0)))
    return probabilities
