"""A class of a service has a name of its own, unless two classes describe the same thing in two forms."""

import ast
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]

SCHEMA = "the model of an OpenAPI document, and the class that the service computes with"
PARSED = "the model that explains what is wrong with a record, and the faster one that parses it"

SAME_THING: dict[str, dict[str, str]] = {
    "services/ingest": {
        **dict.fromkeys(("Alias", "Ces", "Comment", "Csat", "Nps", "Rated", "Satisfaction", "Survey"), PARSED),
        **dict.fromkeys(("Erasure", "Feedback", "Override", "Response", "Review", "Ticket"), PARSED),
        **dict.fromkeys(
            ("Assigned", "Deleted", "Merged", "Message", "Opened", "PrioritySet", "Rating", "Spam", "StatusSet"), PARSED
        ),
        "Answer": "an answer in the payload of a tool, private to two providers",
        "Customer": f"{PARSED}; and the protocol of both",
        "Identity": "an id or an address of a customer: as a protocol, and in an answer",
        "UnmappedQuestion": SCHEMA,
    },
    "services/sentiment": {
        "Sheet": "a language's file of training data, in two sets with other fields",
    },
    "services/metrics": dict.fromkeys(("GoldRow", "Interval", "Promotion", "ShadowReport", "Window"), SCHEMA),
    "services/gateway": {},
    "shared": {},
}
"""By package, the names that several classes have, each with the reason."""


MODULES = {"services/ingest Customer": 3}
"""The names that more than two modules define, each with the number of modules."""


def repeated(sources: Iterable[str]) -> dict[str, int]:
    """The names of classes that several of these modules define, each with the number of modules."""
    modules: defaultdict[str, int] = defaultdict(int)
    for source in sources:
        for name in {node.name for node in ast.walk(ast.parse(source)) if isinstance(node, ast.ClassDef)}:
            modules[name] += 1
    return {name: count for name, count in modules.items() if count > 1}


@pytest.mark.parametrize("package", SAME_THING)
def test_no_two_classes_of_a_package_have_one_name_and_two_meanings(package: str) -> None:
    names = repeated(path.read_text() for path in sorted((ROOT / package).rglob("*.py")))
    assert names == {name: MODULES.get(f"{package} {name}", 2) for name in SAME_THING[package]}


def test_a_repeated_class_name_is_noticed() -> None:
    assert repeated(["class Span: ...\nclass Gap: ...\n", "class Seal:\n    class Span: ...\n"]) == {"Span": 2}
