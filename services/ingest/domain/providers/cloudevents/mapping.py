"""Settings for events whose `data` is the sender's own JSON: which of its fields are the answers of a survey response."""

import unicodedata
from hashlib import blake2b
from typing import Any

from pydantic import Field

from services.ingest.domain.connection import FieldMapping, SurveyQuestion
from services.ingest.domain.fields import LONGEST_NAME, GroupName, Name
from services.ingest.domain.mapping_use import MappingUse
from services.ingest.domain.providers.cloudevents.event import CloudEvent
from services.ingest.domain.providers.payload import Unusable, as_text, dimensions_of, problem_of
from services.ingest.domain.providers.provider import Parsed

ATTRIBUTE_PREFIX = "ce."
"""Begins the path of an attribute, such as `ce.subject`."""

ABSENT = object()


class CloudEventsSettings(FieldMapping):
    """Without `questions`, `data` is a canonical record and the other settings except `types` have no effect.

    With them, each event is a survey response. A field is a path into `data`, with a dot between the keys of nested objects:
    `order.rating`. `ce.subject`, `ce.source`, `ce.type`, `ce.id` and `ce.time` are the attributes of the event.
    """

    types: list[Name] = Field(
        default_factory=list, max_length=100, description="CloudEvents: the types that are read; others are ignored. Empty: all"
    )
    id: GroupName | None = Field(
        None,
        description="CloudEvents: the field that identifies the response; an event with the same value changes it. Default: each "
        "event is a response of its own",
    )
    at: GroupName | None = Field(None, description="CloudEvents: the field with the time of the answer; default `ce.time`")
    customer_id: GroupName | None = Field(None, description="CloudEvents: as `customer`, which precedes it")
    customer_email: GroupName | None = Field(None, description="CloudEvents: the field with the customer's e-mail address")


def uses_mapping(settings: CloudEventsSettings) -> bool:
    """Whether `data` is the sender's own JSON."""
    return bool(settings.questions)


def as_response(event: CloudEvent, settings: CloudEventsSettings) -> Parsed:
    """The event as a survey response. An event with none of the mapped questions is a problem."""
    identity = None
    try:
        data = event.data()
        if not isinstance(data, dict):
            raise Unusable("the data is not an object")
        fields = _Fields(event, data)
        identity = _identity(event, fields, settings)
        values = {name: fields.get(name) for name in settings.questions}
        present = {name: value for name, value in values.items() if value is not ABSENT}
        if not present:
            raise Unusable(
                "the data has none of the mapped questions; `types` leaves out events of other types", "mapping_mismatch"
            )
        return Parsed(event.key, [_record(event, identity, fields, present, settings)], use=_use(fields, present, settings))
    except Unusable as error:
        return problem_of(error, event.key, (f"response/{identity}",) if identity else ())


class _Fields:
    """The fields of an event by path."""

    def __init__(self, event: CloudEvent, data: dict[str, Any]) -> None:
        self._event = event
        self._data = data

    def get(self, path: str) -> Any:
        """The value at a path. ABSENT if there is none."""
        if path.startswith(ATTRIBUTE_PREFIX):
            attribute = self._event.attributes().get(path.removeprefix(ATTRIBUTE_PREFIX))
            return ABSENT if attribute is None else attribute
        if path in self._data:
            return self._data[path]
        value: Any = self._data
        for key in path.split("."):
            value = _member(value, key)
        return value


def _member(value: Any, key: str) -> Any:
    """The value under a key in NFC; the payload may write the key in NFD."""
    if not isinstance(value, dict):
        return ABSENT
    return value[key] if key in value else value.get(unicodedata.normalize("NFD", key), ABSENT)


def _identity(event: CloudEvent, fields: _Fields, settings: CloudEventsSettings) -> str:
    if settings.id is not None:
        identity = as_text(fields.get(settings.id))
        if identity is None:
            raise Unusable("the field of mapping.id is missing, or is neither text nor a whole number", "mapping_mismatch")
        return identity
    if len(event.key) <= LONGEST_NAME:
        return event.key
    return blake2b(event.key.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()


def _record(
    event: CloudEvent, identity: str, fields: _Fields, present: dict[str, Any], settings: CloudEventsSettings
) -> dict[str, Any]:
    dimensions = dimensions_of({field: fields.get(field) for field in settings.dimensions}, settings)
    customer = {
        name: value
        for name, field in (("id", settings.customer or settings.customer_id), ("email", settings.customer_email))
        if field and (value := as_text(fields.get(field)))
    }
    channel, survey = dimensions.pop("channel", None), dimensions.pop("survey", None)
    return {
        "type": "response",
        "id": identity,
        "at": _time(fields, settings, event),
        "answers": [
            _answer(name, settings.questions[name], value)
            for name, value in present.items()
            if settings.questions[name].kind != "ignore"
        ],
        "dimensions": dimensions,
        **({"updated_at": event.time} if event.time else {}),
        **({"channel": channel} if channel else {}),
        **({"survey": {"id": survey}} if survey else {}),
        **({"customer": customer} if customer else {}),
    }


def _time(fields: _Fields, settings: CloudEventsSettings, event: CloudEvent) -> Any:
    at = fields.get(settings.at) if settings.at else event.time
    if at is None or at is ABSENT:
        raise Unusable(
            f"the event has no {'field for mapping.at' if settings.at else 'time'}",
            "mapping_mismatch" if settings.at else "unexpected_payload",
        )
    return at


def _answer(name: str, question: SurveyQuestion, value: Any) -> dict[str, Any]:
    if question.kind == "comment":
        if value is not None and not isinstance(value, str):
            raise Unusable(f"question {name} is a comment, but its value is no text", "mapping_mismatch")
        return {"question": name, "kind": "comment", "text": value}
    if isinstance(value, bool):
        value = int(value)
    if value is not None and not isinstance(value, int | float):
        raise Unusable(f"question {name} is a rating by the mapping, but its value is no number", "mapping_mismatch")
    return {"question": name, **question.model_dump(exclude_none=True), "value": value}


def _use(fields: _Fields, present: dict[str, Any], settings: CloudEventsSettings) -> MappingUse:
    occurring = frozenset(field for field in settings.fields if fields.get(field) is not ABSENT)
    return MappingUse(questions=frozenset(present), dimensions=occurring)
