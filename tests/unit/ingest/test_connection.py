"""The mapping of a connection: which forms of questions can be declared."""

from typing import Any

import pytest
from pydantic import ValidationError

from services.ingest.domain.connection import FieldMapping, SurveyQuestion


@pytest.mark.parametrize(
    ("question", "accepted"),
    [
        ({"kind": "nps"}, True),
        ({"kind": "nps", "scale": [0, 10]}, True),
        ({"kind": "nps", "scale": [1, 5]}, False),
        ({"kind": "csat"}, False),
        ({"kind": "csat", "scale": [1, 5]}, True),
        ({"kind": "csat", "scale": [1.0, 5.0]}, True),
        ({"kind": "csat", "scale": [1.5, 5]}, False),
        ({"kind": "csat", "scale": [1, 10]}, False),
        ({"kind": "csat", "scale": [1, 10], "positive_from": 8}, True),
        ({"kind": "ces"}, True),
        ({"kind": "comment"}, True),
        ({"kind": "ignore"}, True),
        ({"kind": "ignore", "scale": [1, 5]}, False),
    ],
)
def test_a_survey_question_needs_a_scale_that_fits_its_kind(question: dict[str, Any], accepted: bool) -> None:
    if accepted:
        SurveyQuestion.model_validate(question)
    else:
        with pytest.raises(ValidationError):
            SurveyQuestion.model_validate(question)


def test_the_keys_of_a_mapping_are_in_nfc() -> None:
    mapping = FieldMapping.model_validate({"questions": {"re\u0301f": {"kind": "nps"}}, "dimensions": {"re\u0301gion": "region"}})
    assert [*mapping.questions, *mapping.dimensions] == ["r\u00e9f", "r\u00e9gion"]


def test_a_mapping_reads_dimensions_of_every_tenant_and_up_to_ten_of_its_own() -> None:
    own = {f"field-{number}": f"own_{number % 10}" for number in range(20)}
    mapping = FieldMapping.model_validate({"dimensions": {**own, "region": "region"}})
    assert mapping.dimensions["field-19"] == "own_9"
    with pytest.raises(ValidationError, match="at most 10 dimensions of your own"):
        FieldMapping.model_validate({"dimensions": {**own, "f": "own_10"}})


@pytest.mark.parametrize("name", ["source", "connection", "priority", "theme", "urgency", "Plan", "my plan", "", "p" * 41])
def test_a_name_that_no_dimension_of_a_connection_can_have_is_refused(name: str) -> None:
    with pytest.raises(ValidationError, match="nor a name that a dimension of your own can have"):
        FieldMapping.model_validate({"dimensions": {"f": name}})
