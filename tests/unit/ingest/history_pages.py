"""Reads the history of a tool from answers of its API, without HTTP."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from services.ingest.domain.connection import Connection
from services.ingest.domain.delivery import Delivery
from services.ingest.domain.providers import PROVIDERS
from services.ingest.domain.providers.tool_api import Fetch
from services.ingest.domain.providers.tool_history import Cursor, HistoryPage
from services.ingest.domain.receive import receive_listed
from tests.unit.ingest.making import NOW

SINCE = datetime(2026, 11, 1, tzinfo=UTC)

Answers = Mapping[str, Any] | Callable[[Fetch], Any]
"""Documents by path; or a function that returns one."""


def begin(tool: Connection, **fields: Any) -> Cursor:
    """The cursor of the first page."""
    history = PROVIDERS[tool.provider].history
    assert history
    return {**history.begin(SINCE, ()), **fields}


def read_page(tool: Connection, cursor: Cursor, answers: Answers) -> tuple[HistoryPage, list[Fetch]]:
    """The page at a cursor, and the calls that it took. A path without an answer is a 404."""
    history = PROVIDERS[tool.provider].history
    assert history
    documents: dict[str, Any] = {}
    calls: list[Fetch] = []
    while missing := history.fetches(cursor, documents, tool.mapping):
        for fetch in missing:
            answer = answers(fetch) if callable(answers) else answers.get(fetch.path)
            assert answer is not None or fetch.optional, fetch.path
            documents[fetch.name] = answer
            calls.append(fetch)
        assert len(calls) <= history.most_calls
    return history.read(cursor, documents, tool.mapping), calls


def deliveries(tool: Connection, page: HistoryPage) -> list[Delivery]:
    """The deliveries of a page as they are stored."""
    return [receive_listed(replace(tool, state="active"), one, NOW) for one in page.deliveries]
