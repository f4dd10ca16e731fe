"""Reasons of invalid bodies: plain words, with the fields that are allowed."""

from typing import Annotated, Any, Literal

import pytest
from pydantic import BaseModel, ConfigDict, Field, RootModel, TypeAdapter, ValidationError

from shared.problems import Unprocessable, validation_problem
from shared.validation import reason_of, schema_of_model


class Strict(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Nps(Strict):
    kind: Literal["nps"]
    value: Annotated[int, Field(ge=0, le=10)]


class Comment(Strict):
    kind: Literal["comment"]
    text: Annotated[str, Field(min_length=1, max_length=5)]


class Customer(Strict):
    id: str
    from_: str | None = Field(None, alias="from")


Title = Annotated[str, Field(pattern=r"^[^\x00-\x1f\x7f]+$")]


class Record(Strict):
    name: str
    channel: Literal["email", "chat"] = "email"
    customer: Customer | None = None
    answers: list[Annotated[Nps | Comment, Field(discriminator="kind")]] = []
    labels: dict[str, Customer] = {}
    titles: dict[Annotated[str, Field(min_length=1)], Title] = Field({}, max_length=2)
    code: Annotated[str, Field(pattern="^[a-z]$")] = "a"


class Names(RootModel[list[Customer]]):
    pass


def params(model: type[BaseModel], body: Any) -> list[dict[str, str]]:
    with pytest.raises(ValidationError) as caught:
        model.model_validate(body)
    return [dict(param) for param in validation_problem(Unprocessable, caught.value, model).invalid_params]


@pytest.mark.parametrize(
    ("body", "name", "reason"),
    [
        (
            {"name": "a", "chanel": 1},
            "chanel",
            'is not a field here; did you mean "channel"? Allowed: name, channel, customer, answers, labels, titles, code',
        ),
        ({"name": "a", "customer": {"id": "c", "email": 1}}, "customer.email", "is not a field here. Allowed: id, from"),
        ({"name": "a", "labels": {"x": {"id": "c", "ID": 1}}}, "labels.x.ID", 'did you mean "id"? Allowed: id, from'),
        (
            {"name": "a", "answers": [{"kind": "nps", "value": 1, "x": 1}]},
            "answers.0.nps.x",
            "is not a field here. Allowed: kind, value",
        ),
        (
            {"name": "a", "answers": [{"kind": "comment", "text": "a", "txt": 1}]},
            "answers.0.comment.txt",
            'did you mean "text"? Allowed: kind, text',
        ),
        ({"name": "a", "channel": "emial"}, "channel", 'is not allowed; did you mean "email"? Allowed: email, chat'),
        ({}, "name", "is required"),
        ({"name": 7}, "name", "must be a text"),
        ([], "", "must be an object"),
        ({"name": "a", "answers": 7}, "answers", "must be a list"),
        ({"name": "a", "answers": [{"kind": "nps", "value": 11}]}, "answers.0.nps.value", "must be at most 10"),
        ({"name": "a", "answers": [{"kind": "comment", "text": "secret"}]}, "answers.0.comment.text", "at most 5 characters"),
        ({"name": "a", "answers": [{"kind": "secret"}]}, "answers.0", "must have one of 'nps', 'comment' as 'kind'"),
        ({"name": "a", "answers": [{}]}, "answers.0", "needs 'kind'"),
        ({"name": "a", "answers": [{"kind": "comment", "text": ""}]}, "answers.0.comment.text", "must have at least 1 character"),
        ({"name": "a", "titles": {"": "x"}}, "titles..[key]", "must have at least 1 character"),
        ({"name": "a", "titles": {"x": "a\nb"}}, "titles.x", "must have no line breaks or other control characters"),
        ({"name": "a", "titles": {"x": "a", "y": "b", "z": "c"}}, "titles", "must have at most 2 entries"),
        ({"name": "a", "code": "1"}, "code", "must match the pattern ^[a-z]$"),
    ],
)
def test_an_invalid_body_is_refused_in_plain_words(body: Any, name: str, reason: str) -> None:
    (param,) = params(Record, body)
    assert param["name"] == name
    assert param["reason"].endswith(reason)
    assert "secret" not in param["reason"]


def test_the_fields_of_a_list_at_the_root_are_named() -> None:
    (param,) = params(Names, [{"id": "a", "idd": 1}])
    assert param == {"name": "0.idd", "reason": 'is not a field here; did you mean "id"? Allowed: id, from'}


def test_without_a_schema_the_reason_lists_no_fields() -> None:
    adapter = TypeAdapter(Customer)
    with pytest.raises(ValidationError) as caught:
        adapter.validate_python({"id": "a", "x": 1})
    assert reason_of(caught.value.errors()[0]) == "is not a field here"
    assert reason_of(caught.value.errors()[0], schema_of_model(Customer)) == "is not a field here. Allowed: id, from"
