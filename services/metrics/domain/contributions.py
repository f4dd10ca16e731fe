"""The contributions of a subject to each measure: rows of integers, a pure function of its view and its scores.

The name of a measure states everything that makes its bins comparable; the part before the colon is its family. Rows that only
count have bin 1 and amount 1.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from math import floor
from typing import NamedTuple

from services.metrics.domain.comments import LABELS, Comment, effective_label, effective_themes
from services.metrics.domain.forms import STARS_MEASURE, parse_form, rating_measure
from services.metrics.domain.measure import MULTI_VALUED
from services.metrics.domain.measures import (
    ABSTAINED,
    COMMENTS,
    CSAT,
    INVITATIONS,
    LABEL,
    NPS,
    RESPONSES,
    SENTIMENT,
    THEME_CSAT,
    THEME_NPS,
    URGENT,
)
from services.metrics.domain.preset_rows import preset_rows
from services.metrics.domain.rows import Row
from services.metrics.domain.sla_rows import sla_rows
from services.metrics.domain.terms import FIRST_TERMS, Terms
from services.metrics.domain.ticket import TicketView
from services.metrics.domain.ticket_measures import DROPPED
from services.metrics.domain.ticket_rows import backlog_rows, business_rows, ticket_rows
from services.metrics.domain.view import Dims, SubjectView
from shared.events import DIMENSIONS, Override, Score
from shared.text import nfc

CONTRIBUTIONS_VERSION = 8
"""Raise it when equal views and scores yield other contributions than before: stored subjects are then rebuilt.

1: before themes and urgency. 2: `themes` and `urgency` of comments, and the family `urgent`. 3: next replies, times in statuses,
numbers of replies, cohorts, the age of the backlog, invitations. 4: presets, impacts of themes. 5: reopenings under `intercom` at
the time of the first close. 6: `dbt_zendesk` to the second in business hours, and a bot's opening as an agent's. 7: a target
that is breached stays so where there is no calendar later, and a resolution whose time never ran needs one; minutes of the clock
for resolutions alone; a reminder keeps the dimensions of its invitation; a message at the whole minute of the opening may repeat
it. 8: targets under `dbt_zendesk` by the calendar that is set within five seconds; an SLA policy stays when the channel or the
segment changes after it applied; a reply within a message's second doesn't answer it under `dbt_zendesk`; an
invitation that is stated only with answers keeps its first dimensions. Raise it too when the
library that knows public holidays gets another version (`HOLIDAYS_VERSION`).
"""

CSAT_FORMS = CSAT.named("")

Names = tuple[str, ...]
"""The values of a multi-valued dimension: sorted, each once."""


class Contribution(NamedTuple):
    """One row: `amount` in `bin` of `measure` at `at`.

    `dims` are the values of `shared.events.DIMENSIONS`. A row of a scored comment also has the comment's `themes` and `urgency`:
    it counts once under each of them, and once in a total.
    """

    measure: str
    at: datetime
    bin: int
    amount: int
    dims: Dims
    customer: str | None
    themes: Names = ()
    urgency: Names = ()
    own: tuple[str | None, ...] = ()
    """The values of the tenant's own dimensions, in the order of its terms; empty if it has none of them."""

    def values(self, dimension: str) -> Sequence[str | None]:
        """The groups of a dimension that the row is in; None is the group without a value."""
        if dimension in MULTI_VALUED:
            return getattr(self, MULTI_VALUED[dimension]) or (None,)
        return (self.dims[DIMENSIONS.index(dimension)],)


CommentRow = tuple[Row, Names, Names]
"""A row with the themes and the urgency of its comment."""


def contributions(view: SubjectView, scores: Mapping[tuple[str, str], Score], terms: Terms = FIRST_TERMS) -> list[Contribution]:
    """The contributions of a subject. `scores` are by model and text hash; a comment counts for every model that scored it.

    `terms` are the tenant's: each row has the values of the tenant's own dimensions. With calendars there are also rows of
    durations in business hours, with SLA policies rows of targets, and with presets rows of each preset.
    """
    rows = _of_ticket(view, view.ticket, scores, terms) if view.ticket is not None else _of_feedback(view, scores)
    rows = with_own(rows, view.own_dims, terms)
    if (sent := view.invitation) is not None:
        responded = int(view.response is not None)
        row = Contribution(INVITATIONS.family, sent.at, responded, responded, sent.dims, view.customer)
        rows += with_own([row], sent.own_dims, terms)
    return rows


def with_own(rows: list[Contribution], values: Mapping[str, str | None], terms: Terms) -> list[Contribution]:
    """The rows with the `values` of the tenant's own dimensions."""
    own = tuple(map(values.get, terms.dimensions))
    return [row._replace(own=own) for row in rows] if any(value is not None for value in own) else rows


def _of_feedback(view: SubjectView, scores: Mapping[tuple[str, str], Score]) -> list[Contribution]:
    """The contributions of a response or a review."""
    rows: list[Row] = []
    if view.response is not None:
        at = view.response.at
        rows += [
            (rating_measure(answer), at, answer.value, answer.value)
            for answer in view.response.ratings
            if answer.value is not None
        ]
        commented = int(bool(view.response.comments))
        rows.append((RESPONSES.family, at, commented, commented))
    elif view.review is not None and view.review.stars is not None:
        rows.append((STARS_MEASURE, view.review.at, view.review.stars, view.review.stars))
    return [
        *(Contribution(*row, view.dims, view.customer) for row in rows),
        *(
            Contribution(*row, view.dims, view.customer, themes, urgency)
            for row, themes, urgency in comment_rows(view.comments, view.overrides, scores)
        ),
        *(
            Contribution(*row, view.dims, view.customer, themes)
            for row, themes in themed_rows(rows, view.comments, view.overrides, scores)
        ),
    ]


def _of_ticket(
    view: SubjectView, ticket: TicketView, scores: Mapping[tuple[str, str], Score], terms: Terms
) -> list[Contribution]:
    dims_at = lru_cache(maxsize=None)(view.dims_at)
    of_presets = [
        Contribution(*row, dims, view.customer)
        for preset in terms.presets
        for row, dims in preset_rows(view, ticket, terms, preset, dims_at)
    ]
    if ticket.dropped is not None:
        return [*of_presets, Contribution(DROPPED.family, ticket.dropped, 1, 1, dims_at(ticket.dropped), view.customer)]
    rows = [*ticket_rows(ticket), *business_rows(ticket, terms.hours)]
    return [
        *of_presets,
        *(Contribution(*row, dims_at(row[1]), view.customer) for row in rows),
        *(
            Contribution(*row, dims_at(row[1]), view.customer, themes)
            for row, themes in themed_rows(rows, ticket.comments, view.overrides, scores)
        ),
        *(
            Contribution(*row, dims_at(row[1]), view.customer, themes, urgency)
            for row, themes, urgency in comment_rows(ticket.comments, view.overrides, scores)
        ),
        *(Contribution(*row, dims, view.customer) for row, dims in backlog_rows(ticket, dims_at)),
        *(Contribution(*row, dims, view.customer) for row, dims in sla_rows(view, ticket, terms, dims_at)),
    ]


# --- comments -------------------------------------------------------------------------------------------------------------
def comment_rows(
    comments: Iterable[Comment], overrides: Mapping[str, Override], scores: Mapping[tuple[str, str], Score]
) -> Iterator[CommentRow]:
    """One row for each comment, and rows for each model that scored it.

    Of a model: its label and its score in thousandths; or a row of ABSTAINED, if the comment has no label, as "n/a" or one in an
    unsupported language has none. So each scored comment has one row of either LABEL or ABSTAINED. One of URGENT if there is a
    reason for urgency. A human's label and themes replace those of every model.
    """
    for comment in comments:
        yield (COMMENTS.family, comment.at, 1, 1), (), ()
        override = overrides.get(comment.text_hash)
        for (model, text_hash), score in scores.items():
            if text_hash == comment.text_hash:
                themes, urgency = theme_names(score, override), tuple(sorted(score.urgency))
                for row in score_rows(comment, model, score, override):
                    yield row, themes, urgency


def themed_rows(
    rows: Iterable[Row], comments: Iterable[Comment], overrides: Mapping[str, Override], scores: Mapping[tuple[str, str], Score]
) -> Iterator[tuple[Row, Names]]:
    """Rows of the NPS and CSAT ratings among `rows`, with the themes of all comments of the subject, for each model that has any.

    The impact of a theme is computed from them.
    """
    if not scores:
        return
    hashes = {comment.text_hash for comment in comments}
    by_model: dict[str, set[str]] = {}
    for (model, text_hash), score in scores.items():
        if text_hash in hashes:
            by_model.setdefault(model, set()).update(theme_names(score, overrides.get(text_hash)))
    themed = [(model, tuple(sorted(themes))) for model, themes in by_model.items() if themes]
    for measure, at, value, _ in rows if themed else ():
        if measure == NPS.family:
            yield from (((THEME_NPS.named(model), at, value, value), themes) for model, themes in themed)
        elif measure.startswith(CSAT_FORMS):
            good = int(value in parse_form(measure).good)
            yield from (((THEME_CSAT.named(model), at, good, good), themes) for model, themes in themed)


def score_rows(comment: Comment, model: str, score: Score, override: Override | None) -> Iterator[Row]:
    """Rows of one comment's score by `model`, after the human's `override`."""
    label, value = effective_label(score, override)
    if label is not None and value is not None:
        yield LABEL.named(model), comment.at, LABELS[label], LABELS[label]
        yield SENTIMENT.named(model), comment.at, floor(20 * value), round(1000 * value)
    else:
        yield ABSTAINED.named(model), comment.at, 1, 1
    if score.urgency:
        yield URGENT.named(model), comment.at, 1, 1


def theme_names(score: Score, override: Override | None) -> Names:
    """The effective themes, in NFC, the form in which filters compare them."""
    themes = effective_themes(score, override)
    return tuple(sorted({nfc(theme.theme) for theme in themes})) if themes else ()
