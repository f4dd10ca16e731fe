"""The KPIs: one row each, the definition as data. The estimator of a KPI states the measures that it reads."""

from services.metrics.domain import estimators
from services.metrics.domain.comments import LABELS
from services.metrics.domain.impact import IMPACTS, any_impact
from services.metrics.domain.kpi import Kpi
from services.metrics.domain.measures import (
    ABSTAINED,
    CES,
    COMMENTS,
    CSAT,
    INVITATIONS,
    LABEL,
    NPS,
    RESPONSES,
    SENTIMENT,
    STARS,
    URGENT,
)
from services.metrics.domain.sla_kpis import SLA_KPIS
from services.metrics.domain.support_kpis import SUPPORT_KPIS

__all__ = ["KPIS", "Kpi"]


_TABLE = (
    # --- ratings ---
    Kpi(
        id="nps",
        name="Net Promoter Score",
        formula="100 · (answers 9–10 − answers 0–6) / all answers",
        unit="points",
        direction="higher",
        population="answered NPS questions, 0 to 10; dismissed ones are left out",
        estimator=estimators.balance(NPS, 6, 9),
    ),
    Kpi(
        id="csat",
        name="Customer satisfaction",
        formula="100 · satisfied ratings / all ratings, satisfied as each question's form has it (4–5 of 1–5)",
        unit="percent",
        direction="higher",
        population="answered CSAT questions and ratings of tickets, of every form",
        estimator=estimators.good_share(CSAT),
    ),
    Kpi(
        id="csat_mean",
        name="Mean satisfaction rating",
        formula="sum of ratings / number of ratings, of one form; no value for ratings of several forms",
        unit="rating",
        direction="higher",
        population="answered CSAT questions and ratings of tickets",
        estimator=estimators.form_mean(CSAT),
    ),
    Kpi(
        id="ces",
        name="Customer Effort Score",
        formula="100 · answers that it was easy (5–7 of 1–7) / all answers",
        unit="percent",
        direction="higher",
        population="answered effort questions, of every form",
        estimator=estimators.good_share(CES),
    ),
    Kpi(
        id="ces_mean",
        name="Mean effort rating",
        formula="sum of ratings / number of ratings, of one form; no value for ratings of several forms",
        unit="rating",
        direction="higher",
        population="answered effort questions",
        estimator=estimators.form_mean(CES),
    ),
    Kpi(
        id="ces_index",
        name="Effort index",
        formula="100 · (answers that it was very easy (6–7 of 1–7) − answers that it was hard (1–3 of 1–7)) / all answers",
        unit="points",
        direction="higher",
        population="answered effort questions, of every form; on other scales hard is the third at that end, and very easy is "
        "the third at the other end except its least easy rating",
        estimator=estimators.index(CES),
    ),
    Kpi(
        id="stars",
        name="Mean stars",
        formula="sum of stars / reviews with stars",
        unit="stars",
        direction="higher",
        population="reviews with 1 to 5 stars",
        estimator=estimators.mean(STARS, scale=(1, 5)),
    ),
    Kpi(
        id="stars_share",
        name="Reviews of 4 and 5 stars",
        formula="100 · reviews of 4–5 stars / reviews with stars",
        unit="percent",
        direction="higher",
        population="reviews with 1 to 5 stars",
        estimator=estimators.share(STARS, 4),
    ),
    Kpi(
        id="response_rate",
        name="Response rate",
        formula="100 · invitations with a response / invitations, by the time at which they were sent",
        unit="percent",
        direction="higher",
        population="invitations of tools that state when they sent them; groups are of the dimensions that the first invitation"
        " states, so that neither reminders nor answers change them",
        estimator=estimators.share(INVITATIONS, 1),
    ),
    Kpi(
        id="comment_rate",
        name="Comment rate",
        formula="100 · responses with a comment / all responses",
        unit="percent",
        direction="higher",
        population="survey responses; invitations not yet answered are left out",
        estimator=estimators.share(RESPONSES, 1),
    ),
    # --- comments ---
    Kpi(
        id="sentiment",
        name="Mean sentiment",
        formula="sum of the scores of comments, −1 to 1 / scored comments",
        unit="score",
        direction="higher",
        population="customers' comments that the promoted model scored; a human's judgement replaces its score by −1, 0 or 1",
        estimator=estimators.mean(SENTIMENT, scale=(-1, 1)),
    ),
    Kpi(
        id="net_sentiment",
        name="Net sentiment",
        formula="100 · (positive comments − negative comments) / scored comments",
        unit="points",
        direction="higher",
        population="customers' comments that the promoted model labelled; a human's label replaces the model's",
        estimator=estimators.balance(LABEL, -1, 1),
    ),
    Kpi(
        id="sentiment_share",
        name="Share of a sentiment",
        formula="100 · comments of the label / scored comments",
        unit="percent",
        direction="none",
        population="customers' comments that the promoted model labelled; a human's label replaces the model's",
        estimator=estimators.label_share(LABEL, {label: LABELS[label] for label in ("positive", "neutral", "negative")}),
    ),
    Kpi(
        id="sentiment_coverage",
        name="Sentiment coverage",
        formula="100 · comments with a sentiment / comments",
        unit="percent",
        direction="higher",
        population="customers' comments; one that says nothing, such as “n/a”, has no sentiment",
        estimator=estimators.ratio(LABEL, COMMENTS, part=True),
    ),
    Kpi(
        id="theme_volume",
        name="Comments by theme",
        formula="count of scored comments; a comment counts once under each of its themes",
        unit="count",
        direction="none",
        population="customers' comments that the promoted model scored, with or without a sentiment; a human's themes replace the"
        " model's; a comment without themes is in the group null",
        estimator=estimators.count(LABEL, ABSTAINED),
        min_n=0,
    ),
    Kpi(
        id="theme_sentiment",
        name="Mean sentiment by theme",
        formula="sum of the scores of comments, −1 to 1 / scored comments; a comment counts once under each of its themes",
        unit="score",
        direction="higher",
        population="customers' comments to which the promoted model gave a sentiment; the score is that of the whole comment, and"
        " a human's judgement replaces it by −1, 0 or 1",
        estimator=estimators.mean(SENTIMENT, scale=(-1, 1)),
    ),
    Kpi(
        id="theme_impact",
        name="Impact of a theme",
        formula="KPI of all answers − KPI of the answers without the theme; the KPI is nps, csat or sentiment, by `agg`",
        unit="points",
        direction="higher",
        population="answers of responses, or ratings of tickets, with a comment that the promoted model gave the theme; for "
        "sentiment these comments; n counts them. Without group_by=theme: any theme. It is an association, and impacts don't add"
        " up",
        estimator=any_impact(),
        impacts=IMPACTS,
    ),
    Kpi(
        id="urgent_comments",
        name="Urgent comments",
        formula="count of comments with a reason for urgency; a comment counts once under each of its reasons",
        unit="count",
        direction="lower",
        population="customers' comments in which the promoted model found a reason, with or without a sentiment",
        estimator=estimators.count(URGENT),
        min_n=0,
    ),
    *SUPPORT_KPIS,
    *SLA_KPIS,
)

KPIS: dict[str, Kpi] = {kpi.id: kpi for kpi in _TABLE}
"""Every KPI by its id, in the order of the catalogue."""
