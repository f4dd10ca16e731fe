"""Two models beside one another: what each says of a comment, and what would change if the one took the other's place."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from services.metrics.domain.comments import LABELS, Comment, effective_label
from services.metrics.domain.estimators import Estimate
from services.metrics.domain.histogram import Histogram
from services.metrics.domain.kpis import KPIS
from services.metrics.domain.measures import ABSTAINED, COMMENTS, LABEL, SENTIMENT
from services.metrics.domain.view import SubjectView
from shared.events import Label, Score

Verdict = tuple[Label | None, float | None]
"""A label and its score, as they count: a human's where there is one; None where the model has no sentiment for the text."""

COMPARED = (
    ("sentiment", ""),
    ("net_sentiment", ""),
    ("sentiment_share", "positive"),
    ("sentiment_share", "neutral"),
    ("sentiment_share", "negative"),
)
"""The KPIs that are computed with either model, and their aggregations."""


@dataclass(frozen=True, slots=True)
class Pair:
    """A comment and what the two models say of it."""

    comment: Comment
    promoted: Verdict
    candidate: Verdict

    @property
    def both(self) -> bool:
        """Whether both have a sentiment for it."""
        return self.promoted[0] is not None and self.candidate[0] is not None

    @property
    def changed(self) -> bool:
        return self.both and self.promoted[0] != self.candidate[0]


def pairs(view: SubjectView, scores: Mapping[tuple[str, str], Score], promoted: str, candidate: str) -> Iterator[Pair]:
    """Each comment of a subject with both verdicts. `scores` are by model and hash of the text."""
    for comment in view.comments:
        verdicts = []
        for model in (promoted, candidate):
            score = scores.get((model, comment.text_hash))
            verdicts.append(effective_label(score, view.overrides.get(comment.text_hash)) if score else (None, None))
        yield Pair(comment, *verdicts)


@dataclass(slots=True)
class Confusion:
    """How many comments both models have a label for, by the promoted one's label and the candidate's (−1, 0, 1)."""

    counts: Counter[tuple[int, int]] = field(default_factory=Counter)

    def add(self, found: Iterable[Pair]) -> None:
        for pair in found:
            (before, _), (after, _) = pair.promoted, pair.candidate
            if before is not None and after is not None:
                self.counts[LABELS[before], LABELS[after]] += 1

    @property
    def n(self) -> int:
        return self.counts.total()

    @property
    def changed(self) -> int:
        return sum(count for (before, after), count in self.counts.items() if before != after)

    @property
    def agreement(self) -> float | None:
        """The percentage to which both give one label; None of nothing."""
        return 100 * (self.n - self.changed) / self.n if self.n else None

    @property
    def table(self) -> dict[Label, dict[Label, int]]:
        """The counts by the promoted model's label, then the candidate's."""
        return {before: {after: self.counts[LABELS[before], LABELS[after]] for after in LABELS} for before in LABELS}


def measures(*models: str) -> tuple[str, ...]:
    """The measures that a comparison of `models` reads."""
    return (COMMENTS.family, *(measure.named(model) for model in models for measure in (LABEL, SENTIMENT, ABSTAINED)))


def scored(measured: Mapping[str, Histogram], model: str) -> int:
    """How many comments have a score of `model`, be it one without a sentiment."""
    return sum(measured[name].n for name in (LABEL.named(model), ABSTAINED.named(model)) if name in measured)


def estimates(measured: Mapping[str, Histogram], model: str) -> list[Estimate]:
    """The KPIs of COMPARED with `model` promoted."""
    found = []
    for name, agg in COMPARED:
        kpi = KPIS[name]
        read = {measure: measured[measure] for measure in kpi.selectors(kpi.filed_by[0], model) if measure in measured}
        found.append(kpi.estimate(read, agg))
    return found
