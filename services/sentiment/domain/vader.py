"""VADER (Hutto & Gilbert, ICWSM 2014): a lexicon with rules for negation, emphasis and contrast. English only."""

from collections.abc import Sequence
from importlib.metadata import version

from vaderSentiment.vaderSentiment import SentimentIntensityAnalyzer

from services.sentiment.domain.scorer import Model, Opinion
from shared.events import Label

THRESHOLD = 0.05
"""VADER's own threshold of its compound score: positive from +0.05, negative from −0.05."""

NEUTRAL_CONFIDENCE = 0.4
"""The confidence in `neutral`, which mostly means that the lexicon knows none of the words."""


class VaderScorer:
    """VADER as a Scorer.

    The confidence is not calibrated: 0.5 plus half the absolute score. `mixed` is never set: VADER's shares of positive and
    negative words hardly distinguish mixed comments.
    """

    def __init__(self) -> None:
        self.model = Model("vader", version("vaderSentiment"))
        self._analyser = SentimentIntensityAnalyzer()

    def score(self, texts: Sequence[str]) -> list[Opinion]:
        """The opinion of each text, from VADER's compound score."""
        return [opinion(self._analyser.polarity_scores(text)["compound"]) for text in texts]


def opinion(compound: float) -> Opinion:
    """VADER's compound score (−1..1, four decimals) as an opinion."""
    label: Label = "positive" if compound >= THRESHOLD else "negative" if compound <= -THRESHOLD else "neutral"
    confidence = NEUTRAL_CONFIDENCE if label == "neutral" else round(0.5 + abs(compound) / 2, 4)
    return Opinion(label, compound, confidence)
