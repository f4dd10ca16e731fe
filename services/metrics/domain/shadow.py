"""Compare a candidate model with the promoted one: their labels of each comment, and KPIs with either."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from services.metrics.domain.comments import LABELS, Comment, effective_label
from services.metrics.domain.estimator import Estimate
from services.metrics.domain.histogram import Histogram
from services.metrics.domain.kpis import KPIS
from services.metrics.domain.measures import ABSTAINED, COMMENTS, LABEL, SENTIMENT
from services.metrics.domain.view import SubjectView
from shared.events import Label, Score

Verdict = tuple[Label | None, float | None]
"""The effective label and score of a comment for one model; None if the model gave no sentiment."""

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
    """A comment with the verdicts of both models."""

    comment: Comment
    promoted: Verdict
    candidate: Verdict

    @property
    def both(self) -> bool:
        """Whether both models have a label for it."""
        return self.promoted[0] is not None and self.candidate[0] is not None

    @property
    def changed(self) -> bool:
        """Whether both models have a label for it, and not the same one."""
        return self.both and self.promoted[0] != self.candidate[0]


def pairs(view: SubjectView, scores: Mapping[tuple[str, str], Score], promoted: str, candidate: str) -> Iterator[Pair]:
    """Each comment of a subject with both verdicts. `scores` are by model and text hash."""
    for comment in view.comments:
        verdicts: list[Verdict] = []
        for model in (promoted, candidate):
            score = scores.get((model, comment.text_hash))
            verdicts.append(effective_label(score, view.overrides.get(comment.text_hash)) if score else (None, None))
        yield Pair(comment, *verdicts)


@dataclass(slots=True)
class Confusion:
    """The number of comments for which both models have a label, by the bins (−1, 0, 1) of the promoted one's label and the
    candidate's."""

    counts: Counter[tuple[int, int]] = field(default_factory=Counter)

    def add(self, pairs: Iterable[Pair]) -> None:
        """Count the pairs that have both labels."""
        for pair in pairs:
            (before, _), (after, _) = pair.promoted, pair.candidate
            if before is not None and after is not None:
                self.counts[LABELS[before], LABELS[after]] += 1

    @property
    def n(self) -> int:
        """Comments for which both models have a label."""
        return self.counts.total()

    @property
    def changed(self) -> int:
        """Comments whose labels differ."""
        return sum(count for (before, after), count in self.counts.items() if before != after)

    @property
    def agreement(self) -> float | None:
        """The percentage of equal labels; None if there are no comments."""
        return 100 * (self.n - self.changed) / self.n if self.n else None

    @property
    def table(self) -> dict[Label, dict[Label, int]]:
        """The counts by the promoted model's label, then by the candidate's."""
        return {before: {after: self.counts[LABELS[before], LABELS[after]] for after in LABELS} for before in LABELS}


def selectors(*models: str) -> tuple[str, ...]:
    """The names of the measures that a comparison of `models` reads."""
    return (COMMENTS.family, *(measure.named(model) for model in models for measure in (LABEL, SENTIMENT, ABSTAINED)))


def scored(histograms: Mapping[str, Histogram], model: str) -> int:
    """The number of comments that `model` scored, with or without a label."""
    return sum(histograms[name].n for name in (LABEL.named(model), ABSTAINED.named(model)) if name in histograms)


def estimates(histograms: Mapping[str, Histogram], model: str) -> list[Estimate]:
    """The KPIs of COMPARED as they are if `model` is promoted."""
    values = []
    for name, agg in COMPARED:
        kpi = KPIS[name]
        read = {measure: histograms[measure] for measure in kpi.selectors(kpi.filed_by[0], model) if measure in histograms}
        values.append(kpi.estimate(read, agg))
    return values
