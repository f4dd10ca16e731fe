"""The page that tells people of the record tells them the truth."""

import json
import re
from datetime import UTC, datetime
from pathlib import Path

import pytest

from services.ingest.domain.record import read_record

PAGE = Path(__file__).parents[3] / "docs" / "record.md"
EXAMPLES = [json.loads(block) for block in re.findall(r"```json\n(.*?)```", PAGE.read_text(), re.DOTALL)]


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: str(example["type"]))
def test_an_example_is_a_record(example: dict[str, object]) -> None:
    assert read_record(example, datetime(2026, 11, 21, tzinfo=UTC)).type == example["type"]


def test_every_type_has_an_example() -> None:
    assert [example["type"] for example in EXAMPLES] == ["response", "review", "ticket", "erasure", "override"]
