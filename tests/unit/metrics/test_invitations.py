"""The response rate: invitations by the time at which they were sent, and the dimensions that were known then."""

from typing import Any

from services.metrics.domain.contributions import Contribution, contributions
from services.metrics.domain.terms import Terms
from services.metrics.domain.view import view
from shared.events import Event, Tombstone
from tests.unit.metrics.build import at, dim, kpi, nps, response, statement


def invitation(**fields: Any) -> Event:
    return response(sent=0, when=0, seq=1, subject="c1/response/r-1", **fields)


def responded(**fields: Any) -> Event:
    return response(nps(9), seq=2, when=60, subject="c1/response/r-1", **fields)


def invitations(*events: Event) -> list[Contribution]:
    return [row for row in contributions(view(events), {}) if row.measure == "invitations"]


def test_an_invitation_is_filed_under_its_sending_and_counts_as_answered_once_there_is_a_response() -> None:
    (before,), (after,) = invitations(invitation()), invitations(invitation(), responded())
    assert (before.at, before.bin, before.amount) == (at(0), 0, 0)
    assert (after.at, after.bin, after.amount) == (at(0), 1, 1)
    rate = kpi("response_rate", [before, before, after])
    assert (rate.numerator, rate.denominator, rate.interval and rate.interval.method) == (1, 3, "wilson")


def test_an_invitation_alone_is_no_response() -> None:
    counted = contributions(view([invitation()]), {})
    assert [row.measure for row in counted] == ["invitations"]
    assert kpi("comment_rate", counted).n == 0


def test_a_response_of_a_tool_that_does_not_state_the_sending_is_in_no_cohort() -> None:
    assert invitations(responded()) == []


def test_a_second_invitation_is_a_reminder_of_the_first() -> None:
    reminder = response(sent=500, when=500, seq=3, subject="c1/response/r-1")
    (row,) = invitations(reminder, invitation())
    assert row.at == at(0)


def test_a_reminder_changes_none_of_the_dimensions_that_were_known_at_the_sending() -> None:
    first, corrected = invitation(dimensions={"region": "DE"}), {"region": "AT"}
    reminder = response(sent=500, when=500, seq=3, subject="c1/response/r-1", dimensions={"region": "FR", "team": "billing"})
    (row,) = invitations(reminder, first, responded(dimensions={"region": "GB"}))
    assert (dim(row, "region"), dim(row, "team")) == ("DE", None)
    (row,) = invitations(reminder, first, response(sent=0, when=9, seq=2, subject="c1/response/r-1", dimensions=corrected))
    assert (dim(row, "region"), dim(row, "team")) == ("AT", None)


def test_the_groups_are_of_the_dimensions_that_were_known_at_the_sending() -> None:
    later = responded(dimensions={"region": "FR", "team": "billing"})
    (row,) = invitations(invitation(dimensions={"region": "DE"}), later)
    assert (dim(row, "region"), dim(row, "team"), dim(row, "source")) == ("DE", None, "standard")
    (single,) = invitations(response(nps(9), sent=0, when=60, dimensions={"region": "FR"}))
    assert dim(single, "region") == "FR"


def test_an_invitation_that_was_stated_only_with_its_answers_keeps_the_dimensions_of_the_first_statement() -> None:
    events = [
        response(nps(9), sent=0, seq=seq, when=60, subject="c1/response/r-1", dimensions={"region": region})
        for seq, region in enumerate(["FR", "AT"], 1)
    ]
    assert [dim(row, "region") for row in invitations(*events)] == ["FR"]


def test_dimensions_of_the_tenants_own_are_those_of_the_sending_too() -> None:
    events = invitation(dimensions={"plan": "pro"}), responded(dimensions={"plan": "free"})
    counted = contributions(view(events), {}, Terms(dimensions=("plan",)))
    assert {row.measure: row.own for row in counted} == {"nps": ("free",), "responses": ("free",), "invitations": ("pro",)}


def test_an_erased_subject_is_no_invitation() -> None:
    assert invitations(invitation(), statement(5, Tombstone(), subject="c1/response/r-1")) == []
