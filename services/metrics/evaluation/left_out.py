"""Count by reason the tickets, answers and comments that a query leaves out of a KPI.

Everything follows from the measures that the KPI reads, so a new KPI needs nothing here. Tickets without a value count by their
opening: those that were opened in the query's window and pass its filters then.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal

from msgspec import structs

from services.metrics.domain.comments import effective_label
from services.metrics.domain.contributions import Contribution, contributions
from services.metrics.domain.measure import Measure, stem_of
from services.metrics.domain.measures import COMMENTS, RESPONSES, STARS
from services.metrics.domain.preset_tickets import ticket_under
from services.metrics.domain.presets import OURS
from services.metrics.domain.sla_reasons import reason_without_outcome
from services.metrics.domain.sla_rows import TARGETS
from services.metrics.domain.terms import Terms
from services.metrics.domain.ticket import TicketView
from services.metrics.domain.ticket_measures import (
    DROPPED,
    FIRST_REPLY,
    FIRST_RESOLUTION,
    NEXT_REPLY,
    OPENED,
    SLA_NEXT_REPLY,
)
from services.metrics.domain.view import SubjectView
from services.metrics.evaluation.recount import Recount
from shared.events import Score

Of = Literal["tickets", "waits", "responses", "reviews", "comments", "answers"]


@dataclass(frozen=True, slots=True)
class Reason:
    """Why something is left out. `of`: what is counted."""

    of: Of
    text: str


REASONS = {
    "dropped": Reason("tickets", "The ticket is merged, spam or deleted"),
    "no_reply": Reason("tickets", "Opened in the window, and no human agent has replied"),
    "unsolved": Reason("tickets", "Opened in the window, and not solved or closed"),
    "no_value": Reason("tickets", "Opened in the window, and nothing has happened that gives it a value"),
    "negative_duration": Reason("tickets", "The duration would be negative, because the clocks of the tool differ"),
    "no_calendar": Reason("tickets", "There was no calendar for a part of the time"),
    "unanswered": Reason("waits", "The ticket was solved while the customer waited for a further reply"),
    "no_target": Reason("tickets", "Opened in the window, and no SLA policy gives it such a target"),
    "cancelled": Reason("tickets", "Opened in the window, and the target was cancelled: solved in time without a reply"),
    "cancelled_wait": Reason(
        "waits", "Of a ticket opened in the window that has other targets: solved in time while the customer waited for a reply"
    ),
    "paused": Reason("tickets", "Opened in the window, and the time of its target is paused by its status"),
    "running": Reason("tickets", "Opened in the window, and the deadline of its target lies in the future"),
    "not_scored": Reason("comments", "The promoted model has not scored the comment"),
    "no_sentiment": Reason(
        "comments", "The comment says nothing, such as “n/a”, or is in a language that the model doesn't know"
    ),
    "no_answer": Reason("responses", "The response has no answer to such a question"),
    "no_stars": Reason("reviews", "The review has no stars"),
    "earlier_answer": Reason("answers", "The customer gave a later answer in the same bucket"),
}
"""Every reason by its name."""

WITHOUT_DURATION = {FIRST_REPLY.family: "no_reply", NEXT_REPLY.family: "no_value"}
"""Why a ticket has no row of a duration; `unsolved` for every other one."""


@dataclass(frozen=True, slots=True)
class FoldedSubject:
    """A subject with its current state, the scores of its comments, and its contributions, computed from its statements."""

    view: SubjectView
    scores: Mapping[tuple[str, str], Score]
    rows: Sequence[Contribution]

    def row_of(self, measure: str) -> Contribution | None:
        """Its first contribution to a measure."""
        return next((row for row in self.rows if row.measure == measure), None)


class LeftOutCounts:
    """Counts by reason what a query leaves out. `recount` knows its window, its filters and its measures."""

    def __init__(self, recount: Recount, terms: Terms, model: str, now: datetime) -> None:
        self.counts: Counter[str] = Counter()
        self._recount = recount
        self._kpi = recount.query.kpi
        self._terms = terms
        self._model = model
        self._now = now

    def add(self, subject: FoldedSubject) -> None:
        """Count the parts of a subject that are left out."""
        if (ticket := subject.view.ticket) is not None:
            if ticket.dropped is not None:
                self._add_dropped(subject, ticket, ticket.dropped)
            elif not self._kpi.instant:
                self._add_ticket(subject, ticket)
        elif all(measure.bins == "rating" for measure in self._kpi.measures) and self._kpi.whole is None:
            self._add_unanswered(subject)
        if self._kpi.whole is None and all(measure.by_model for measure in self._kpi.measures):
            self._add_comments(subject)

    def _add_dropped(self, subject: FoldedSubject, ticket: TicketView, dropped: datetime) -> None:
        """Count a ticket dropped at that time if the query would count any of it otherwise, or if a target ran then.

        Some KPIs and presets count dropped tickets.
        """
        if DROPPED.family in self._kpi.families or any(self._recount.reads(row.measure) for row in subject.rows):
            return
        undropped = structs.replace(subject.view, ticket=structs.replace(ticket, dropped=None))
        of_undropped = contributions(undropped, subject.scores, self._terms)
        rows = [row for row in of_undropped if self._recount.counts(row)]
        if self._kpi.of_policies and not self._kpi.instant and not rows:
            running = any(self._recount.reads(row.measure) and row.at > dropped for row in of_undropped)
            rows = [row for row in of_undropped if running and row.measure == OPENED.family and self._selects(row)]
        if sum(row.amount for row in rows) > 0 if self._kpi.instant else rows:
            self.counts["dropped"] += 1

    def _add_ticket(self, subject: FoldedSubject, ticket: TicketView) -> None:
        """Count a ticket that was opened in the window and has no value, if the KPI is of a duration or of SLA targets."""
        opening = subject.row_of(OPENED.family)
        if opening is None or not self._recount.passes_filters(opening):
            return
        own = [row for row in subject.rows if self._recount.reads(row.measure)]
        durations = [measure for measure in self._kpi.measures if measure.unit == "seconds"]
        if NEXT_REPLY.family in {measure.calendar_family for measure in durations if not measure.preset}:
            self.counts["unanswered"] += sum(
                wait.solved is not None and self._recount.in_window(wait.solved) for wait in ticket.waits
            )
        if durations and not own:
            self._add_without_duration(subject, ticket, durations[0], opening)
        elif self._kpi.of_policies and self._recount.in_window(opening.at):
            if not own:
                self.counts[self._reason_without_outcome(subject.view, ticket)] += 1
            else:
                self._add_targets(ticket, own)

    def _reason_without_outcome(self, view: SubjectView, ticket: TicketView) -> str:
        """Why a ticket has no outcome of the SLA target that the KPI counts, under the query's preset."""
        measure = self._kpi.measures[0]
        metric = next(metric for metric, target in TARGETS.items() if target.family == measure.family)
        rules = next((preset.rules for preset in self._terms.presets if preset.id == measure.preset), OURS)
        return reason_without_outcome(metric, view, ticket_under(ticket, rules), self._terms, rules)

    def _add_targets(self, ticket: TicketView, own: Sequence[Contribution]) -> None:
        """Count a ticket whose target is still running, and those of its waits that a solve ended in time."""
        if any(row.at >= self._now for row in own):
            self.counts["running"] += 1
        if self._kpi.measures[0] == SLA_NEXT_REPLY:
            unanswered = sum(wait.replied is None for wait in ticket.waits)
            self.counts["cancelled_wait"] += min(len(ticket.waits) - len(own), unanswered)

    def _add_without_duration(self, subject: FoldedSubject, ticket: TicketView, measure: Measure, opening: Contribution) -> None:
        calendar_family = measure.calendar_family
        calendar = replace(measure, family=calendar_family)
        stems = {calendar.stem, calendar_family}  # a preset may have ours in all seconds, and its own in business hours
        calendar_rows = [row for row in subject.rows if stem_of(row.measure) in stems]
        if calendar_family != measure.family and calendar_rows:
            filed_by = self._recount.query.filed_by or self._kpi.filed_by[0]
            filed = {filing.selector(filed_by, self._model) for filing in (calendar, replace(calendar, preset=""))}
            if any(row.measure in filed and self._recount.in_window(row.at) for row in calendar_rows):
                self.counts["no_calendar"] += 1
        elif self._recount.in_window(opening.at):
            negative = has_negative_duration(ticket, calendar_family)
            self.counts["negative_duration" if negative else WITHOUT_DURATION.get(calendar_family, "unsolved")] += 1

    def _add_unanswered(self, subject: FoldedSubject) -> None:
        """Count a response or a review without the rating that the KPI counts."""
        reviews = STARS.family in self._kpi.families
        if any(self._recount.reads(row.measure) for row in subject.rows):
            return
        if reviews and subject.view.review is not None:
            comment = subject.row_of(COMMENTS.family)
            if comment is not None and self._selects(comment):
                self.counts["no_stars"] += 1
        elif not reviews and (row := subject.row_of(RESPONSES.family)) is not None and self._selects(row):
            self.counts["no_answer"] += 1

    def _add_comments(self, subject: FoldedSubject) -> None:
        """Count the comments that the promoted model has not scored, or gave no sentiment if the KPI needs one."""
        needs_sentiment = all(measure.record in ("label", "score") for measure in self._kpi.measures)
        rows = [row for row in subject.rows if row.measure == COMMENTS.family]
        for comment, row in zip(subject.view.comments, rows, strict=True):
            score = subject.scores.get((self._model, comment.text_hash))
            if not self._selects(row):
                continue
            if score is None:
                self.counts["not_scored"] += 1
            elif needs_sentiment and effective_label(score, subject.view.overrides.get(comment.text_hash))[0] is None:
                self.counts["no_sentiment"] += 1

    def _selects(self, row: Contribution) -> bool:
        return self._recount.in_window(row.at) and self._recount.passes_filters(row)


def has_negative_duration(ticket: TicketView, family: str) -> bool:
    """Whether the duration of this family was stated to end before the opening."""
    solves = {FIRST_RESOLUTION.family: ticket.solves[:1], FIRST_REPLY.family: (), NEXT_REPLY.family: ()}.get(
        family, (ticket.current_solve,)
    )
    return any(solve is not None and solve.seconds < 0 for solve in solves)
