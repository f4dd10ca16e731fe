"""Describe pydantic's errors in plain words: why a place is refused, what is allowed there, and the closest allowed name.

A reason never holds the refused value, which may be a customer's words.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from typing import Any

from pydantic import TypeAdapter

from shared.suggestions import refusal

Schema = Mapping[str, Any]
"""A JSON schema."""

REASONS = {
    "missing": "is required",
    "string_type": "must be a text",
    "int_type": "must be a whole number",
    "int_parsing": "must be a whole number",
    "int_from_float": "must be a whole number",
    "float_type": "must be a number",
    "float_parsing": "must be a number",
    "bool_type": "must be true or false",
    "bool_parsing": "must be true or false",
    "list_type": "must be a list",
    "dict_type": "must be an object",
    "model_type": "must be an object",
    "model_attributes_type": "must be an object",
    "string_too_short": "must have at least {min_length} characters",
    "string_too_long": "must have at most {max_length} characters",
    "too_short": "must have at least {min_length} entries",
    "too_long": "must have at most {max_length} entries",
    "greater_than": "must be more than {gt}",
    "greater_than_equal": "must be at least {ge}",
    "less_than": "must be less than {lt}",
    "less_than_equal": "must be at most {le}",
    "union_tag_not_found": "needs {discriminator}",
    "union_tag_invalid": "must have one of {expected_tags} as {discriminator}",
}
"""Reasons by the type of pydantic's error, with the fields of its context. Others have pydantic's own message."""

NO_CONTROL_CHARACTERS = re.compile(r"\^\[\^\\x00-\\x1f\\x7f\][*+]\$")
NO_NUL = re.compile(r"\^\[\^\\x00\][*+]\$")
"""Patterns of texts, as our models have them."""
QUOTED = re.compile(r"'([^']*)'")
BRANCHES = ("anyOf", "oneOf", "allOf")


@cache
def schema_of_model(model: Any) -> Schema:
    """The JSON schema of a model, which names the fields that a body may have."""
    return TypeAdapter(model).json_schema()


def reason_of(error: Mapping[str, Any], schema: Schema | None = None) -> str:
    """The reason of one of `ValidationError.errors()`. `schema`, of the validated model, names the fields that it allows."""
    kind, context = error["type"], error.get("ctx", {})
    if kind == "extra_forbidden":
        allowed = fields_at(schema, error["loc"][:-1]) if schema else []
        return refusal("is not a field here", str(error["loc"][-1]), allowed)
    if kind in ("literal_error", "enum") and (allowed := QUOTED.findall(context["expected"])):
        return refusal("is not allowed", str(error.get("input", "")), allowed)
    if kind == "string_pattern_mismatch":
        return reason_of_pattern(context["pattern"])
    if kind in REASONS:
        return singular(REASONS[kind].format(**context))
    return str(error["msg"]).removeprefix("Value error, ")


def reason_of_pattern(pattern: str) -> str:
    """Why a text is refused that does not match `pattern`."""
    if NO_CONTROL_CHARACTERS.fullmatch(pattern):
        return "must have no line breaks or other control characters"
    if NO_NUL.fullmatch(pattern):
        return "must not have the character NUL"
    return f"must match the pattern {pattern}"


def singular(reason: str) -> str:
    """`reason` with "1 entry" for "1 entries", "1 character" for "1 characters"."""
    return reason.replace(" 1 characters", " 1 character").replace(" 1 entries", " 1 entry")


def fields_at(schema: Schema, loc: Sequence[int | str]) -> list[str]:
    """The names of the fields of the object at `loc`, a place as pydantic's errors give it; empty if that is unknown."""
    places = [schema]
    for part in loc:
        places = [inner for place in places for inner in _step(place, part, schema)] or places
    return list(
        dict.fromkeys(name for place in places for branch in _branches(place, schema) for name in branch.get("properties", ()))
    )


def _branches(place: Schema, root: Schema) -> Iterator[Schema]:
    """The schema itself, or those that it refers to or chooses between."""
    if "$ref" in place:
        yield from _branches(root["$defs"][place["$ref"].rpartition("/")[2]], root)
    elif inner := [branch for key in BRANCHES for branch in place.get(key, ())]:
        for branch in inner:
            yield from _branches(branch, root)
    else:
        yield place


def _step(place: Schema, part: int | str, root: Schema) -> Iterator[Schema]:
    """The schemas of one part of a place: an index, a field's name, or the tag that pydantic inserts for a union."""
    if "$ref" in place:
        yield from _step(root["$defs"][place["$ref"].rpartition("/")[2]], part, root)
        return
    tagged = place.get("discriminator", {}).get("mapping", {}).get(part)
    if tagged:
        yield {"$ref": tagged}
        return
    for key in BRANCHES:
        for branch in place.get(key, ()):
            yield from _step(branch, part, root)
    if isinstance(part, int) and "items" in place:
        yield place["items"]
    elif part in place.get("properties", {}):
        yield place["properties"][part]
    elif isinstance(place.get("additionalProperties"), dict):
        yield place["additionalProperties"]
