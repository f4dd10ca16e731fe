"""The mapping that is proposed for a CSV file."""

import json
from typing import Any

import pytest

from services.ingest.domain.imports.mapping import CsvMapping
from services.ingest.domain.imports.propose import Proposal, Undecidable, propose
from tests.unit.ingest.importing import read

SURVEY = """\
Response ID,Submitted At (UTC),Email address,How likely are you to recommend us?,How satisfied are you? (1-5),Why?,Country,IP
r1,2026-11-18 09:14:03,ada@example.org,9,5,"Quick and very kind, thank you",DE,192.0.2.1
r2,2026-11-19 10:00:00,bob@example.org,0,2,It took far too long to get an answer,FR,192.0.2.2
r3,2026-11-20 11:00:00,,10,4,,DE,192.0.2.3
"""


def table(name: str, *cells: str, at: str = "2026-11-20 10:00:00Z") -> str:
    """A sample with an id, a time and one more column."""
    rows = "".join(f"r{number},{at},{cell}\n" for number, cell in enumerate(cells))
    return f"ID,Created at,{name}\n{rows}"


def notes_on(proposal: Proposal, column: str) -> list[str]:
    return [note.text for note in proposal.notes if note.column == column]


def test_a_survey_is_mapped_by_the_names_of_its_columns_and_their_cells() -> None:
    proposal = propose(SURVEY)
    assert proposal.mapping == {
        "type": "response",
        "id": "Response ID",
        "at": {"column": "Submitted At (UTC)"},
        "customer": {"email": "Email address"},
        "answers": {
            "How likely are you to recommend us?": {"kind": "nps"},
            "How satisfied are you? (1-5)": {"kind": "csat", "scale": [1, 5]},
            "Why?": {"kind": "comment"},
        },
        "dimensions": {"Country": "region"},
    }
    assert (proposal.left_out, proposal.notes, proposal.rows) == (["IP"], [], 3)
    assert len(read(SURVEY, proposal.mapping).deliveries) == 3


def test_other_separators_of_lines_than_a_line_break_end_no_row() -> None:
    proposal = propose(table("Why?", "too\u2028slow for me", "very slow\x85indeed"))
    assert (proposal.rows, proposal.mapping["id"], proposal.mapping["answers"]) == (2, "ID", {"Why?": {"kind": "comment"}})


@pytest.mark.parametrize("line", ["sep=;\r\n", "\ufeffSEP=;\n"])
def test_a_line_of_excel_before_the_header_states_the_delimiter(line: str) -> None:
    sample = (
        line + "ID;Created at;NPS;Why, please?\n1;2026-11-20 10:00Z;9;Quick, kind, cheap\n2;2026-11-20 11:00Z;8;Good, so far\n"
    )
    proposal = propose(sample)
    assert (proposal.mapping["delimiter"], proposal.mapping["id"], proposal.rows) == (";", "ID", 2)
    content = read(sample, proposal.mapping)
    assert (len(content.deliveries), [row.line for row in content.rows], content.faults) == (2, [3, 4], [])


def test_the_days_of_excel_are_no_times_and_get_a_note() -> None:
    proposal = propose("ID,Created at,NPS\n1,46346.375,9\n2,46347,8\n")
    assert "at" not in proposal.mapping
    assert notes_on(proposal, "Created at") == ["its numbers may be Excel's days: format the column as date and time there"]


@pytest.mark.parametrize("name", ["Score", "Rating", "Q1", "Overall"])
def test_numbers_from_0_to_10_alone_are_not_nps(name: str) -> None:
    proposal = propose(table(name, "0", "9", "10"))
    assert proposal.mapping["answers"] == {}
    assert notes_on(proposal, name) == ["numbers from 0 to 10: if it is a rating, state its `kind` and `scale`"]


@pytest.mark.parametrize(
    ("name", "cells", "answer"),
    [
        ("NPS", ["0", "10"], {"kind": "nps"}),
        ("NPS", ["0", "11"], None),
        ("CSAT", ["1", "5"], {"kind": "csat", "scale": [1, 5]}),
        ("CSAT", ["1", "4"], None),
        ("CSAT 1 to 4", ["1", "3"], {"kind": "csat", "scale": [1, 4]}),
        ("Effort", ["2", "7"], {"kind": "ces", "scale": [1, 7]}),
        ("CSAT", ["Good", "Bad"], None),
    ],
)
def test_the_kind_follows_the_name_and_the_scale_is_never_narrower_than_the_cells(
    name: str, cells: list[str], answer: dict[str, Any] | None
) -> None:
    assert propose(table(name, *cells)).mapping["answers"].get(name) == answer


def test_a_likelihood_to_recommend_on_another_scale_is_not_nps() -> None:
    name = "How likely are you to recommend us (1-5)?"
    proposal = propose(table(name, "1", "5"))
    assert proposal.mapping["answers"] == {}
    assert notes_on(proposal, name) == ["NPS goes from 0 to 10, not from 1 to 5: state its `kind` and `scale`"]
    name = "How likely are you to recommend us?"
    proposal = propose(table(name, "1", "5"))
    assert proposal.mapping["answers"] == {}
    assert notes_on(proposal, name) == ["no number of the sample is above 5: if its scale is 0 to 10, state the kind `nps`"]
    note = "no number of the sample is above 5: check that its scale is 0 to 10"
    assert notes_on(propose(table("NPS", "1", "5")), "NPS") == [note]
    assert notes_on(propose(table("NPS (0-10)", "1", "5")), "NPS (0-10)") == []


def test_a_scale_that_is_taken_from_the_cells_is_to_be_checked() -> None:
    assert notes_on(propose(table("CSAT", "1", "5")), "CSAT") == [
        "its scale is taken from the numbers of the sample, 1 to 5: check it"
    ]


@pytest.mark.parametrize(
    ("times", "expected"),
    [
        (["20/11/2026 10:00", "21/11/2026 10:00"], "%d/%m/%Y %H:%M"),
        (["11/20/2026 10:00", "11/21/2026 10:00"], "%m/%d/%Y %H:%M"),
        (["20.11.2026", "21.11.2026"], "%d.%m.%Y"),
        (["11/20/26 9:30", "1/2/26 14:05"], "%m/%d/%y %H:%M"),
        (["1795166043", "1795166044"], "unix"),
    ],
)
def test_the_format_of_times_is_the_one_that_all_cells_have(times: list[str], expected: str) -> None:
    sample = "Created at,NPS\n" + "".join(f"{time},9\n" for time in times)
    assert propose(sample).mapping["at"]["format"] == expected


def test_an_undecided_order_of_day_and_month_and_an_unknown_zone_are_noted() -> None:
    notes = notes_on(propose("Created at,NPS\n03/04/2026 10:00,9\n"), "Created at")
    assert [note.split("?")[0][:20] for note in notes] == ["day/month or month/d", "its times have no of"]


def test_the_delimiter_is_detected_and_a_cut_row_is_left_out() -> None:
    proposal = propose("ID;NPS;Created at\n1;9;2026-11-20 10:00Z\n2;8;2026-11-21 10:00Z\n3;7;20")
    assert (proposal.mapping["delimiter"], proposal.mapping["id"], proposal.rows) == (";", "ID", 2)
    CsvMapping.model_validate(proposal.mapping)


@pytest.mark.parametrize("sample", ["", "a,b\n", "one column\n1\n2\n", "ID,NPS\r1,9\r2,8\r", "sep=;\n"])
def test_a_sample_without_rows_or_columns_is_refused(sample: str) -> None:
    with pytest.raises(Undecidable):
        propose(sample)


def test_the_score_of_surveys_of_one_type_is_of_this_type() -> None:
    sample = "Response ID,Created at,Survey type,Score\nr1,2026-11-20 10:00:00Z,{0},9\nr2,2026-11-20 10:00:00Z,{1},0\n"
    assert propose(sample.format("nps", "NPS")).mapping["answers"]["Score"] == {"kind": "nps"}
    assert "Score" not in propose(sample.format("nps", "pmf")).mapping["answers"]


def test_the_words_of_zendesks_ratings_are_numbers_and_an_offered_one_is_no_answer() -> None:
    proposal = propose(table("Satisfaction Score", "Good", "Offered", "Bad"))
    answer = proposal.mapping["answers"]["Satisfaction Score"]
    assert (answer["scale"], answer["values"]["Good"], answer["values"]["Bad"], answer["values"]["Offered"]) == (
        [0, 1],
        1,
        0,
        None,
    )
    content = read(
        "ID,Created at,Satisfaction Score\n1,2026-11-20 10:00:00Z,Good\n2,2026-11-20 10:00:00Z,Offered\n", proposal.mapping
    )
    assert [len(json.loads(delivery.raw)["answers"]) for delivery in content.deliveries] == [1, 0]
    assert notes_on(propose(table("Satisfaction Score", "Good", "Fine")), "Satisfaction Score")


def test_a_second_header_row_is_left_out_of_the_sample() -> None:
    rows = "1,2026-11-20 10:00:00Z,9\n2,2026-11-20 10:00:00Z,4\n"
    sample = f"Respondent ID,Date Created,How likely are you to recommend us?\n,,Response\n{rows}"
    proposal = propose(sample)
    assert (proposal.mapping["id"], proposal.mapping["answers"]) == (
        "Respondent ID",
        {"How likely are you to recommend us?": {"kind": "nps"}},
    )
    assert notes_on(proposal, "") == ["the second row has no values, only further names of columns: an import rejects it"]
    assert [fault.line for fault in read(sample, proposal.mapping).faults] == [2]
