"""Records of uploaded files: rows of CSV, lines of canonical records, and payloads of tools."""

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from services.ingest.domain.delivery import Delivery, StoredDelivery
from services.ingest.domain.imports.job import Fault
from services.ingest.domain.imports.lines import read_lines
from services.ingest.domain.imports.mapping import CsvMapping
from services.ingest.domain.imports.reading import RowReader
from services.ingest.domain.imports.rows import Unreadable
from services.ingest.domain.receive import receive, reread
from shared import events
from tests.unit.ingest.importing import FILE, HEADER, MAPPING, read
from tests.unit.ingest.making import NOW, connection, nps, request, response

FIXTURES = Path(__file__).parents[2] / "fixtures" / "providers"


def test_a_row_becomes_a_response() -> None:
    first, second = read(FILE, MAPPING).deliveries
    event = first.statements[0].event
    assert (event.subject, event.at.isoformat()) == ("con_1/response/1", "2026-11-20T09:00:00+00:00")
    assert event.dimensions == {"region": "DE"}
    assert isinstance(event.body, events.Response)
    assert [(a.question, a.kind, a.value, a.text) for a in event.body.answers] == [
        ("q1", "nps", 9, None),
        ("Why", "comment", None, "Quick, and\nkind"),
    ]
    assert first.statements[0].email is not None
    assert second.statements[0].event.customer is None


def test_a_row_states_the_time_of_the_feedback_so_a_later_live_edit_counts() -> None:
    [delivery, _] = read(FILE, MAPPING).deliveries
    assert delivery.statements[0].event.at < delivery.received_at


def test_ids_of_deliveries_are_made_of_content_mapping_and_line() -> None:
    ids = [delivery.id for delivery in read(FILE, MAPPING).deliveries]
    assert ids == [delivery.id for delivery in read(FILE, MAPPING | {"delimiter": ","}).deliveries]
    assert [str(name).rpartition(":")[2] for name in ids] == ["2", "4"]
    others = [read(FILE, MAPPING, sha256="1" * 64), read(FILE, MAPPING | {"channel": "email"})]
    assert not {*ids} & {delivery.id for other in others for delivery in other.deliveries}


def test_an_imported_row_is_read_again_from_its_stored_body() -> None:
    for tool in (connection("typeform"), connection("standard"), connection("zendesk")):
        [delivery, _] = read(FILE, MAPPING, tool=tool).deliveries
        stored = StoredDelivery(1, tool.id, delivery.id, NOW, delivery.headers, delivery.raw, "", 1)
        assert reread(tool, stored, NOW).statements == delivery.statements


@pytest.mark.parametrize(
    ("row", "fault"),
    [
        ("1,soon,,9,,,", Fault(2, "Submitted", "not a time of the format of its column")),
        ("1,,,9,,,", Fault(2, "Submitted", "is blank")),
        (",2026-11-20,,9,,,", Fault(2, "ID", "is blank")),
        ("1,2026-11-20,,nine,,,", Fault(2, "Score", "not a whole number; words need `values` in the mapping")),
        ("1,2026-11-20,,9.5,,,", Fault(2, "Score", "not a whole number; words need `values` in the mapping")),
        ("1,2026-11-20,,11,,,", Fault(2, "answers.0.value", "outside its scale 0..10")),
        ("1,2026-11-20,,9,,,,,x", Fault(2, "", "the row has 9 cells, the header 7")),
        ("1,2199-11-20,,9,,,", Fault(2, "at", "more than 5 minutes ahead of our clock")),
    ],
)
def test_a_row_that_can_not_be_used_is_rejected_with_its_place(row: str, fault: Fault) -> None:
    content = read(f"{HEADER}{row}\n2,2026-11-20,,9,,,\n", MAPPING)
    assert content.faults[0] == fault
    assert len(content.deliveries) == 1


def test_words_become_the_numbers_of_the_mapping_and_stay_as_raw() -> None:
    answers = {"Score": {"kind": "csat", "scale": [1, 5], "values": {"Very good": 5}}}
    [delivery] = read(HEADER + "1,2026-11-20,,Very good,,,\n", MAPPING | {"answers": answers}).deliveries
    body = delivery.statements[0].event.body
    assert isinstance(body, events.Response)
    assert [(a.question, a.value, a.raw, a.scale) for a in body.answers] == [("Score", 5, "Very good", (1, 5))]


def test_a_row_becomes_a_review_and_a_row_without_id_gets_a_digest() -> None:
    mapping = {"type": "review", "at": {"column": "at"}, "review": {"stars": "stars", "text": "text"}, "delimiter": ";"}
    one, other, same = read("at;stars;text\n2026-11-20;4;Nice\n2026-11-20;5;Nice\n2026-11-20;4;Nice\n", mapping).deliveries
    body = one.statements[0].event.body
    assert isinstance(body, events.Review)
    assert (body.stars, body.text) == (4, "Nice")
    subjects = [delivery.statements[0].event.subject for delivery in (one, other, same)]
    assert subjects[0] == subjects[2] != subjects[1]
    [fault] = read("at;stars;text\n2026-11-20;four;Nice\n", mapping).faults
    assert fault == Fault(2, "stars", "not a whole number; words need `values` in the mapping")


def test_windows_1252_and_a_byte_order_mark_are_read() -> None:
    text = HEADER + "1,2026-11-20,,9,Schön,,\n"
    for content, encoding in ((b"\xef\xbb\xbf" + text.encode(), "utf-8"), (text.encode("windows-1252"), "windows-1252")):
        [delivery] = read(content, MAPPING | {"encoding": encoding}).deliveries
        assert json.loads(delivery.raw)["answers"][1]["text"] == "Schön"


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (HEADER + '1,2026-11-20,,9,"no end,,\n', "line 2: a quoted cell has no end"),
        (HEADER + '1,2026-11-20,,9,"end" more,,\n', "line 2: text follows the end of a quoted cell"),
        ((HEADER + "1,2026-11-20,,9,Schön,,\n").encode("windows-1252"), "line 2: not utf-8"),
        (HEADER.encode("utf-16"), "line 1: "),
        (FILE.replace("\n", "\r"), "line 1: a line ends with a carriage return alone"),
        ("", "the file is empty"),
        ("ID,Submitted,Emall,Score,Why,Country\n", 'mapping.customer.email: is no column of the file; did you mean "Emall"?'),
        ("ID,ID,Submitted,Email,Score,Why,Country\n", "mapping.id: the file has two columns of this name"),
    ],
)
def test_a_file_that_can_not_be_read_on_says_why_and_where(content: str | bytes, reason: str) -> None:
    with pytest.raises(Unreadable) as error:
        read(content, MAPPING)
    assert str(error.value).startswith(reason)


def test_lines_of_canonical_records_are_read_and_wrong_ones_rejected() -> None:
    lines = [
        json.dumps(response(nps())),
        "",
        "{",
        json.dumps(response(nps(12))),
        json.dumps({"type": "response"}),
        "x" * 1_100_000,
    ]
    content = read("\n".join(lines))
    assert [delivery.id for delivery in content.deliveries] == [f"import:{'0' * 32}:1"]
    assert [(fault.line, fault.field) for fault in content.faults] == [
        (3, ""), (4, "answers.0.value"), (5, "id"), (5, "at"), (6, "")
    ]  # fmt: skip


def test_a_payload_is_read_as_the_hook_reads_it() -> None:
    payload = json.loads((FIXTURES / "typeform__form_response.json").read_text())
    tool = connection("typeform")
    line = json.dumps(payload)
    [delivery] = read(line + "\n", file_format="typeform", tool=tool).deliveries
    assert delivery == receive(tool, request(line.encode()), NOW)


def test_a_record_without_the_time_of_its_edit_is_stored_with_that_of_the_import() -> None:
    record = response(nps(9))
    reader = RowReader(connection(), "ndjson", None, (), "0" * 64, lambda: NOW, edited_at=NOW)
    [row] = reader.rows(read_lines({1: json.dumps(record).encode()}.get))
    assert isinstance(row.outcome, Delivery)
    assert row.outcome.raw is not None
    assert json.loads(row.outcome.raw) == record | {"updated_at": (NOW + timedelta(microseconds=1)).isoformat()}


def test_a_batch_is_read_as_its_deliveries_and_again_as_a_whole_if_it_was_stored_in_part() -> None:
    data = {"stars": 4, "createdAt": "2026-11-20T09:00:00Z"}
    batch = {"events": [{"eventName": "service-review-created", "eventData": data | {"id": name}} for name in ("1", "2")]}
    content = read(f"{json.dumps(batch)}\n" * 2, file_format="trustpilot", tool=connection("trustpilot"))
    subjects = [statement.event.subject for delivery in content.deliveries for statement in delivery.statements]
    assert subjects == ["con_1/review/1", "con_1/review/2"] * 2
    assert [(row.line, row.end.line) for row in content.rows] == [(1, 0), (1, 1), (2, 1), (2, 2)]


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"answers": {}}, "answers must name at least one column"),
        ({"answers": {"Score": {"kind": "csat"}}}, "a csat question needs its scale"),
        ({"answers": {"Score": {"kind": "nps", "scale": [1, 5]}}}, "an nps question's scale is"),
        ({"answers": {"a": {"kind": "comment", "question": "q"}, "b": {"kind": "comment", "question": "q"}}}, "two columns"),
        ({"answers": {"Why": {"kind": "comment", "values": {"a": 1}}}}, "a comment has no scale"),
        ({"dimensions": {"Country": "regoin?"}}, "neither a dimension"),
        ({"dimensions": {"Country": "survey"}}, "field of its own"),
        ({"customer": {}}, "a column for the id or the email is needed"),
        ({"at": {"column": "Submitted", "zone": "Europe/Berln"}}, "did you mean"),
        ({"review": {"stars": "Score"}}, "review is needed for reviews"),
        ({"columns": []}, "Extra inputs"),
    ],
)
def test_a_mapping_that_makes_no_sense_is_refused(change: dict[str, Any], reason: str) -> None:
    with pytest.raises(ValidationError, match=reason):
        CsvMapping.model_validate(MAPPING | change)


@pytest.mark.parametrize(("content", "mapping"), [(FILE, MAPPING), ('{"type": 1}\n\n{"type": 2}\n', None)])
def test_a_row_says_where_the_next_one_begins(content: str, mapping: dict[str, Any] | None) -> None:
    ends = [line.end for line in read_lines({1: content.encode()}.get)]
    rows = read(content, mapping).rows
    assert (len(rows), rows[-1].end) == (2, ends[-1])
    assert rows[0].end in ends[:-1]
