"""What a model of sentiment has to offer, and what it says of one text."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from shared.events import Label


class Model(NamedTuple):
    """A model by name and version: whatever changes a score changes the version."""

    id: str
    version: str

    def __str__(self) -> str:
        return f"{self.id}-{self.version}"


class Passage(NamedTuple):
    """A sentence or half of one, as a model read it: its score −1..1, and what it is about, a vector of length one."""

    score: float
    meaning: NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Opinion:
    """What a model reads from a text: score −1..1, confidence 0..1 in the label, calibrated or not as the model says.

    `passages` are for themes; a model that knows no meanings gives none.
    """

    label: Label
    score: float
    confidence: float
    mixed: bool = False
    passages: Sequence[Passage] = field(default=(), compare=False, repr=False)


class Scorer(Protocol):
    """A model: CPU work without side effects, safe to call from several threads, equal texts get equal opinions."""

    @property
    def model(self) -> Model: ...

    def score(self, texts: Sequence[str]) -> list[Opinion]:
        """One opinion for each text. Raises ScorerAway when it can't work now; any other exception blames a text."""
        ...


class ScorerAway(Exception):
    """The model can't score anything now; the texts are not to blame. It may say in how many seconds to ask again."""

    def __init__(self, reason: str = "", retry_after: float | None = None) -> None:
        super().__init__(reason)
        self.retry_after = retry_after
