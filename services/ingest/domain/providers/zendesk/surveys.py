"""Answers to Zendesk's satisfaction surveys, which are fetched
(developer.zendesk.com/api-reference/ticketing/ticket-management/csat_survey_responses).

The event of a rating holds `good` or `bad` at most; whether it does for surveys of this kind is not documented.
`GET /api/v2/guide/survey_responses` lists the answers about a ticket with their ratings and comments. The scale is that of the
survey: `GET /api/v2/guide/{locale}/surveys/{id}/{version}`. Zendesk's scales are 1–2, 1–3 and 1–5, whose good ratings are those
that we count as satisfied.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from services.ingest.domain.answers import POSITIVE_FROM
from services.ingest.domain.fields import parse_time
from services.ingest.domain.providers.payload import NotYet, as_text, as_whole_number, object_in, objects_in
from services.ingest.domain.providers.tool_api import Documents, Fetch, is_path_id
from services.ingest.domain.providers.zendesk.values import RATING_ID

RESPONSES, SURVEY = "survey_responses", "survey"
MOST_RESPONSES = 10
"""Answers about one ticket that are fetched, those to the newest surveys first."""
LOCALE = "en-us"
"""The language of the survey's texts, which are not read."""

RATING, COMMENT = "rating_scale", "open_ended"
"""Types of answers that are read."""
SATISFACTION = "customer_satisfaction"
CATEGORIES = ("good", "neutral", "bad")
GOOD = CATEGORIES[0]
"""The category of the ratings that Zendesk counts as satisfied."""
ANSWER_FIELDS = ("type", "rating", "rating_category", "value", "created_at", "updated_at")


class RatedResponse(NamedTuple):
    """The answers to a survey, and the rating among them: its question, value, category and time."""

    response: Mapping[str, Any]
    question: str | None
    rating: int
    category: str
    at: datetime


def fetches(ticket: str, documents: Documents, *, has_score: bool) -> Sequence[Fetch]:
    """The answers about a ticket, then the survey of the latest rating among them.

    Raises NotYet if there is no rating and the event has no score either: the answer may not be listed yet.
    """
    if not documents:
        query = {"filter[subject_zrns]": zrn(ticket), "sort": "-id", "page[size]": str(MOST_RESPONSES)}
        return (Fetch(RESPONSES, "/api/v2/guide/survey_responses", query, optional=True),)
    rated = latest_rating(ticket, documents)
    if rated is None and not has_score:
        raise NotYet("Zendesk lists no rating of this ticket yet, or the user of the token is no administrator")
    if rated is None or SURVEY in documents:
        return ()
    survey = object_in(rated.response, "survey")
    identity, version = as_text(survey.get("id")), as_text(survey.get("version"))
    if not is_path_id(identity) or not is_path_id(version):
        return ()
    return (Fetch(SURVEY, f"/api/v2/guide/{LOCALE}/surveys/{identity}/{version}", shared=True, optional=True),)


def zrn(ticket: str) -> str:
    """Zendesk's resource name of a ticket."""
    return f"zen:ticket:{ticket}"


def latest_rating(ticket: str, documents: Documents) -> RatedResponse | None:
    """The answers to a survey about this ticket that have the latest rating."""
    responses = objects_in(documents.get(RESPONSES), "survey_responses")
    about_ticket = (one for one in responses if isinstance(one.get("subject_zrns"), list) and zrn(ticket) in one["subject_zrns"])
    rated = [one for response in about_ticket for one in ratings_in(response)]
    return max(rated, key=lambda one: one.at, default=None)


def ratings_in(response: Mapping[str, Any]) -> Iterator[RatedResponse]:
    """The ratings of satisfaction among the answers to a survey."""
    for answer in objects_in(response, "answers"):
        question, category = object_in(answer, "question"), as_text(answer.get("rating_category"))
        rating, at = as_whole_number(answer.get("rating")), time_of(answer)
        is_satisfaction = answer.get("type") == RATING and question.get("sub_type") == SATISFACTION
        if is_satisfaction and rating is not None and category in CATEGORIES and at is not None:
            yield RatedResponse(response, as_text(question.get("id")), rating, category, at)


def time_of(answer: Mapping[str, Any]) -> datetime | None:
    """When the answer was changed last."""
    try:
        return parse_time(as_text(answer.get("updated_at")) or as_text(answer.get("created_at")))
    except ValueError:
        return None


def rating_fact_of(ticket: str, documents: Documents) -> dict[str, Any] | None:
    """The rating of a ticket with its comments, as the fact that a score in an event is; None if none was fetched.

    Without a usable scale the category counts, as in Zendesk's own share of good ratings.
    """
    rated = latest_rating(ticket, documents)
    if rated is None:
        return None
    scale, is_good = scale_of(rated, documents), rated.category == GOOD
    if scale and scale[0] <= rated.rating <= scale[1] and (rated.rating >= POSITIVE_FROM[scale]) == is_good:
        value = {"scale": list(scale), "value": rated.rating}
    else:
        value = {"scale": [0, 1], "value": int(is_good)}
    fact = {"fact": "rating", "at": rated.at.isoformat(), "id": RATING_ID, **value, "raw": f"{rated.rating} {rated.category}"}
    comments = [answer for answer in objects_in(rated.response, "answers") if answer.get("type") == COMMENT]
    text = "\n".join(filter(str.strip, (as_text(comment.get("value")) or "" for comment in comments)))
    return fact | ({"text": text} if text else {})


def scale_of(rated: RatedResponse, documents: Documents) -> tuple[int, int] | None:
    """The scale of a rating: the lowest and the highest option of its question. None if that is no scale that we know."""
    questions = objects_in(object_in(documents.get(SURVEY), "survey"), "questions")
    own = [question for question in questions if as_text(question.get("id")) == rated.question]
    options = [option for one in own for option in objects_in(one, "options")]
    ratings = [rating for option in options if (rating := as_whole_number(option.get("rating"))) is not None]
    scale = (min(ratings), max(ratings)) if ratings else None
    return scale if scale in POSITIVE_FROM else None


def condense(documents: Documents) -> Documents:
    """The documents with those fields that are read: not the person who answered, nor texts of the survey."""
    responses, survey = documents.get(RESPONSES), documents.get(SURVEY)
    condensed: dict[str, Any] = {RESPONSES: None, SURVEY: None}
    if responses is not None:
        condensed[RESPONSES] = {
            "survey_responses": [_response(response) for response in objects_in(responses, "survey_responses")]
        }
    if survey is not None:
        questions = [
            {
                "id": question.get("id"),
                "options": [{"rating": option.get("rating")} for option in objects_in(question, "options")],
            }
            for question in objects_in(object_in(survey, "survey"), "questions")
        ]
        condensed[SURVEY] = {"survey": {"questions": questions}}
    return condensed


def _response(response: Mapping[str, Any]) -> dict[str, Any]:
    answers = [
        {name: answer[name] for name in ANSWER_FIELDS if name in answer}
        | {"question": {name: object_in(answer, "question").get(name) for name in ("id", "sub_type")}}
        for answer in objects_in(response, "answers")
        if answer.get("type") in (RATING, COMMENT)
    ]
    return {"subject_zrns": response.get("subject_zrns"), "answers": answers}
