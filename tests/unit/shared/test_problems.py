"""Problem documents stay small, however much was wrong with a request."""

import json
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from shared.problems import (
    MAX_DETAIL,
    MAX_INVALID_PARAMS,
    MAX_LISTED,
    MAX_NAME,
    MAX_REASON,
    BadRequest,
    Unprocessable,
    to_response,
    validation_problem,
)


class Body(BaseModel):
    model_config = ConfigDict(extra="forbid")


def refusal(body: dict[str, int]) -> dict[str, Any]:
    """The document that a body gets which `Body` refuses."""
    try:
        Body.model_validate(body)
    except ValidationError as error:
        return dict(json.loads(bytes(to_response(validation_problem(Unprocessable, error)).body)))
    raise AssertionError("the body must be refused")


def test_of_many_errors_the_first_are_listed_and_the_others_counted() -> None:
    document = refusal({f"unknown_{number}": number for number in range(5_000)})
    params = document["invalid_params"]
    assert isinstance(params, list)
    assert (len(params), document["more_invalid_params"]) == (MAX_INVALID_PARAMS, 5_000 - MAX_INVALID_PARAMS)
    assert params[0]["name"] == "unknown_0"


def test_very_many_errors_are_only_counted() -> None:
    count = MAX_LISTED + 1
    document = refusal({str(number): number for number in range(count)})
    assert document["detail"] == f"{count} places are wrong"
    assert document["more_invalid_params"] == count
    assert "invalid_params" not in document


def test_names_that_the_caller_chose_are_cut() -> None:
    params = refusal({"x" * 1_000_000: 1})["invalid_params"]
    assert [len(param["name"]) for param in params] == [MAX_NAME]


def test_any_problem_is_bounded_whoever_raises_it() -> None:
    params = [{"name": "n" * 1_000, "reason": "r" * 10_000}] * 1_000
    document = json.loads(bytes(to_response(BadRequest("d" * 100_000, invalid_params=params)).body))
    assert len(document["detail"]) == MAX_DETAIL
    assert [len(param["reason"]) for param in document["invalid_params"]] == [MAX_REASON] * MAX_INVALID_PARAMS
    assert document["more_invalid_params"] == 1_000 - MAX_INVALID_PARAMS


def test_few_errors_are_listed_whole() -> None:
    assert "more_invalid_params" not in refusal({"colour": 1})
