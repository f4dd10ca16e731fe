"""Samples of a file for dry runs."""

from typing import Any

import pytest

from services.gateway.domain.file_samples import add_results, detect_encoding, samples


def lines(text: str) -> list[bytes]:
    return text.encode().splitlines(keepends=True)


def test_each_sample_of_a_csv_file_has_the_header_and_whole_rows() -> None:
    content = 'id,"why\nnot"\n1,"a\nb"\n2,c\n3,d\n'
    parts = list(samples(lines(content), header=True, size=5))
    assert parts == [(0, 'id,"why\nnot"\n1,"a\nb"\n'), (2, 'id,"why\nnot"\n2,c\n3,d\n')]


def test_lines_of_a_sample_are_counted_from_the_beginning_of_the_file() -> None:
    content = "id\n" + "".join(f"{number}\n" for number in range(10))
    file_lines = lines(content)
    for before, text in samples(file_lines, header=True, size=4):
        for number, line in enumerate(text.splitlines(keepends=True)[1:], 2):
            assert file_lines[before + number - 1] == line.encode()


def test_samples_without_a_header_cover_the_file() -> None:
    content = "".join(f"{number}\n" for number in range(10))
    parts = list(samples(lines(content), size=6))
    assert "".join(text for _, text in parts) == content
    assert [before for before, _ in parts] == [0, 3, 6, 9]


@pytest.mark.parametrize(
    ("content", "encoding"),
    [
        ("schön".encode(), "utf-8"),
        ("schö".encode()[:-1], "utf-8"),
        ("schön".encode("windows-1252"), "windows-1252"),
        (b"", "utf-8"),
    ],
)
def test_the_encoding_is_that_in_which_the_sample_is_text(content: bytes, encoding: str) -> None:
    assert detect_encoding(content) == encoding


def test_results_of_samples_are_added() -> None:
    def result(line: int, first: str | None, *others: str) -> dict[str, Any]:
        return {
            **dict.fromkeys(("rows", "new", "existing", "erased", "rejected"), 1),
            "other": dict.fromkeys(others, 1),
            "questions": [{"question": "q", "kind": "nps", "answers": 2}],
            "dimensions": [{"dimension": "region", "records": 2, "values": ["DE"]}],
            "faults": [{"line": line, "field": "", "reason": "r"}],
            "records": [],
            "first_at": first,
            "last_at": first,
        }

    total = add_results(
        add_results(None, result(2, "2026-01-02", "ignored", "pending"), 0), result(3, None, "ignored", "quarantined"), 10
    )
    assert (total["rows"], total["other"], total["first_at"]) == (2, {"ignored": 2, "pending": 1, "quarantined": 1}, "2026-01-02")
    assert [fault["line"] for fault in total["faults"]] == [2, 13]
    assert total["questions"] == [{"question": "q", "kind": "nps", "answers": 4}]
    assert total["dimensions"] == [{"dimension": "region", "records": 4, "values": ["DE"]}]
