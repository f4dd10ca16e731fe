"""Read a feedback submission of HubSpot: the answer to an NPS, CSAT, CES or custom survey.

`hs_value` is a text. Its scale differs by survey and is not stated, so the connection's mapping states kind and scale by the id
of the survey. Without it an NPS survey is one by its type; of a CSAT survey the group counts in which HubSpot puts the answer
(`hs_response_group`), on a scale of three; any other rating is reported as unmapped.
"""

import re
from collections.abc import Mapping
from typing import Any

from services.ingest.domain.connection import SurveyQuestion
from services.ingest.domain.mapping_use import MappingUse, UnmappedQuestion
from services.ingest.domain.providers.hubspot.documents import contact_properties, time_of
from services.ingest.domain.providers.hubspot.settings import HubSpotSettings
from services.ingest.domain.providers.hubspot.ticket import Read, customer_of
from services.ingest.domain.providers.payload import Unusable, as_text, dimensions_of, object_in, occurring_dimensions
from services.ingest.domain.providers.tool_api import Documents
from shared.text import nfc

GROUPS = {"DETRACTOR": 1, "PASSIVE": 2, "PROMOTER": 3}
"""Values of `hs_response_group`, on a scale of 1 to 3."""

NUMBER = re.compile(r"-?\d{1,4}(\.0+)?", re.ASCII)


def read_submission(documents: Documents, settings: HubSpotSettings) -> Read:
    """Raises Unusable if the submission has no survey, or its value is no number."""
    fetched = dict(documents)
    submission = object_in(fetched, "object")
    properties = object_in(submission, "properties")
    survey = as_text(properties.get("hs_survey_id"))
    if survey is None:
        raise Unusable("the submission has no hs_survey_id")
    survey = nfc(survey)
    declared, title = settings.questions.get(survey), as_text(properties.get("hs_survey_name"))
    is_ignored = declared is not None and declared.kind == "ignore"
    rating = None if is_ignored else _rating(survey, properties, declared)
    fields = {name: value for name, value in properties.items() if value not in (None, "")}
    dimensions = dimensions_of(fields, settings)
    channel = dimensions.pop("channel", "") or (as_text(properties.get("hs_survey_channel")) or "survey").lower()
    customer = customer_of(submission, fetched, settings)
    record = {
        "type": "response",
        "id": as_text(submission.get("id")),
        "at": _first_time(
            properties.get("hs_submission_timestamp"), properties.get("hs_createdate"), submission.get("createdAt")
        ),
        "updated_at": _first_time(properties.get("hs_lastmodifieddate"), submission.get("updatedAt")),
        "channel": channel,
        "survey": {"id": dimensions.pop("survey", survey), **({"name": title[:500]} if title else {})},
        "answers": [*([rating] if rating else []), *([] if is_ignored else _comment(survey, properties))],
        "dimensions": dimensions,
        **({"customer": customer} if customer else {}),
    }
    is_unmapped = declared is None and rating is None and as_text(properties.get("hs_value")) is not None
    use = MappingUse(
        unmapped=(UnmappedQuestion(survey, None, title),) if is_unmapped else (),
        questions=frozenset({survey} & settings.questions.keys()),
        dimensions=occurring_dimensions([*fields, *contact_properties(fetched)], settings),
    )
    return record, use, ()


def _rating(survey: str, properties: Mapping[str, Any], declared: SurveyQuestion | None) -> dict[str, Any] | None:
    """The rating; None if there is none, or neither the mapping nor the type of the survey says what it means."""
    value, kind = as_text(properties.get("hs_value")), properties.get("hs_survey_type")
    if declared is None and kind == "NPS":
        declared = SurveyQuestion(kind="nps")
    if declared is None:
        group = as_text(properties.get("hs_response_group"))
        if kind != "CSAT" or group not in GROUPS:
            return None
        return {"question": survey, "kind": "csat", "scale": [1, 3], "value": GROUPS[group], "raw": group}
    if declared.kind == "comment" or value is None:
        return None
    if not NUMBER.fullmatch(value):
        raise Unusable(f"survey {survey} is a rating, but hs_value is no number", "mapping_mismatch")
    return {"question": survey, **declared.model_dump(exclude_none=True), "value": int(float(value))}


def _comment(survey: str, properties: Mapping[str, Any]) -> list[dict[str, Any]]:
    text = as_text(properties.get("hs_content"))
    return [{"question": survey, "kind": "comment", "text": text}] if text and text.strip() else []


def _first_time(*values: object) -> str | None:
    return next((at for value in values if (at := time_of(value))), None)
