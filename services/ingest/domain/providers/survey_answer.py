"""The answers of survey tools whose payloads state neither kind nor scale: a value, read as the connection's mapping says."""

from typing import Any

from services.ingest.domain.connection import SurveyQuestion
from services.ingest.domain.providers.payload import Unusable, as_whole_number


def read_answer(name: str, question: SurveyQuestion, value: Any) -> dict[str, Any]:
    """The answer of a record: a comment, or a rating that the tool writes as a number or as a text.

    Raises Unusable if the value does not fit the kind of the question.
    """
    if question.kind == "comment":
        if not isinstance(value, str):
            raise Unusable(f"question {name} is a comment, but its answer is no text", "mapping_mismatch")
        return {"question": name, "kind": "comment", "text": value}
    number = as_whole_number(value)
    if number is None:
        raise Unusable(f"question {name} is a rating by the mapping, but its answer is no whole number", "mapping_mismatch")
    return {"question": name, **question.model_dump(exclude_none=True), "value": number}
