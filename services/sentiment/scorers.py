"""Create the models by their names in the settings."""

from collections.abc import Callable, Mapping

from services.sentiment.domain.batching import TEXTS
from services.sentiment.domain.linear import LinearScorer
from services.sentiment.domain.scorer import Scorer
from services.sentiment.domain.themes import Finder
from services.sentiment.domain.transformer import TransformerScorer
from services.sentiment.domain.vader import VaderScorer
from services.sentiment.network import E5_4, E5_5, E5_6, PREVIOUS_E5, read_transformer
from services.sentiment.pool import Pool
from services.sentiment.remote import remote_scorer_of
from services.sentiment.settings import ScorerName, Settings
from services.sentiment.weights import read_linear

SHIPPED: Mapping[str, Callable[[], Scorer]] = {
    "e5": read_transformer,
    "e5-6": lambda: read_transformer(E5_6),
    "e5-5": lambda: read_transformer(E5_5),
    "e5-4": lambda: read_transformer(E5_4),
    "e5-2": lambda: read_transformer(PREVIOUS_E5),
    "linear": lambda: LinearScorer(read_linear()),
    "vader": VaderScorer,
}
"""The models that are part of Earshot."""


def scorer_of(name: ScorerName, settings: Settings) -> Scorer:
    """The model of this name. Raises BrokenModel if its files can't be read."""
    return remote_scorer_of(settings) if name == "http" else SHIPPED[name]()


def pool_of(scorer: Scorer, name: ScorerName, settings: Settings, threads: int) -> Pool:
    """A pool for a model, which finds themes if the model has embeddings."""
    return Pool(scorer, threads, settings.scorer_batch if name == "http" else TEXTS, finder_of(scorer))


def finder_of(scorer: Scorer) -> Finder | None:
    """The finder of themes for a model; None if it has no embeddings."""
    return Finder(scorer.meanings, scorer.near, scorer.behind) if isinstance(scorer, TransformerScorer) else None
