"""Survicate (developers.survicate.com/webhooks): one webhook for each answered question, and one for a completed survey.

`Hmac` is the HMAC-SHA256 of the raw body under the signing secret of the workspace. Its encoding is not documented, so both
hexadecimal and base64 are accepted. There is no timestamp. `messageId` is the same for each try. The kind of event is the key
under `event`.

Answers of one response arrive one by one and are put together by `responseUuid`. A payload does not say what a question measures;
an NPS answer alone is documented to have another shape: the score as `id` and the group as `body`. For any other rating the
connection's mapping states kind and scale, by the id of the question, and `values` the number of a choice that is a word. Texts
are comments, and so is what a respondent wrote beside a choice.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from pydantic import Field

from services.ingest.domain.connection import FieldMapping, SurveyQuestion
from services.ingest.domain.fields import GroupName, Score, is_name
from services.ingest.domain.mapping_use import MappingUse, UnmappedQuestion
from services.ingest.domain.providers.customers import customer_fields, own_id
from services.ingest.domain.providers.payload import (
    DeliveryIdentity,
    Unusable,
    as_objects,
    as_text,
    as_whole_number,
    dimensions_of,
    object_in,
    occurring_dimensions,
    parse_payload,
    trimmed_text,
)
from services.ingest.domain.providers.provider import Parsed, Provider, Request
from services.ingest.domain.signatures import NotVerified, is_hmac, verify_hmac
from shared.text import nfc

QUESTION_EVENT = "questionAnswered"
COMMENT, NPS = SurveyQuestion(kind="comment"), SurveyQuestion(kind="nps")
GROUPS = {"detractor": range(7), "passive": range(7, 9), "promoter": range(9, 11)}
"""The scores of each NPS group, which is the text of an NPS answer."""
BESIDE = ".comment"
"""Ends the name of the question whose answer is the comment beside a choice."""
CUSTOMER_ATTRIBUTES = ("user_id", "customer_id")
"""Attributes of respondents that hold the customer's id in the tenant's own systems."""
CONTACT_FORM = "fields"
CONTEXT = ("responseUuid", "survey", "url", "timestamp", "respondent", "question", CONTACT_FORM)
"""The keys of an event that hold no answer to map."""

Answers = list[dict[str, Any]]


class SurvicateSettings(FieldMapping):
    """`questions` are named by their ids, the comment beside a choice by `<id>.comment`. `dimensions` name attributes of
    respondents, fields of contact forms, and questions with one choice."""

    values: dict[GroupName, Score] = Field(
        default_factory=dict,
        max_length=200,
        description='Survicate: the numbers of choices that are words, such as `{"Great": 5}`, for questions that are ratings',
    )


def _verify(request: Request, secrets: Sequence[str], now: datetime) -> None:
    signature = request.headers.get("hmac")
    if not signature:
        raise NotVerified("hmac is needed: use the signing secret of the workspace")
    keys = [secret.encode() for secret in secrets]
    if not is_hmac(signature, request.body, keys, "sha256", "hex"):
        verify_hmac(signature, request.body, keys)


def _parse(request: Request, settings: SurvicateSettings) -> Parsed:
    return parse_payload(request, _identify, lambda identity, payload: _read(identity, payload, settings))


def _identify(payload: Mapping[str, Any]) -> DeliveryIdentity:
    event = object_in(object_in(payload, "event"), QUESTION_EVENT)
    return DeliveryIdentity(as_text(payload.get("messageId")), "response", as_text(event.get("responseUuid")))


def _read(identity: DeliveryIdentity, payload: Mapping[str, Any], settings: SurvicateSettings) -> Parsed:
    """The record with one answer. Raises Unusable if it has no id, or does not fit the mapping."""
    events = object_in(payload, "event")
    if not events:
        raise Unusable("event is missing")
    if QUESTION_EVENT not in events:
        return Parsed(identity.delivery, ignored=next(iter(events)))
    event = object_in(events, QUESTION_EVENT)
    if identity.id is None:
        raise Unusable("responseUuid is missing")
    question = object_in(event, "question")
    name, at = as_text(question.get("id")), event.get("timestamp")
    if name is None:
        raise Unusable("question.id is missing")
    name = nfc(name)
    answers, unmapped = _answers(name, event, settings)
    fields = _fields(name, event)
    dimensions = dimensions_of(fields, settings)
    survey = object_in(event, "survey")
    survey_id, title = dimensions.pop("survey", None) or as_text(survey.get("id")), as_text(survey.get("name"))
    customer = _customer(event, fields, own_id(fields, settings))
    record = {
        "type": "response",
        "id": identity.id,
        "at": at,
        "updated_at": at,
        "channel": dimensions.pop("channel", "survey"),
        "answers": answers,
        "dimensions": dimensions,
        **({"survey": {"id": survey_id, **({"name": title[:500]} if title else {})}} if survey_id else {}),
        **({"customer": customer} if customer else {}),
    }
    is_dimension = name in settings.fields
    use = MappingUse(
        unmapped=(UnmappedQuestion(name, None, as_text(question.get("body"))),) if unmapped and not is_dimension else (),
        questions=frozenset(settings.questions.keys() & {name, name + BESIDE}),
        dimensions=occurring_dimensions([name, *fields], settings),
    )
    return Parsed(identity.delivery, [record], use=use)


def _answers(name: str, event: Mapping[str, Any], settings: SurvicateSettings) -> tuple[Answers, bool]:
    """The answer with the comment beside it, and whether the answer is left out because nothing says what it measures."""
    choice, declared = object_in(event, "choice"), settings.questions.get(name)
    text = event.get("text")
    if declared is None:
        declared = COMMENT if isinstance(text, str) else NPS if _is_nps(choice) else None
    answers = _beside(name, choice, settings)
    if declared is None:
        return answers, any(value not in (None, "", [], {}) for key, value in event.items() if key not in CONTEXT)
    if declared.kind == "ignore":
        return answers, False
    if declared.kind == "comment":
        if not isinstance(text, str):
            raise Unusable(f"question {name} is a comment, but its answer is no text", "mapping_mismatch")
        return [{"question": name, "kind": "comment", "text": text}] if text.strip() else [], False
    value = _number(declared, choice, text, settings)
    if value is None:
        raise Unusable(f"question {name} is a rating by the mapping, but its answer is no number", "mapping_mismatch")
    body = as_text(choice.get("body"))
    raw = {"raw": body[:200]} if body and body != str(value) else {}
    return [{"question": name, **declared.model_dump(exclude_none=True), "value": value, **raw}, *answers], False


def _is_nps(choice: Mapping[str, Any]) -> bool:
    """Whether a choice is an NPS answer: its id is a score, and its text is the group of that score."""
    return as_whole_number(choice.get("id")) in GROUPS.get(as_text(choice.get("body")) or "", ())


def _number(question: SurveyQuestion, choice: Mapping[str, Any], text: object, settings: SurvicateSettings) -> int | None:
    """The number of a rating: the score of an NPS answer, else by `values` or the text of the choice. None if it has none."""
    if question.kind == "nps" and _is_nps(choice):
        return as_whole_number(choice.get("id"))
    body = (as_text(choice.get("body")) or (text if isinstance(text, str) else "")).strip()
    return settings.values[nfc(body)] if nfc(body) in settings.values else as_whole_number(body)


def _beside(name: str, choice: Mapping[str, Any], settings: SurvicateSettings) -> Answers:
    """The comment beside a choice."""
    comment, declared = choice.get("comment"), settings.questions.get(name + BESIDE)
    is_ignored = declared is not None and declared.kind == "ignore"
    if not isinstance(comment, str) or not comment.strip() or is_ignored:
        return []
    return [{"question": name + BESIDE, "kind": "comment", "text": comment}]


def _fields(name: str, event: Mapping[str, Any]) -> dict[str, str]:
    """The values that a mapping may name: attributes, fields of a contact form, and the chosen answer. One line each."""
    chosen = as_text(object_in(event, "choice").get("body"))
    values = {
        **object_in(event, CONTACT_FORM),
        **_attributes(event),
        **({name: chosen} if chosen else {}),
    }
    texts = {str(key): trimmed_text(value) for key, value in values.items()}
    return {key: text for key, text in texts.items() if is_name(text)}


def _attributes(event: Mapping[str, Any]) -> dict[str, Any]:
    """The attributes of the respondent: an object, or a list of objects with name and value, which is empty if there are none."""
    respondent = object_in(event, "respondent")
    listed = respondent.get("attributes")
    if not isinstance(listed, list):
        return object_in(respondent, "attributes")
    return {name: item.get("value") for item in as_objects(listed) if (name := as_text(item.get("name")))}


def _customer(event: Mapping[str, Any], fields: Mapping[str, str], own: str | None) -> dict[str, Any]:
    """The customer by the mapped field or an attribute with the tenant's own id, by Survicate's id, and by the address."""
    attributes, respondent = _attributes(event), object_in(event, "respondent")
    attribute = next((fields[name] for name in CUSTOMER_ATTRIBUTES if name in attributes and name in fields), None)
    tool_id = as_text(respondent.get("uuid")) or as_text(respondent.get("id"))
    return customer_fields("survicate", tool_id=tool_id, own_id=own or attribute, email=fields.get("email"))


PROVIDER = Provider(
    verify=_verify,
    parse=_parse,
    settings=SurvicateSettings,
    title="Survicate",
    content=("response", "names"),
)
