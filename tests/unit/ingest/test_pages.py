"""The examples in docs/record.md, docs/customers.md and docs/providers.md are what the code accepts and returns."""

import json
import re
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from services.ingest.api.connection_health import ConnectionHealth, as_own_dimensions, unused_by
from services.ingest.api.customers import receipt_view
from services.ingest.api.jobs import JobView
from services.ingest.api.retention import RetentionView
from services.ingest.domain.connection import FieldMapping
from services.ingest.domain.health import presentable
from services.ingest.domain.own_dimensions import names_in_records
from services.ingest.domain.preview import redacted
from services.ingest.domain.providers import PROVIDERS, NotVerified
from services.ingest.domain.reason_codes import REASON_CODES
from services.ingest.domain.receipt import Erased
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


LINKED, RECEIPT = json_blocks("customers.md")


def test_the_customer_of_the_page_is_accepted_and_the_receipt_is_the_answer() -> None:
    read_record(LINKED, NOW)
    erased = Erased(NOW, subjects=3, statements=17, bodies=12, bodies_to_search=30_000, pending=False, complete=True)
    assert receipt_view(10_482, erased).model_dump(mode="json") == RECEIPT


TRIAL, HEALTH, RETENTION, JOB = json_blocks("providers.md")


def test_the_trial_of_a_delivery_returns_the_result_of_the_page() -> None:
    [call] = re.findall(r":test\" -d '(.*?)'\n", (DOCS / "providers.md").read_text(), re.DOTALL)
    mapping = FieldMapping.model_validate(
        {"questions": {"<field id or ref>": {"kind": "csat", "scale": [1, 5]}}, "dimensions": {"plan": "segment"}}
    )
    trial, tool = json.loads(call), connection("typeform", secrets=("a-secret",), mapping=mapping)
    body = trial["body"].encode()
    with pytest.raises(NotVerified, match=TRIAL["reason"]):
        PROVIDERS["typeform"].verify(request(body, trial["headers"]), tool.secrets, NOW)
    delivery = receive_body(tool, trial["headers"], body, NOW)
    assert delivery.verdict == TRIAL["status"]
    assert [redacted(record, tool.key) for record in parse_records(tool, delivery)] == TRIAL["records"]
    assert [asdict(presentable(question)) for question in delivery.use.unmapped] == TRIAL["unmapped"]
    assert unused_by(tool, delivery.use).model_dump() == TRIAL["unused_mapping"]
    assert as_own_dimensions(names_in_records(delivery)) == TRIAL["own_dimensions"]


def test_the_health_of_the_page_has_the_fields_of_the_answer() -> None:
    assert ConnectionHealth.model_validate(HEALTH).model_dump(mode="json") == HEALTH
    assert HEALTH.keys() == ConnectionHealth.model_fields.keys()


def test_the_retention_of_the_page_is_an_answer() -> None:
    assert RetentionView.model_validate(RETENTION).model_dump(mode="json") == RETENTION


def test_the_job_of_the_page_has_every_field() -> None:
    job = JobView.model_validate(JOB).model_dump(mode="json")
    assert job == JOB
    assert job["filter"].keys() == JOB["filter"].keys()


def test_the_page_lists_every_reason_code() -> None:
    [table] = re.findall(r"\| `reason_code` \|.*?\n\n", (DOCS / "providers.md").read_text(), re.DOTALL)
    codes = [code for row in table.strip().splitlines()[2:] for code in re.findall(r"`(\w+)`", row.split("|")[1])]
    assert sorted(codes) == sorted(REASON_CODES)
