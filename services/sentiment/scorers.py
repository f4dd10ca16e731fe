"""The models by the names that settings give them."""

from collections.abc import Callable, Mapping

from services.sentiment.domain.batching import TEXTS
from services.sentiment.domain.linear import LinearScorer
from services.sentiment.domain.scorer import Scorer
from services.sentiment.domain.themes import Finder
from services.sentiment.domain.transformer import TransformerScorer
from services.sentiment.domain.vader import VaderScorer
from services.sentiment.network import read_transformer
from services.sentiment.pool import Pool
from services.sentiment.remote import remote_of
from services.sentiment.settings import ScorerName, Settings
from services.sentiment.weights import read_linear

SHIPPED: Mapping[str, Callable[[], Scorer]] = {
    "e5": read_transformer,
    "linear": lambda: LinearScorer(read_linear()),
    "vader": VaderScorer,
}
"""The models that come with Earshot."""


def scorer_of(name: ScorerName, settings: Settings) -> Scorer:
    """The model of this name. Raises BrokenModel where its files can't be read."""
    return remote_of(settings) if name == "http" else SHIPPED[name]()


def pool_of(scorer: Scorer, name: ScorerName, settings: Settings, threads: int) -> Pool:
    """A pool for a model, that finds themes if the model tells what texts mean."""
    return Pool(scorer, threads, settings.scorer_batch if name == "http" else TEXTS, finder_of(scorer))


def finder_of(scorer: Scorer) -> Finder | None:
    """What finds themes by the model's meanings; None where it knows none."""
    return Finder(scorer.meanings, scorer.near) if isinstance(scorer, TransformerScorer) else None
