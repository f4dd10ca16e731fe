"""Dimensions of a record beside those that every tenant has."""

from typing import Any

import pytest

from services.ingest.domain.own_dimensions import similar_dimension
from services.ingest.domain.record import Response, read_record
from tests.unit.ingest.making import NOW, response
from tests.unit.ingest.test_record import COMPOSED, DECOMPOSED, refused


def test_a_record_has_up_to_ten_dimensions_of_the_tenants_own() -> None:
    own = {f"d{number}": DECOMPOSED for number in range(8)} | {"plan": None, "p" * 40: "x"}
    record = read_record(response(dimensions={"region": "DE", **own}), NOW)
    assert isinstance(record, Response)
    assert record.dimensions == {
        "region": "DE",
        **{name: COMPOSED if value == DECOMPOSED else value for name, value in own.items()},
    }
    assert refused(response(dimensions={**own, "tier": "x"})) == {"dimensions": "at most 10 dimensions of your own are allowed"}


@pytest.mark.parametrize(
    "name",
    [
        "source",
        "connection",
        "channel",
        "survey",
        "priority",
        "theme",
        "urgency",
        "Plan",
        "2plan",
        "my plan",
        "",
        "p" * 41,
        "plan\n",
    ],
)
def test_a_name_that_no_dimension_of_a_record_can_have_is_refused(name: str) -> None:
    (place,) = refused(response(dimensions={name: "x"}))
    assert place == f"dimensions.{name}"


def test_a_refused_name_is_answered_with_the_dimension_that_it_resembles() -> None:
    (reason,) = refused(response(dimensions={"Team": "x"})).values()
    assert reason.endswith('did you mean "team"? Allowed: product, region, language, team, agent, segment')


@pytest.mark.parametrize(
    ("name", "similar"),
    [("taem", "team"), ("teams", "team"), ("prodcut", "product"), ("langauge", "language"), ("plan", None), ("tier", None)],
)
def test_a_misspelling_of_a_dimension_is_recognized(name: str, similar: str | None) -> None:
    assert similar_dimension(name) == similar


@pytest.mark.parametrize("value", ["", "a\nb", "x" * 201, 3, True, ["x"]])
def test_the_value_of_an_own_dimension_is_a_name(value: Any) -> None:
    assert list(refused(response(dimensions={"plan": value}))) == ["dimensions.plan"]
