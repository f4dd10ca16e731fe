"""A class of a service, or of `shared`, has a name of its own, unless two classes describe the same thing in two forms."""

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


RECORD_AND_EVENT = "a part of a record, and the part of an event that is made from it"

ALSO_SHARED: dict[str, dict[str, str]] = {
    "services/ingest": {
        "Answer": "an answer in the payload of a tool, and in an event",
        **dict.fromkeys(("Alias", "Override", "Response", "Review", "Ticket"), RECORD_AND_EVENT),
        **dict.fromkeys(
            ("Assigned", "Deleted", "Merged", "Message", "Opened", "PrioritySet", "Rating", "Spam", "StatusSet"), RECORD_AND_EVENT
        ),
    },
    "services/sentiment": {"ThemeScore": SCHEMA},
    "services/metrics": {},
    "services/gateway": {},
}
"""By service, the names of its classes that classes of `shared` have too, each with the reason."""


MODULES = {"services/ingest Customer": 3}
"""The names that more than two modules define, each with the number of modules."""


def class_names(source: str) -> set[str]:
    """The names of the classes in a module."""
    return {node.name for node in ast.walk(ast.parse(source)) if isinstance(node, ast.ClassDef)}


def repeated(sources: Iterable[str]) -> dict[str, int]:
    """The names of classes that several of these modules define, each with the number of modules."""
    modules: defaultdict[str, int] = defaultdict(int)
    for source in sources:
        for name in class_names(source):
            modules[name] += 1
    return {name: count for name, count in modules.items() if count > 1}


@pytest.mark.parametrize("package", SAME_THING)
def test_no_two_classes_of_a_package_have_one_name_and_two_meanings(package: str) -> None:
    names = repeated(path.read_text() for path in sorted((ROOT / package).rglob("*.py")))
    assert names == {name: MODULES.get(f"{package} {name}", 2) for name in SAME_THING[package]}


@pytest.mark.parametrize("service", ALSO_SHARED)
def test_no_class_of_a_service_has_the_name_of_another_thing_in_shared(service: str) -> None:
    names = {
        package: set[str]().union(*(class_names(path.read_text()) for path in (ROOT / package).rglob("*.py")))
        for package in (service, "shared")
    }
    assert names[service] & names["shared"] == ALSO_SHARED[service].keys()


def test_a_repeated_class_name_is_noticed() -> None:
    assert repeated(["class Span: ...\nclass Gap: ...\n", "class Seal:\n    class Span: ...\n"]) == {"Span": 2}
