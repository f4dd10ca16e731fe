"""SurveyMonkey (api.surveymonkey.com/v3/docs): webhooks that name a response, which is then fetched.

`Sm-Signature` is the base64 HMAC-SHA1 of the raw body. Its key, the connection's secret, is `{client_id}&{client_secret}`. There
is no timestamp. A webhook holds ids only. `response_completed` and `response_updated` are fetched: the response with its
answers, and the survey, which says what their ids mean. `response_updated` comes once for each page of a survey; while a fetch
waits, further ones about the same response need none of their own.
"""

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import Field, StringConstraints

from services.ingest.domain.connection import FieldMapping
from services.ingest.domain.providers import surveymonkey_history as history
from services.ingest.domain.providers.payload import (
    DeliveryIdentity,
    Unusable,
    as_text,
    object_in,
    parse_object,
    parse_payload,
    problem_of,
    type_in,
)
from services.ingest.domain.providers.provider import Parsed, Provider, Request, ToolApi, ToolHistory
from services.ingest.domain.providers.surveymonkey_documents import condense, lacks_answered
from services.ingest.domain.providers.surveymonkey_response import read_response
from services.ingest.domain.providers.tool_api import Credentials, Documents, Fetch, is_path_id
from services.ingest.domain.providers.tool_history import halve_page
from services.ingest.domain.signatures import NotVerified, new_secret, verify_hmac

FETCHED_EVENTS = ("response_completed", "response_updated")
PREVIEWS = ("preview", "survey_preview")
SECRET = re.compile(r"[^&\s]{4,200}&[^&\s]{4,300}")

HOSTS = {
    "us": "https://api.surveymonkey.com",
    "eu": "https://api.eu.surveymonkey.com",
    "ca": "https://api.surveymonkey.ca",
}
"""The API of each data centre. An account is in one of them."""


class SurveyMonkeyCredentials(Credentials):
    """The access token of an app in SurveyMonkey, and the data centre of the account."""

    access_token: Annotated[str, StringConstraints(min_length=8, max_length=1000, pattern=r"^[\x21-\x7e]+$")] = Field(
        description="The app's access token, from its settings at developer.surveymonkey.com", examples=["the-access-token"]
    )
    data_center: Literal["us", "eu", "ca"] = Field("us", description="Where the account is: the host of its `access_url`")


def _verify(request: Request, secrets: Sequence[str], now: datetime) -> None:
    signature = request.headers.get("sm-signature")
    if not signature:
        raise NotVerified("sm-signature is needed")
    verify_hmac(signature, request.body, [secret.encode() for secret in secrets], "sha1")


def _parse(request: Request, mapping: FieldMapping) -> Parsed:
    return parse_payload(request, lambda event: DeliveryIdentity(_delivery_id(event), "response", _ids(event)[1]), _read_event)


def _read_event(identity: DeliveryIdentity, event: dict[str, Any]) -> Parsed:
    """The key of the response to fetch. Raises Unusable if it can't be part of a path."""
    kind = type_in(event, "event_type")
    if kind not in FETCHED_EVENTS:
        return Parsed(identity.delivery, ignored=kind)
    survey, response = _ids(event)
    if not (survey and response):
        raise Unusable("object_id and resources.survey_id are needed, of letters and digits")
    return Parsed(identity.delivery, about=identity.about, fetch=f"response/{response}")


def _delivery_id(event: Mapping[str, Any]) -> str | None:
    """An id that a retry has too. `event_id` alone may be that of the object, the same for each of its edits."""
    parts = [as_text(event.get(name)) for name in ("event_type", "event_id", "object_id", "event_datetime")]
    return ":".join(part or "" for part in parts) if parts[1] and parts[3] else None


def _ids(event: Mapping[str, Any]) -> tuple[str | None, str | None]:
    """The ids of the survey and of the response. None in place of one that can't be a part of a path."""
    survey = as_text(object_in(event, "resources").get("survey_id"))
    response = as_text(event.get("object_id"))
    return survey if is_path_id(survey) else None, response if is_path_id(response) else None


def _fetches(request: Request, documents: Documents, mapping: FieldMapping) -> Sequence[Fetch]:
    """First the response and the survey; then, as far as the response names them, its collector and its recipient."""
    survey, response = _ids(parse_object(request.body))
    structure = f"/v3/surveys/{survey}/details"
    if not documents:
        return (
            Fetch("response", f"/v3/surveys/{survey}/responses/{response}/details"),
            Fetch("survey", structure, shared=True),
        )
    fetched = documents["response"]
    if "collector" not in documents:
        return _fetches_of_sender(fetched)
    if "new_survey" not in documents and lacks_answered(fetched, documents["survey"]):
        # a question or a choice that is newer than the cached survey
        return (Fetch("new_survey", structure),)
    return ()


def _fetches_of_sender(response: Any) -> Sequence[Fetch]:
    """The collector, always, so that this step is done once; the recipient if the response names one."""
    collector, recipient = (as_text(object_in({"": response}, "").get(name)) for name in ("collector_id", "recipient_id"))
    if not is_path_id(collector):
        raise Unusable("the response has no collector_id")
    fetches = [Fetch("collector", f"/v3/collectors/{collector}", shared=True, optional=True)]
    if is_path_id(recipient) and recipient != "0":
        fetches.append(Fetch("recipient", f"/v3/collectors/{collector}/recipients/{recipient}", optional=True))
    return fetches


def _parse_fetched(request: Request, documents: Documents, mapping: FieldMapping) -> Parsed:
    event = _parse(request, mapping)
    response = documents.get("response")
    if event.fetch is None or not isinstance(response, dict):
        problem = event.problem or "the response is missing"
        return Parsed(event.id, problem=problem, problem_code=event.problem_code, about=event.about)
    if response.get("collection_mode") in PREVIEWS:
        return Parsed(event.id, ignored="preview", about=event.about)
    status = as_text(response.get("response_status"))
    if status != "completed":
        return Parsed(event.id, ignored=f"response_{status}", about=event.about)
    try:
        record, use = read_response(documents, mapping)
    except Unusable as error:
        return problem_of(error, event.id, event.about)
    return Parsed(event.id, [record], about=event.about, use=use)


def _new_secret(random: bytes) -> str:
    """A secret of the right form. SurveyMonkey creates the real one with the app, so a connection is given that."""
    return f"{new_secret(random[:16])}&{new_secret(random[16:])}"


def _refuse_secret(secret: str) -> str | None:
    return None if SECRET.fullmatch(secret) else "the client id, `&` and the client secret of the app, without spaces"


def _base_url(credentials: SurveyMonkeyCredentials) -> str:
    return HOSTS[credentials.data_center]


def _headers(credentials: SurveyMonkeyCredentials) -> Mapping[str, str]:
    return {"authorization": f"Bearer {credentials.access_token}"}


PROVIDER = Provider(
    verify=_verify,
    parse=_parse,
    settings=FieldMapping,
    title="SurveyMonkey",
    content=("response", "names"),
    new_secret=_new_secret,
    refuse_secret=_refuse_secret,
    api=ToolApi(
        credentials=SurveyMonkeyCredentials,
        base_url=_base_url,
        headers=_headers,
        fetches=_fetches,
        parse=_parse_fetched,
        condense=condense,
    ),
    history=ToolHistory(
        credentials=SurveyMonkeyCredentials,
        base_url=_base_url,
        headers=_headers,
        needs_surveys=True,
        begin=history.begin,
        fetches=history.fetches,
        read=history.read,
        shrink=halve_page,
        pause=history.PAUSE_SECONDS,
    ),
)
