"""The KPIs: one row each, definition as data.

`measures` names what a query must fetch, a family (ending in a colon) or one measure, where `{model}` stands for the promoted
sentiment model and `{filed_by}` for the time that files a record.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from services.metrics.domain import estimates
from services.metrics.domain.estimates import Estimate, Estimator
from services.metrics.domain.histogram import Histogram
from shared.events import DIMENSIONS

SPAN_AGGREGATIONS = ("p50", "p90", "p95", "mean")
ENTRY = (
    "id",
    "version",
    "name",
    "formula",
    "unit",
    "direction",
    "population",
    "filed_by",
    "dimensions",
    "aggregations",
    "min_n",
)
"""What the catalogue shows of a KPI, in this order."""

LABELS = {"negative": -1, "neutral": 0, "positive": 1}


@dataclass(frozen=True, slots=True, kw_only=True)
class Kpi:
    """One definition. `filed_by` and `aggregations` begin with their default; `instant`: the sum of all before a time."""

    id: str
    version: int = 1
    name: str
    formula: str
    unit: str
    direction: str
    population: str
    filed_by: tuple[str, ...]
    measures: tuple[str, ...]
    estimator: Estimator
    aggregations: tuple[str, ...] = ()
    min_n: int = 30
    instant: bool = False

    def reads(self, filed_by: str, model: str) -> tuple[str, ...]:
        """The measures that a query must fetch; one that ends in a colon means its whole family."""
        return tuple(m.replace("{filed_by}", filed_by).replace("{model}", model) for m in self.measures)

    @property
    def announce(self) -> frozenset[str]:
        """The families of measures whose change may change this KPI."""
        return frozenset(measure.partition(":")[0] for measure in self.measures)

    def estimate(self, histograms: Mapping[str, Histogram], agg: str = "") -> Estimate:
        """The value that these histograms, by full measure name, give; `agg` is one of `aggregations`, empty for the default."""
        found = self.estimator(histograms, agg or (self.aggregations[0] if self.aggregations else ""))
        if found.value is not None and found.n < self.min_n:
            found = replace(found, flags=(*found.flags, "low_n"))
        return found

    def entry(self) -> dict[str, object]:
        """This KPI in the catalogue that `GET /v1/kpis` shows."""
        return {field: DIMENSIONS if field == "dimensions" else getattr(self, field) for field in ENTRY}


_TABLE = (
    # --- ratings ---
    Kpi(
        id="nps",
        name="Net Promoter Score",
        formula="100 · (answers 9–10 − answers 0–6) / all answers",
        unit="points",
        direction="higher",
        population="answered NPS questions, 0 to 10; dismissed ones are left out",
        filed_by=("answered",),
        measures=("nps",),
        estimator=estimates.balance("nps", 6, 9),
    ),
    Kpi(
        id="csat",
        name="Customer satisfaction",
        formula="100 · satisfied ratings / all ratings, satisfied as each question's form has it (4–5 of 1–5)",
        unit="percent",
        direction="higher",
        population="answered CSAT questions and ratings of tickets, of every form",
        filed_by=("rated",),
        measures=("csat:",),
        estimator=estimates.good_share("csat"),
    ),
    Kpi(
        id="csat_mean",
        name="Mean satisfaction rating",
        formula="sum of ratings / ratings, of one form; none where several forms meet",
        unit="rating",
        direction="higher",
        population="answered CSAT questions and ratings of tickets",
        filed_by=("rated",),
        measures=("csat:",),
        estimator=estimates.form_mean("csat"),
    ),
    Kpi(
        id="ces",
        name="Customer Effort Score",
        formula="100 · answers that it was easy (5–7 of 1–7) / all answers",
        unit="percent",
        direction="higher",
        population="answered effort questions, of every form",
        filed_by=("answered",),
        measures=("ces:",),
        estimator=estimates.good_share("ces"),
    ),
    Kpi(
        id="ces_mean",
        name="Mean effort rating",
        formula="sum of ratings / ratings, of one form; none where several forms meet",
        unit="rating",
        direction="higher",
        population="answered effort questions",
        filed_by=("answered",),
        measures=("ces:",),
        estimator=estimates.form_mean("ces"),
    ),
    Kpi(
        id="stars",
        name="Mean stars",
        formula="sum of stars / reviews with stars",
        unit="stars",
        direction="higher",
        population="reviews with 1 to 5 stars",
        filed_by=("reviewed",),
        measures=("stars:1..5",),
        estimator=estimates.mean("stars"),
    ),
    Kpi(
        id="stars_share",
        name="Reviews of 4 and 5 stars",
        formula="100 · reviews of 4–5 stars / reviews with stars",
        unit="percent",
        direction="higher",
        population="reviews with 1 to 5 stars",
        filed_by=("reviewed",),
        measures=("stars:1..5",),
        estimator=estimates.share("stars", 4),
    ),
    Kpi(
        id="comment_rate",
        name="Comment rate",
        formula="100 · responses with a comment / all responses",
        unit="percent",
        direction="higher",
        population="survey responses; invitations not yet answered are left out",
        filed_by=("answered",),
        measures=("responses",),
        estimator=estimates.share("responses", 1),
    ),
    # --- comments ---
    Kpi(
        id="sentiment",
        name="Mean sentiment",
        formula="sum of the scores of comments, −1 to 1 / scored comments",
        unit="score",
        direction="higher",
        population="customers' comments that the promoted model scored; a human's judgement replaces its score by −1, 0 or 1",
        filed_by=("commented",),
        measures=("sentiment:{model}",),
        estimator=estimates.mean("sentiment", unit=1000),
    ),
    Kpi(
        id="net_sentiment",
        name="Net sentiment",
        formula="100 · (positive comments − negative comments) / scored comments",
        unit="points",
        direction="higher",
        population="customers' comments that the promoted model labelled; a human's label replaces its own",
        filed_by=("commented",),
        measures=("label:{model}",),
        estimator=estimates.balance("label", -1, 1),
    ),
    Kpi(
        id="sentiment_share",
        name="Share of a sentiment",
        formula="100 · comments of the label / scored comments",
        unit="percent",
        direction="none",
        population="customers' comments that the promoted model labelled; a human's label replaces its own",
        filed_by=("commented",),
        measures=("label:{model}",),
        estimator=estimates.label_share("label", LABELS),
        aggregations=("positive", "neutral", "negative"),
    ),
    Kpi(
        id="sentiment_coverage",
        name="Sentiment coverage",
        formula="100 · comments with a sentiment / comments",
        unit="percent",
        direction="higher",
        population="customers' comments; one that says nothing, such as “n/a”, has no sentiment",
        filed_by=("commented",),
        measures=("label:{model}", "comments"),
        estimator=estimates.ratio("label", "comments", part=True),
    ),
    # --- support ---
    Kpi(
        id="tickets_opened",
        name="Tickets opened",
        formula="count of tickets",
        unit="count",
        direction="none",
        population="tickets but merged, spam and deleted ones",
        filed_by=("opened",),
        measures=("opened",),
        estimator=estimates.counted("opened"),
        min_n=0,
    ),
    Kpi(
        id="tickets_dropped",
        name="Tickets dropped",
        formula="count of merged, spam and deleted tickets",
        unit="count",
        direction="lower",
        population="tickets that are merged, spam or deleted",
        filed_by=("dropped",),
        measures=("dropped",),
        estimator=estimates.counted("dropped"),
        min_n=0,
    ),
    Kpi(
        id="tickets_solved",
        name="Tickets solved",
        formula="count of passages from an unsolved status to solved or closed",
        unit="count",
        direction="higher",
        population="tickets but merged, spam and deleted ones; one that is solved twice counts twice",
        filed_by=("solved",),
        measures=("solved",),
        estimator=estimates.counted("solved"),
        min_n=0,
    ),
    Kpi(
        id="tickets_reopened",
        name="Tickets reopened",
        formula="count of passages from solved or closed back to an unsolved status",
        unit="count",
        direction="lower",
        population="tickets but merged, spam and deleted ones",
        filed_by=("reopened",),
        measures=("reopened",),
        estimator=estimates.counted("reopened"),
        min_n=0,
    ),
    Kpi(
        id="backlog",
        name="Backlog",
        formula="tickets opened before the instant and not solved or closed just before it",
        unit="count",
        direction="lower",
        population="tickets but merged, spam and deleted ones",
        filed_by=("held",),
        measures=("backlog",),
        estimator=estimates.summed("backlog"),
        min_n=0,
        instant=True,
    ),
    Kpi(
        id="first_reply_time",
        name="First reply time",
        formula="time of the first public message by a human agent after the opening − time of the opening",
        unit="seconds",
        direction="lower",
        population="tickets with such a reply; bots' and automatic replies don't count",
        filed_by=("replied", "created"),
        measures=("first_reply:{filed_by}",),
        estimator=estimates.span("first_reply"),
        aggregations=SPAN_AGGREGATIONS,
    ),
    Kpi(
        id="first_resolution_time",
        name="First resolution time",
        formula="time of the first passage to solved or closed − time of the opening; a reopening doesn't change it",
        unit="seconds",
        direction="lower",
        population="tickets that were ever solved or closed",
        filed_by=("solved",),
        measures=("first_resolution",),
        estimator=estimates.span("first_resolution"),
        aggregations=SPAN_AGGREGATIONS,
    ),
    Kpi(
        id="full_resolution_time",
        name="Full resolution time",
        formula="time of the last passage to solved or closed − time of the opening, while the ticket stays so",
        unit="seconds",
        direction="lower",
        population="tickets that are solved or closed; a reopened one is left out until it is solved again",
        filed_by=("solved",),
        measures=("full_resolution",),
        estimator=estimates.span("full_resolution"),
        aggregations=SPAN_AGGREGATIONS,
    ),
    Kpi(
        id="resolution_rate",
        name="Resolution rate",
        formula="100 · tickets whose standing solve falls in the period / tickets opened in it; may pass 100",
        unit="percent",
        direction="higher",
        population="tickets but merged, spam and deleted ones; n is the opened",
        filed_by=("event",),
        measures=("standing_solve", "opened"),
        estimator=estimates.ratio("standing_solve", "opened", part=False),
    ),
    Kpi(
        id="reopen_rate",
        name="Reopen rate",
        formula="100 · tickets ever reopened / tickets whose first solve falls in the period",
        unit="percent",
        direction="lower",
        population="tickets that were ever solved or closed",
        filed_by=("first_solved",),
        measures=("first_solve",),
        estimator=estimates.share("first_solve", 1),
    ),
)

KPIS: dict[str, Kpi] = {kpi.id: kpi for kpi in _TABLE}
"""Every KPI by its id, in the order of the catalogue."""
