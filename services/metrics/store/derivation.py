"""Derive the contributions of subjects from the statements and scores that are stored of them. Pure."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import chain
from typing import TypeVar

import msgspec

from services.metrics.domain.contributions import Contribution, contributions
from services.metrics.domain.measure import family_of
from services.metrics.domain.measures import MEASURES
from services.metrics.domain.terms import Terms
from services.metrics.domain.view import SubjectView, view
from services.metrics.store.contributions import Derived
from services.metrics.store.subjects import ScoreKey, Subject
from services.metrics.store.terms import TermsInUse
from shared.events import Score

LARGEST_AMOUNT = 2**63 - 1
LARGEST_BIN = 2**31 - 1

DURATIONS = frozenset(measure.family for measure in MEASURES.values() if measure.unit == "seconds")
"""The families of measures whose amounts are seconds."""
LONGEST_DURATION = 3_000_000_000
"""95 years in seconds. A longer one comes from a clock that is wrong, and would spoil every mean."""

decode_score = msgspec.json.Decoder(Score).decode
Item = TypeVar("Item")
Done = TypeVar("Done")

Viewed = tuple[Subject, SubjectView]
"""A subject and its current state."""


class InvalidSubject(Exception):
    """The statements of a subject can't be folded, or their contributions can't be stored. Nothing of it was written."""

    def __init__(self, tenant: str, subject: str, reason: str) -> None:
        super().__init__(reason)
        self.tenant = tenant
        self.subject = subject
        self.reason = reason


def derive_all(
    subjects: Iterable[Subject],
    terms: Mapping[int, TermsInUse],
    invalid: list[InvalidSubject] | None = None,
    *,
    keep_served: bool = False,
) -> list[Derived]:
    """The contributions of each subject, of both generations while its tenant has a build. Run it in a thread.

    `keep_served`: only those of the generation that is built.

    Raises InvalidSubject if a subject can't be folded; with `invalid`, adds the error to it and leaves out the subject.
    """
    # all views first: one step for many subjects makes better use of the processor's caches than all steps for each subject
    viewed = valid_results(lambda subject: (subject, view_of(subject)), subjects, invalid)
    derived = valid_results(lambda one: derive(one, terms[one[0].tenant], keep_served=keep_served), viewed, invalid)
    return list(chain.from_iterable(derived))


def valid_results(work: Callable[[Item], Done], items: Iterable[Item], invalid: list[InvalidSubject] | None) -> list[Done]:
    """The results of `work` for each item. Those that raise InvalidSubject are left out, and their errors added to `invalid`;
    without that list the error is raised."""
    results: list[Done] = []
    for item in items:
        try:
            results.append(work(item))
        except InvalidSubject as error:
            if invalid is None:
                raise
            invalid.append(error)
    return results


def derive(viewed: Viewed, terms: TermsInUse, *, keep_served: bool = False) -> list[Derived]:
    """The contributions of a subject, of both generations while its tenant has a build. Raises InvalidSubject.

    `keep_served`: only those of the generation that is built.
    """
    subject, _ = viewed
    served: list[Derived] = [] if keep_served else [(subject, subject.tenant, contributions_of(viewed, terms.served))]
    return [*served, (subject, -subject.tenant, contributions_of(viewed, terms.building))] if terms.building else served


def fold(subject: Subject, terms: Terms) -> list[Contribution]:
    """The contributions of a subject's statements and scores, under a tenant's terms. Raises InvalidSubject."""
    return contributions_of((subject, view_of(subject)), terms)


def view_of(subject: Subject) -> SubjectView:
    """The current state of a subject. Raises InvalidSubject."""
    if subject.unreadable:
        raise invalid_subject(subject, "a stored statement can't be decoded")
    try:
        return view(subject.statements.values())
    except Exception as error:
        raise invalid_subject(subject, f"can't be folded: {type(error).__name__}") from error


def contributions_of(viewed: Viewed, terms: Terms) -> list[Contribution]:
    """The contributions of a subject, under a tenant's terms. Raises InvalidSubject."""
    subject, current = viewed
    try:
        rows = contributions(current, decode_scores(subject.scores), terms)
    except Exception as error:
        raise invalid_subject(subject, f"can't be folded: {type(error).__name__}") from error
    if not are_usual(rows):
        for contribution in rows:
            if problem := problem_of(contribution):
                raise invalid_subject(subject, problem)
    return rows


def invalid_subject(subject: Subject, reason: str) -> InvalidSubject:
    """The error of a subject. Its tenant is empty if no statement can be decoded."""
    tenant = next((event.tenant for event in subject.statements.values()), "")
    return InvalidSubject(tenant, subject.name, reason)


def are_usual(rows: Sequence[Contribution]) -> bool:
    """Whether all bins and amounts are clearly small enough to be stored."""
    largest_bin = max(map(abs, [row.bin for row in rows]), default=0)
    return largest_bin <= LARGEST_BIN and max(map(abs, [row.amount for row in rows]), default=0) <= LONGEST_DURATION


def problem_of(contribution: Contribution) -> str | None:
    """Why the contribution can't be stored; None if it can."""
    if abs(contribution.amount) > LARGEST_AMOUNT or abs(contribution.bin) > LARGEST_BIN:
        return "an amount or a bin is too large for its column"
    if contribution.amount > LONGEST_DURATION and family_of(contribution.measure) in DURATIONS:
        return "a duration is longer than 95 years"
    return None


def decode_scores(scores: Mapping[ScoreKey, bytes]) -> dict[ScoreKey, Score]:
    """The scores of a subject, decoded."""
    return {key: decode_score(body) for key, body in scores.items()}
