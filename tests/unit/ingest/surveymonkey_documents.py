"""A survey of SurveyMonkey and a response to it, in the shapes of its API."""

import json
from pathlib import Path
from typing import Any

FIXTURES = Path(__file__).parents[2] / "fixtures" / "providers"
EVENT = (FIXTURES / "surveymonkey__response_completed.json").read_bytes()

MAPPING: dict[str, Any] = {"questions": {"201": {"kind": "csat", "scale": [1, 5]}}, "dimensions": {"plan": "segment"}}


def event(event_type: str = "response_completed", **changed: Any) -> bytes:
    """A webhook; `changed` are fields of its outer object."""
    return json.dumps({**json.loads(EVENT), "event_type": event_type, **changed}).encode()


def question(id: str, family: str, subtype: str, heading: str, **answers: Any) -> dict[str, Any]:
    return {
        "id": id,
        "family": family,
        "subtype": subtype,
        "headings": [{"heading": heading}],
        "href": f"https://api.surveymonkey.com/v3/surveys/405723396/pages/1/questions/{id}",
        "answers": answers,
    }


def choices(*texts: str, weights: list[int] | None = None, first: int = 1) -> list[dict[str, Any]]:
    """Choices with the ids `c<first>`, …"""
    return [
        {"id": f"c{first + i}", "position": i + 1, "text": text, "weight": weights[i] if weights else None, "visible": True}
        for i, text in enumerate(texts)
    ]


NPS_CHOICES = choices(
    "Not at all likely - 0", *map(str, range(1, 10)), "Extremely likely - 10", weights=[-100] * 7 + [0] * 2 + [100] * 2
)

ONE_ROW = [{"id": "r1", "text": ""}]
STARS = choices(*[""] * 5, weights=[1, 2, 3, 4, 5], first=20)
QUESTIONS = [
    question("200", "matrix", "nps", "<b>How likely</b> are you to recommend us?", choices=NPS_CHOICES, rows=ONE_ROW),
    question("201", "matrix", "rating", "Rate us", choices=STARS, rows=[{"id": "r2", "text": ""}]),
    question("202", "open_ended", "essay", "Why?"),
    question("203", "single_choice", "vertical", "Which product?", choices=choices("Shop", "Blog", first=40)),
    question("204", "demographic", "international", "Contact", rows=[{"id": "r9", "type": "email", "text": "E-mail"}]),
]


def survey(*questions: dict[str, Any]) -> dict[str, Any]:
    return {"id": "405723396", "title": "After support", "pages": [{"id": "1", "questions": list(questions or QUESTIONS)}]}


def reply(id: str, *answers: dict[str, Any]) -> dict[str, Any]:
    return {"id": id, "answers": list(answers)}


NPS_9 = reply("200", {"choice_id": "c10", "row_id": "r1"})
STARS_4 = reply("201", {"choice_id": "c23", "row_id": "r2"})
COMMENT = reply("202", {"text": "Quick and kind."})


def response(*answers: dict[str, Any], **changed: Any) -> dict[str, Any]:
    return {
        "id": "5007154325",
        "survey_id": "405723396",
        "collector_id": "50253586",
        "recipient_id": "712",
        "collection_mode": "default",
        "response_status": "completed",
        "custom_value": "",
        "custom_variables": {"customer_id": "c-77", "plan": "pro"},
        "ip_address": "192.0.2.7",
        "edit_url": "https://www.surveymonkey.com/r/?sm=secret",
        "total_time": 120,
        "date_created": "2026-11-20T09:58:00+00:00",
        "date_modified": "2026-11-20T10:00:30+00:00",
        "pages": [{"id": "1", "questions": list(answers or (NPS_9, STARS_4, COMMENT))}],
        **changed,
    }


COLLECTOR = {"id": "50253586", "type": "email", "name": "Mail after a ticket", "thank_you_message": "Thanks"}
RECIPIENT = {"id": "712", "survey_id": "405723396", "email": "ada@example.com", "phone_number": ""}


def documents(*answers: dict[str, Any], **changed: Any) -> dict[str, Any]:
    """All documents of a fetch."""
    return {"response": response(*answers, **changed), "survey": survey(), "collector": COLLECTOR, "recipient": RECIPIENT}
