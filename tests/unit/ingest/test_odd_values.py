"""No value of any JSON type, anywhere in a payload, makes a provider raise: it would be quarantined as a fault of ours."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from services.ingest.domain.providers import PROVIDERS
from services.ingest.domain.providers.provider import Parsed, Request
from tests.unit.ingest.making import NOW, fixture_request

FIXTURES = Path(__file__).parents[2] / "fixtures" / "providers"


def json_fixtures() -> Iterator[Path]:
    """All but the texts that a tool sends in place of JSON."""
    for path in sorted(FIXTURES.glob("*.json")):
        try:
            json.loads(path.read_bytes())
        except json.JSONDecodeError:
            continue
        yield path


ODD_VALUES: tuple[Any, ...] = (None, True, 7, "x", [], {})


def variants(value: Any) -> Iterator[Any]:
    """The document with one value in it, at any depth, replaced by an odd one or left out."""
    yield from (odd for odd in ODD_VALUES if odd != value)
    if isinstance(value, dict):
        for key, inner in value.items():
            yield {name: other for name, other in value.items() if name != key}
            yield from ({**value, key: changed} for changed in variants(inner))
    elif isinstance(value, list):
        for place, inner in enumerate(value):
            yield from ([*value[:place], changed, *value[place + 1 :]] for changed in variants(inner))


@pytest.mark.parametrize("path", [*json_fixtures()], ids=lambda path: path.stem)
def test_an_odd_value_anywhere_does_not_make_parsing_raise(path: Path) -> None:
    provider = PROVIDERS[path.stem.partition("__")[0]]
    sent = fixture_request(path)
    for variant in variants(json.loads(sent.body)):
        request = Request(sent.method, sent.url, sent.headers, json.dumps(variant).encode(), NOW)
        for delivery in provider.requests(request):
            try:
                assert isinstance(provider.parse(delivery, provider.settings()), Parsed)
            except Exception as error:
                raise AssertionError(f"{type(error).__name__} for {variant}") from error
