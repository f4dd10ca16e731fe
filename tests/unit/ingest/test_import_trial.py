"""The summary of a dry run."""

import json
from pathlib import Path

from services.ingest.domain.imports.dry_run import summarise
from tests.unit.ingest.importing import FILE, HEADER, MAPPING, read
from tests.unit.ingest.making import connection, response, ticket


def test_a_summary_counts_records_answers_dimensions_and_customers() -> None:
    summary = summarise(connection(), read(FILE + "3,soon,,9,,,\n", MAPPING).rows)
    assert (summary.rows, summary.verdicts) == (3, {"accepted": 2, "rejected": 1})
    assert summary.subjects == ["con_1/response/1", "con_1/response/2"]
    assert summary.answers == {("q1", "nps"): 2, ("Why", "comment"): 1}
    assert summary.dimensions == {"region": {"DE": 1, "FR": 1}}
    assert (len(summary.customers), [fault.line for fault in summary.faults]) == (1, [5])
    assert summary.first_at
    assert summary.last_at
    assert (summary.first_at.hour, summary.last_at.hour) == (9, 10)


def test_previews_are_redacted_and_name_nobody() -> None:
    summary = summarise(connection(), read(HEADER + "1,2026-11-20,ada@example.org,9,Call +49 30 901820,,\n", MAPPING).rows)
    [record] = summary.records
    assert "ada@example.org" not in json.dumps(record)
    assert record["answers"][1]["text"] == "Call [phone]"


def test_previews_of_a_tools_payloads_are_the_records_made_of_them() -> None:
    payload = (Path(__file__).parents[2] / "fixtures" / "providers" / "delighted__survey_response.updated.json").read_text()
    tool = connection("delighted")
    line = json.dumps(json.loads(payload))
    summary = summarise(tool, read(line + "\n", file_format="delighted", tool=tool).rows)
    [record] = summary.records
    assert (record["type"], record["id"]) == ("response", "5435")
    assert "jo@example.org" not in json.dumps(record)


def test_the_time_of_a_ticket_is_that_of_its_earliest_fact() -> None:
    facts = [
        {"fact": "opened", "at": "2026-11-19T08:00:00Z"},
        {"fact": "status", "at": "2026-11-20T08:00:00Z", "status": "solved"},
    ]
    lines = [json.dumps(ticket(*facts)), json.dumps(response(at="2026-11-20T10:00:00Z"))]
    summary = summarise(connection(), read("\n".join(lines)).rows)
    assert summary.first_at
    assert summary.first_at.day == 19
