"""The terms of a tenant, and contributions under them."""

import pytest

from services.metrics.domain.contributions import contributions
from services.metrics.domain.measure import MULTI_VALUED
from services.metrics.domain.terms import Terms, own_dimensions
from services.metrics.domain.view import view
from shared.events import MOST_OWN_DIMENSIONS, MULTI_VALUED_DIMENSIONS, Assigned, Event, Opened
from tests.unit.metrics.build import T0, nps, response, ticket

PRO = {"plan": "pro", "region": "DE"}


def own_values(event: Event, *dimensions: str) -> set[tuple[str | None, ...]]:
    """The values of the tenant's own dimensions that the contributions of the event have."""
    return {row.own for row in contributions(view([event]), {}, Terms(dimensions=dimensions))}


def test_contributions_have_the_values_of_the_tenants_own_dimensions_in_the_order_of_its_terms() -> None:
    assert own_values(response(nps(9), dimensions=PRO), "plan", "tier") == {("pro", None)}
    assert own_values(ticket(Opened(at=T0), Assigned(at=T0, team="billing"), dimensions=PRO), "plan") == {("pro",)}


def test_contributions_without_a_value_of_an_own_dimension_equal_those_under_terms_without_any() -> None:
    event = response(nps(9), dimensions=PRO)
    assert own_values(event) == {()}
    assert contributions(view([event]), {}, Terms(dimensions=("tier",))) == contributions(view([event]), {}, Terms())


def test_the_zone_and_the_revision_change_no_contribution() -> None:
    event = response(nps(9), dimensions=PRO)
    assert contributions(view([event]), {}, Terms(7, "Asia/Tokyo")) == contributions(view([event]), {})


def test_the_last_stated_value_of_an_own_dimension_counts() -> None:
    events = [response(nps(9), dimensions=PRO, seq=1), response(dimensions={"plan": "free"}, seq=2)]
    rows = contributions(view(events), {}, Terms(dimensions=("plan",)))
    assert {row.own for row in rows} == {("free",)}


def test_the_names_that_no_tenant_can_give_a_dimension_include_all_multi_valued_ones() -> None:
    assert set(MULTI_VALUED_DIMENSIONS) == MULTI_VALUED.keys()


def test_own_dimensions_are_sorted() -> None:
    assert own_dimensions(["tier", "plan"]) == ("plan", "tier")
    assert own_dimensions([]) == ()


@pytest.mark.parametrize(
    ("names", "problem"),
    [
        (["region"], "every tenant has"),
        (["theme"], "every tenant has"),
        (["urgency"], "every tenant has"),
        (["plan", "plan"], "more than once"),
        (["Plan"], "not a name"),
        (["2plan"], "not a name"),
        (["my plan"], "not a name"),
        ([""], "not a name"),
        (["p" * 41], "not a name"),
        (["plan\n"], "not a name"),
        ([f"d{number}" for number in range(MOST_OWN_DIMENSIONS + 1)], "at most 10"),
    ],
)
def test_names_that_are_no_dimensions_of_ones_own_are_refused(names: list[str], problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        own_dimensions(names)
