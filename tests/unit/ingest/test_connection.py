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
