"""`python -m deploy.kpis_page`: write docs/kpis.md, the definition of every KPI, from the table that computes them."""

from pathlib import Path

from services.metrics.domain.kpis import KPIS, Kpi
from services.metrics.domain.measure import MULTI_VALUED

PAGE = Path(__file__).parents[1] / "docs" / "kpis.md"
INTRODUCTION = """\
# Definitions of the KPIs

Written by `python -m deploy.kpis_page` from `services/metrics/domain/kpis.py`; a test compares them. Don't edit.

Rules for all:

- Values are computed from counts and never rounded; ratios are recombined from their parts, never averaged.
- Shares are in percent (0 to 100), NPS and other balances in points (−100 to 100), spans in seconds, sentiment in −1 to 1.
- A value without anything to count is null, not 0; a KPI that is itself a count is then 0. Below `min_n` a value has the flag
  `low_n`.
- Buckets are half-open, `[start, end)`, in a named zone; both ends, with their offset, are on every row.
- Medians and other percentiles come from bins whose bounds lie 2 % apart, so they are right to 1 %; means are exact. The age of
  the backlog is right to seven and a half minutes.
- Intervals are of 95 %: adjusted Wald for balances, Wilson for shares, Student's t for means, order statistics for percentiles.
  Each is clipped to the scale of its value and always includes the value itself, also where n is tiny.
- Repeated answers of one person all count; `per=respondent` keeps the latest of each in a bucket. A question's form (scale,
  positive from, polarity) is part of the measure, so ratings of two forms never share a bin.
- A ticket's team and agent are those at the time of the event; before the first assignment, the first ever. Other dimensions are
  the subject's latest. Merged, spam and deleted tickets are left out of every KPI, also of the past. Nothing counts before
  a ticket's opening is known. A duration that would be negative, because
  clocks differ, is left out.
- Statuses with equal times apply in the order in which they were received; those of one record in the order of a ticket's life
  (new to closed). Where a tool leaves out seconds, a status or reply within the minute of the opening counts as 0 seconds
  after it: its time is the whole minute of the opening. A message of the opening's very time with seconds is not after it.
- An opening is never a reply. A message that repeats the opening (same author, same text, at most 5 seconds apart or at the whole
  minute of the opening) counts as the opening: it is neither a reply nor a second comment.
- A wait for a next reply begins with the customer's first public message after a human agent's, and ends with the next public
  message by a human agent or with a solve. After a solve that ended one, the next wait begins after an agent's next message. Of
  events with one time the customer's message comes first, then the reply, then the solve.
- Durations are in calendar seconds. With `hours=business` they are the seconds in which the calendar of the team that held the
  ticket was open (queries.md, "Business hours"); a ticket has none if for a part of its time there was no calendar.
- Only the promoted sentiment model's scores count; two models are never averaged.
- Every KPI can be grouped and filtered by source, connection, channel, survey, product, region, language, team, agent, segment
  and priority; those of scored comments also by theme and urgency, of which a comment may have several. `group_by=theme` counts
  it once under each of its themes, a total counts it once. `filter[theme]=a,b` selects the comments with a or b, `!a` those
  without a, `null` those without any theme; with `group_by=theme` each of the themes of the selected comments is a group.

Defaults of forms: a CSAT rating is satisfied from 4 on scale 1–5, 6 on 1–7, 3 on 1–4 and on 1–3, 2 on 1–2, 1 on 0–1. Effort is
CES 2.0, 1–7 where 7 is easy. A question counts as NPS only where it is declared, or typed by its tool, as NPS.
"""


INTERVALS = {
    "adjusted_wald": "adjusted Wald",
    "wilson": "Wilson",
    "t": "Student's t for the mean",
    "order_statistics": "order statistics",
    "bootstrap": "bootstrap with a fixed seed",
}
"""The methods of intervals, in words."""


def page() -> str:
    """The content of the page."""
    return "\n".join([INTRODUCTION, *(_section(kpi) for kpi in KPIS.values())])


def _section(kpi: Kpi) -> str:
    facts = [
        f"**Formula** (version {kpi.version}): {kpi.formula}",
        f"**Counts**: {kpi.population}",
        f"**Unit**: {kpi.unit}; better: {kpi.direction}",
        f"**Filed by** the time of: {', '.join(kpi.filed_by)}",
        f"**Computed** from {', '.join(f'`{family}`' for family in kpi.measure_families)} as a {kpi.estimator.kind}",
        f"**Interval**: {', '.join(INTERVALS[method] for method in kpi.estimator.intervals) or 'none'}",
        f"**Null** if: {kpi.null_if}",
    ]
    if several := [dimension for dimension in kpi.dimensions if dimension in MULTI_VALUED]:
        facts.append(f"**Also by**: {', '.join(several)}")
    if kpi.aggregations:
        facts.append(f"**agg**: {', '.join(kpi.aggregations)}")
    if kpi.hours:
        facts.append(f"**hours**: {', '.join(kpi.hours)}")
    return "\n".join([f"## {kpi.name} (`{kpi.id}`)", "", *(f"- {fact}" for fact in facts), ""])


if __name__ == "__main__":
    PAGE.write_text(page())
