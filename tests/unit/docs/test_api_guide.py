"""docs/api.md lists every `type` of a problem document, and no other."""

import re
from collections.abc import Iterator
from pathlib import Path

from deploy.contracts import app_of
from shared.problems import Problem

PAGE = Path(__file__).parents[3] / "docs" / "api.md"
FROM_THE_SERVER = {"request-timeout", "request-header-fields-too-large"}
"""Types that the HTTP server sends before there is a request; `shared.heads` holds their titles."""


def subclasses(cls: type[Problem]) -> Iterator[type[Problem]]:
    for one in cls.__subclasses__():
        yield one
        yield from subclasses(one)


def listed_types() -> set[str]:
    rows = re.findall(r"^\| (`[a-z0-9`, -]+`) \| (?:–|\d{3}) \|", PAGE.read_text(), re.MULTILINE)
    return {name for row in rows for name in re.findall(r"`([a-z0-9-]+)`", row)}


def test_the_guide_lists_every_type_of_problem() -> None:
    for service in ("gateway", "ingest", "metrics", "sentiment"):
        app_of(service)
    titles = {problem.title for problem in subclasses(Problem) if problem.__module__.startswith(("services", "shared"))}
    types = {title.lower().replace(" ", "-") for title in titles}
    assert listed_types() == types | FROM_THE_SERVER
