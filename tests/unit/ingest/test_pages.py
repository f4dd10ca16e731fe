"""The examples in docs/record.md and docs/providers.md are what the code accepts and returns."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from services.ingest.domain.preview import redacted
from services.ingest.domain.providers import PROVIDERS, NotVerified
from services.ingest.domain.receive import parse_records
from services.ingest.domain.record import read_record
from tests.unit.ingest.making import NOW, connection, receive_body, request

DOCS = Path(__file__).parents[3] / "docs"


def json_blocks(page: str) -> list[dict[str, Any]]:
    return [json.loads(block) for block in re.findall(r"```json\n(.*?)```", (DOCS / page).read_text(), re.DOTALL)]


RECORDS = json_blocks("record.md")


@pytest.mark.parametrize("example", RECORDS, ids=lambda example: str(example["type"]))
def test_an_example_of_the_page_is_a_record(example: dict[str, Any]) -> None:
    read_record(example, NOW)


def test_every_type_of_record_has_an_example() -> None:
    assert {example["type"] for example in RECORDS} == {"response", "review", "ticket", "erasure", "override"}


def test_the_trial_of_a_delivery_returns_what_the_page_shows() -> None:
    [call] = re.findall(r":test\" -d '(.*?)'\n", (DOCS / "providers.md").read_text(), re.DOTALL)
    [result] = json_blocks("providers.md")
    trial, tool = json.loads(call), connection("typeform", secrets=("a-secret",))
    body = trial["body"].encode()
    with pytest.raises(NotVerified, match=result["reason"]):
        PROVIDERS["typeform"].verify(request(body, trial["headers"]), tool.secrets, NOW)
    delivery = receive_body(tool, trial["headers"], body, NOW)
    assert delivery.verdict == result["status"]
    assert [redacted(record, tool.key) for record in parse_records(tool, delivery)] == result["records"]
