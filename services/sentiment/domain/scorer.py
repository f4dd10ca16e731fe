"""The interface of a sentiment model, and its opinion of a text."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from shared.events import Label, Urgency


class Model(NamedTuple):
    """Id and version of a model. Every change that can change a score changes the version.

    `rules`: the version of the rules around it, with which it was trained and calibrated: see `domain/versions.py`.
    """

    id: str
    version: str
    rules: int = 1

    def __str__(self) -> str:
        return f"{self.id}-{self.version}"


class Passage(NamedTuple):
    """A sentence or half of one as read by a model: its score −1..1 and its meaning, a unit vector."""

    score: float
    meaning: NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Opinion:
    """A model's opinion of a text: score −1..1, and confidence 0..1 in the label, calibrated if the model's card says so.

    `urgency`: the reasons why the text is urgent that the model has learnt to find, in the order of `Urgency`; `improbable`:
    those that do not apply although a phrase may name them. `passages` are for themes; a model without embeddings returns none.
    """

    label: Label
    score: float
    confidence: float
    mixed: bool = False
    urgency: tuple[Urgency, ...] = ()
    improbable: tuple[Urgency, ...] = ()
    passages: Sequence[Passage] = field(default=(), compare=False, repr=False)


class Scorer(Protocol):
    """A model: CPU work without side effects, thread-safe. Equal texts get equal opinions."""

    @property
    def model(self) -> Model:
        """The name and version under which scores are stored."""
        ...

    def score(self, texts: Sequence[str]) -> list[Opinion]:
        """One opinion for each text. Raises ScorerUnavailable if the model can't work; any other exception is a text's fault."""
        ...


class ScorerUnavailable(Exception):
    """The model can't score anything now; the texts are sound. `retry_after`: seconds, if the model states them."""

    def __init__(self, reason: str = "", retry_after: float | None = None) -> None:
        super().__init__(reason)
        self.retry_after = retry_after
