"""References between the schemas of an OpenAPI document: following and renaming them."""

from collections.abc import Iterator
from copy import deepcopy
from typing import Any

from shared.openapi import REF

Json = dict[str, Any]


def reachable(node: Any, schemas: Json) -> set[str]:
    """The names of all schemas that `node` refers to, directly or not."""
    names: set[str] = set()
    pending = [node]
    while pending:
        for name in references(pending.pop()):
            if name not in names:
                names.add(name)
                pending.append(schemas[name])
    return names


def closure(name: str, schemas: Json) -> Json:
    """A schema and all schemas that it refers to."""
    return {reference: schemas[reference] for reference in {name} | reachable(schemas[name], schemas)}


def references(node: Any) -> Iterator[str]:
    """The names of the schemas that `node` itself refers to."""
    if isinstance(node, dict):
        for value in node.values():
            yield from references(value)
    elif isinstance(node, list):
        for value in node:
            yield from references(value)
    elif isinstance(node, str) and node.startswith(REF):
        yield node.removeprefix(REF)


def renamed(node: Any, names: dict[str, str]) -> Any:
    """A copy of `node` with the names of its references replaced."""
    if isinstance(node, dict):
        return {key: renamed(value, names) for key, value in node.items()}
    if isinstance(node, list):
        return [renamed(value, names) for value in node]
    if isinstance(node, str) and node.startswith(REF):
        return REF + names[node.removeprefix(REF)]
    return deepcopy(node)
