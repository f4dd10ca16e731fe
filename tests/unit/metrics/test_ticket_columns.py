"""The columns of the ticket export: the values of a ticket, and a column for every duration that is measured."""

from datetime import datetime
from typing import Any

from services.metrics.domain.contributions import contributions
from services.metrics.domain.presets import DBT_ZENDESK
from services.metrics.domain.sla import Conditions, Policies, Policy, PolicyVersion, Target
from services.metrics.domain.terms import FIRST_TERMS, Terms
from services.metrics.domain.ticket_columns import COLUMNS, TICKET_MEASURES, ExportedTicket, own_columns, target_state
from services.metrics.domain.view import view
from services.metrics.evaluation.tickets import exported_ticket
from shared.events import Assigned, Event, Fact, PrioritySet, Rating, Score
from tests.unit.metrics.build import MODEL, at, opened, reply, scored, status, ticket

NOW = at(1000)


def exported(
    *events: Event, terms: Terms = FIRST_TERMS, scores: dict[tuple[str, str], Score] | None = None, now: datetime = NOW
) -> dict[str, Any]:
    current = view(events)
    assert current.ticket is not None
    rows = contributions(current, scores or {}, terms)
    one = ExportedTicket("c1/ticket/T-9", current, current.ticket, scores or {}, rows, MODEL, now, terms)
    return {column.name: column.value(one) for column in (*COLUMNS, *own_columns(terms.dimensions))}


def test_a_solved_ticket_has_its_durations_its_rating_and_its_sentiment() -> None:
    facts = (
        opened(text="it broke"),
        Assigned(at=at(0), team="tech", agent="Ada"),
        PrioritySet(at=at(1), priority="high"),
        Assigned(at=at(2), team="billing"),
        reply(5),
        reply(9, by="customer", text="thanks"),
        status(10, "solved"),
        Rating(at=at(11), value=2),
        Rating(at=at(12), value=5),
    )
    scores = scored("it broke", -0.5, "negative") | scored("thanks", 0.75, "positive")
    values = exported(ticket(*facts, dimensions={"region": "DE"}), scores=scores)
    assert (
        values.items()
        >= {
            "subject": "c1/ticket/T-9",
            "source_id": "T-9",
            "opened": at(0),
            "solved": at(10),
            "status": "solved",
            "team": "billing",
            "agent": "Ada",
            "priority": "high",
            "first_reply_seconds": 300,
            "first_reply_business_seconds": None,
            "first_resolution_seconds": 600,
            "full_resolution_seconds": 600,
            "reopens": 0,
            "agent_replies": 1,
            "one_touch": True,
            "handling_seconds": 600,
            "sla_first_reply": None,
            "csat": 5,
            "sentiment_first": -0.5,
            "sentiment_last": 0.75,
            "region": "DE",
            "source": "standard",
        }.items()
    )


def test_an_open_ticket_has_no_value_where_there_is_none_yet() -> None:
    values = exported(ticket(opened(), status(10, "solved"), status(20, "pending")))
    assert (values["solved"], values["status"], values["reopens"]) == (None, "pending", 1)
    assert (values["first_resolution_seconds"], values["full_resolution_seconds"]) == (600, None)
    assert (values["team"], values["csat"], values["sentiment_first"]) == (None, None, None)
    assert exported(ticket(opened()))["status"] == "new"


def test_several_waits_are_summed() -> None:
    facts = (reply(5), reply(6, by="customer", id="q1"), reply(8, id="a1"), reply(9, by="customer", id="q2"), reply(12, id="a2"))
    assert exported(ticket(opened(), *facts))["next_reply_seconds"] == 2 * 60 + 3 * 60


def test_the_state_of_a_target() -> None:
    policy = Policy("all", "All", Conditions(), Target(3600), Target(3600), Target(7200), pause=("pending",))
    terms = Terms(policies=Policies([PolicyVersion(at(-1), (policy,))]))

    def states(*facts: Fact, now: float = 30, terms: Terms = terms) -> tuple[Any, ...]:
        values = exported(ticket(*facts), terms=terms, now=at(now))
        return tuple(values[name] for name in ("sla_first_reply", "sla_next_reply", "sla_resolution"))

    solved = status(20, "solved")
    assert states(opened()) == ("running", None, "running")
    assert states(opened(), now=200) == ("breached", None, "breached")
    assert states(opened(), reply(5), status(6, "pending"), now=200) == ("met", None, "paused")
    assert states(opened(), solved) == ("cancelled", None, "met")
    assert states(opened(by="agent"), reply(5, by="customer"), solved) == (None, "cancelled", "met")
    assert states(opened(), reply(5), reply(6, by="customer", id="q"), terms=FIRST_TERMS) == (None, None, None)
    target = Target(3600, business=True)
    in_business = Policy("all", "All", Conditions(), target, target, target)
    without_calendar = Terms(policies=Policies([PolicyVersion(at(-1), (in_business,))]))
    late = states(opened(), reply(5), reply(6, by="customer", id="q"), solved, terms=without_calendar)
    assert late == ("no_calendar", "no_calendar", "no_calendar")


def test_the_state_of_a_target_is_that_under_the_preset() -> None:
    """A bot's opening is an agent's, and a policy that applies later gives targets too."""
    first = Policy("high", "High", Conditions(priority=("high",)), first_reply=Target(3600))
    second = Policy("low", "Low", Conditions(priority=("low",)), resolution=Target(3600), pause=("pending",))
    policies = Policies([PolicyVersion(at(-1), (first, second))])
    high, low = PrioritySet(at=at(0), priority="high"), PrioritySet(at=at(3), priority="low")
    facts = (opened(by="bot"), high, low, status(3, "pending"))
    subject = view([ticket(*facts)])
    assert subject.ticket is not None
    terms = Terms(policies=policies, presets=(DBT_ZENDESK,))
    for preset, expected in ((None, ("breached", None)), (DBT_ZENDESK, (None, "paused"))):
        one = exported_ticket("c1/ticket/T-9", subject, subject.ticket, {}, terms, MODEL, NOW, preset)
        assert tuple(target_state(one, metric) for metric in ("first_reply", "resolution")) == expected


def test_the_breaches_of_targets_for_further_replies_are_counted() -> None:
    policy = Policy("all", "All", Conditions(), next_reply=Target(60))
    terms = Terms(policies=Policies([PolicyVersion(at(-1), (policy,))]))
    late = (reply(5), reply(6, by="customer", id="q1"), reply(9, id="a1"), reply(20, by="customer", id="q2"))
    columns = ("sla_next_reply", "sla_next_reply_breaches")
    for now, expected in ((20.5, ("breached", 1)), (30, ("breached", 2))):
        values = exported(ticket(opened(), *late), terms=terms, now=at(now))
        assert tuple(values[name] for name in columns) == expected
    assert exported(ticket(opened()), terms=terms)["sla_next_reply_breaches"] is None


def test_every_duration_and_number_of_tickets_has_a_column() -> None:
    names = [column.name for column in COLUMNS]
    assert len(set(names)) == len(names)
    assert {f"{measure.family}_seconds" for measure in TICKET_MEASURES if measure.unit == "seconds"} <= set(names)
    assert names.index("first_reply_business_seconds") == names.index("first_reply_seconds") + 1
    assert all(column.description for column in COLUMNS)


def test_a_dimension_of_the_tenants_own_named_like_a_column_has_a_prefix() -> None:
    terms = Terms(dimensions=("plan", "status", "team_name"))
    values = exported(ticket(opened(), dimensions={"plan": "pro", "status": "gold"}), terms=terms)
    assert list(values)[-3:] == ["plan", "dim.status", "dim.team_name"]
    assert (values["plan"], values["dim.status"], values["status"]) == ("pro", "gold", "new")
