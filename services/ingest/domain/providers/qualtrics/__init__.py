"""Qualtrics (api.qualtrics.com, event subscriptions): requests that name a completed response, which is then fetched.

A request is a form. If the subscription has a shared key, `MSG` holds the event as JSON, and `HMAC` is the hexadecimal
HMAC-SHA512 of it; it is not documented whether of its text or of its percent-encoded form, so both are accepted. Without a key
the event's fields are those of the form and nothing is signed, so the URL must have the secret as `token`. A *Web service* task
of a workflow can send the same fields as JSON, with the secret in a header.

A request has no id. The response and the time of its completion identify it.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated, Any

from pydantic import Field, StringConstraints

from services.ingest.domain.connection import FieldMapping
from services.ingest.domain.providers.forms import parse_fields
from services.ingest.domain.providers.payload import (
    DeliveryIdentity,
    NotYet,
    Unusable,
    as_text,
    parse_object,
    parse_payload,
    problem_of,
)
from services.ingest.domain.providers.provider import Parsed, Provider, Request, ToolApi
from services.ingest.domain.providers.qualtrics.documents import condense, lacks_answered
from services.ingest.domain.providers.qualtrics.response import read_response
from services.ingest.domain.providers.shared_secret import verify_shared_secret
from services.ingest.domain.providers.tool_api import Credentials, Documents, Fetch, is_path_id
from services.ingest.domain.signatures import NotVerified, is_hmac

COMPLETED = "surveyengine.completedResponse"
"""The topic that is read. The name of the brand comes before it, the id of the survey after it."""

RAW_MESSAGE = b"MSG="


class QualtricsCredentials(Credentials):
    """The API token of a user who may view the responses, and the data center of the account."""

    api_token: Annotated[str, StringConstraints(min_length=8, max_length=1000, pattern=r"^[\x21-\x7e]+$")] = Field(
        description="The API token, from Account Settings, Qualtrics IDs", examples=["the-api-token"]
    )
    data_center: Annotated[str, StringConstraints(pattern=r"^[a-z]{2,6}[0-9]?$")] = Field(
        description="The data center ID, from Account Settings, Qualtrics IDs: one word, such as `fra1`", examples=["fra1"]
    )


def _verify(request: Request, secrets: Sequence[str], now: datetime) -> None:
    try:
        fields = parse_fields(request)
    except Unusable:
        fields = {}
    signature = as_text(fields.get("HMAC"))
    if signature is None:
        verify_shared_secret(request, secrets, in_url=True)
        return
    keys = [secret.encode() for secret in secrets]
    texts = ((as_text(fields.get("MSG")) or "").encode(), _encoded_message(request.body))
    if not any(is_hmac(signature, text, keys, "sha512", "hex") for text in texts):
        raise NotVerified("HMAC is wrong: the connection's secret must be the sharedKey of the subscription")


def _encoded_message(body: bytes) -> bytes:
    """The percent-encoded MSG of a form; of repeated ones the last, which is the one that is read."""
    parts = [part for part in body.split(b"&") if part.startswith(RAW_MESSAGE)]
    return parts[-1].removeprefix(RAW_MESSAGE) if parts else b""


def _event(request: Request) -> dict[str, Any]:
    """The event: that in MSG, if there is one. Raises Unusable if it can't be read."""
    fields = parse_fields(request)
    if "MSG" not in fields:
        return fields
    try:
        return parse_object((as_text(fields["MSG"]) or "").encode()) | {"Topic": fields.get("Topic")}
    except Unusable as error:
        raise Unusable("MSG is no JSON object: create the subscription with `encrypt` false", error.code) from None


def _parse(request: Request, mapping: FieldMapping) -> Parsed:
    return parse_payload(request, _identify, _read_event, decode=lambda body: _event(request))


def _identify(event: Mapping[str, Any]) -> DeliveryIdentity:
    _, response = _ids(event)
    completed = as_text(event.get("CompletedDate"))
    return DeliveryIdentity(f"{response}:{completed}" if response and completed else None, "response", response)


def _ids(event: Mapping[str, Any]) -> tuple[str | None, str | None]:
    """The ids of the survey and of the response. None in place of one that can't be a part of a path."""
    survey, response = as_text(event.get("SurveyID")), as_text(event.get("ResponseID"))
    return survey if is_path_id(survey) else None, response if is_path_id(response) else None


def _read_event(identity: DeliveryIdentity, event: dict[str, Any]) -> Parsed:
    """The key of the response to fetch. Raises Unusable if an id can't be part of a path."""
    topic = as_text(event.get("Topic"))
    if topic is not None and COMPLETED not in topic:
        return Parsed(identity.delivery, ignored=topic)
    if None in _ids(event):
        raise Unusable("SurveyID and ResponseID are needed, of letters, digits and `_`")
    return Parsed(identity.delivery, about=identity.about, fetch=f"response/{identity.id}")


def _fetches(request: Request, documents: Documents, mapping: FieldMapping) -> Sequence[Fetch]:
    """The response and the definition of its survey; the definition once more if the cached one lacks an answered question.

    Raises NotYet if the response is not there: it may be so soon after its completion, so it is not taken for deleted.
    """
    survey, response = _ids(_event(request))
    definition = f"/API/v3/survey-definitions/{survey}"
    if not documents:
        return (
            Fetch("response", f"/API/v3/surveys/{survey}/responses/{response}", optional=True),
            Fetch("survey", definition, shared=True, optional=True),
        )
    if documents["response"] is None:
        raise NotYet("Qualtrics has no such response yet, or the user of the token may not view it")
    if "new_survey" not in documents and lacks_answered(documents):
        return (Fetch("new_survey", definition, optional=True),)
    return ()


def _parse_fetched(request: Request, documents: Documents, mapping: FieldMapping) -> Parsed:
    event = _parse(request, mapping)
    if event.fetch is None:
        return Parsed(event.id, problem=event.problem or "this kind of event is not fetched", about=event.about)
    try:
        return read_response(event, _ids(_event(request)), documents, mapping)
    except Unusable as error:
        return problem_of(error, event.id, event.about)


PROVIDER = Provider(
    verify=_verify,
    parse=_parse,
    settings=FieldMapping,
    title="Qualtrics",
    content=("response", "names"),
    stored_headers=("content-type",),
    body_types=("form", "json"),
    api=ToolApi(
        credentials=QualtricsCredentials,
        base_url=lambda credentials: f"https://{credentials.data_center}.qualtrics.com",
        headers=lambda credentials: {"x-api-token": credentials.api_token},
        fetches=_fetches,
        parse=_parse_fetched,
        condense=condense,
    ),
)
