"""A completed response of Qualtrics: its requests, and the documents of the API."""

import hashlib
import hmac
import json
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

FIXTURE = Path(__file__).parents[2] / "fixtures" / "providers" / "qualtrics__completedResponse.json"
FORM = {"content-type": "application/x-www-form-urlencoded"}


def event(**changed: Any) -> dict[str, Any]:
    """The fields of an event; `changed` are replaced, None removes one."""
    fields = {**json.loads(FIXTURE.read_text()), **changed}
    return {name: value for name, value in fields.items() if value is not None}


def plain_form(**changed: Any) -> bytes:
    """The form of a subscription without a shared key."""
    return urlencode(event(**changed)).encode()


def signed_form(secret: str, *, encoded: bool = False, **changed: Any) -> bytes:
    """The form of a subscription with a shared key. `encoded`: the HMAC covers the percent-encoded message."""
    fields = event(**changed)
    topic = fields.pop("Topic", "")
    message = json.dumps(fields)
    signed = quote(message) if encoded else message
    signature = hmac.new(secret.encode(), signed.encode(), hashlib.sha512).hexdigest()
    return f"HMAC={signature}&MSG={quote(message)}&Topic={quote(topic)}&undefined=".encode()


def response(values: dict[str, Any] | None = None, labels: dict[str, Any] | None = None) -> dict[str, Any]:
    """The response as the API returns it. A value of None removes the field."""
    fields: dict[str, Any] = {
        "startDate": "2026-11-20T09:58:00Z",
        "endDate": "2026-11-20T10:00:30Z",
        "status": 0,
        "ipAddress": "203.0.113.7",
        "progress": 100,
        "duration": 150,
        "finished": 1,
        "recordedDate": "2026-11-20T10:00:31.182Z",
        "_recordId": "R_1l9mcVuXubb4aGm",
        "recipientLastName": "Byron",
        "recipientEmail": "ada@example.org",
        "externalDataReference": "c-77",
        "distributionChannel": "email",
        "userLanguage": "EN-GB",
        "QID1": 9,
        "QID1_NPS_GROUP": 3,
        "QID2": 4,
        "QID3_TEXT": "Quick and kind.",
        "QID4_1": 5,
        "QID4_2": 2,
        "QID5": 3,
        "QID5_3_TEXT": "A friend",
        "plan": "pro",
        **(values or {}),
    }
    return {
        "result": {
            "responseId": "R_1l9mcVuXubb4aGm",
            "values": {name: value for name, value in fields.items() if value is not None},
            "labels": {
                "status": "IP Address",
                "finished": "True",
                "QID1_NPS_GROUP": "Promoter",
                "QID2": "Satisfied",
                "QID4_1": "Very good",
                "QID5": "Other",
                **(labels or {}),
            },
            "displayedFields": ["QID1", "QID2"],
            "displayedValues": {"QID2": [1, 2, 3, 4, 5]},
        },
        "meta": {"requestId": "r", "httpStatus": "200 - OK"},
    }


def question(text: str, tag: str, kind: str, selector: str) -> dict[str, Any]:
    return {
        "QuestionText": text,
        "DataExportTag": tag,
        "QuestionType": kind,
        "Selector": selector,
        "Choices": {"1": {"Display": "one"}},
    }


def survey(**questions: dict[str, Any]) -> dict[str, Any]:
    """The definition of the survey, with further questions."""
    return {
        "result": {
            "SurveyID": "SV_22VlHYNeldrrrkp",
            "SurveyName": "After support",
            "Questions": {
                "QID1": question("Would you <b>recommend</b> us?", "recommend", "MC", "NPS"),
                "QID2": question("Rate us", "rating", "MC", "SAVR"),
                "QID3": question("Why?", "why", "TE", "ESTB"),
                "QID4": question("Rate our", "parts", "Matrix", "Likert"),
                "QID5": question("How did you find us?", "source", "MC", "SAVR"),
                **questions,
            },
        },
        "meta": {"requestId": "r", "httpStatus": "200 - OK"},
    }


def documents(values: dict[str, Any] | None = None, labels: dict[str, Any] | None = None, **extra: Any) -> dict[str, Any]:
    return {"response": response(values, labels), "survey": survey(), **extra}
