"""The mapping and the limits in docs/imports.md are those of the code."""

import re

from services.ingest.domain.imports import lines, mapping, rows
from services.ingest.domain.imports.mapping import CsvMapping
from services.ingest.domain.imports.times import DIRECTIVES
from services.ingest.inbox import imports as inbox
from services.ingest.store import imports as store
from services.ingest.store.import_progress import EXPIRE_DAYS
from tests.unit.ingest.importing import read
from tests.unit.ingest.test_pages import DOCS, json_blocks

PAGE = (DOCS / "imports.md").read_text()


def test_the_mapping_of_the_page_reads_a_row() -> None:
    [example] = json_blocks("imports.md")
    names = [name for _, name in CsvMapping.model_validate(example).columns()]
    cells = ["r1", "20.11.2026 09:14", "", "c-77", "a@example.org", "9", "Very", "6", "Quick", "DE", "pro"]
    content = ";".join(names) + "\n" + ";".join(cells) + "\n"
    assert len(read(content, example).deliveries) == 1


def test_the_page_names_every_directive_of_a_format() -> None:
    assert set(re.findall(r"%(\w)", PAGE)) == DIRECTIVES


def test_the_limits_of_the_page_are_those_of_the_code() -> None:
    limits = dict(re.findall(r"^\| ([^|]+) \| ([^|]+) \|", PAGE, re.MULTILINE))
    assert limits["a part"].startswith(f"{store.MAX_PART_BYTES // store.MIB} MiB")
    assert limits["parts of an import"] == f"{store.MAX_PARTS:,}"
    assert limits["parts of a tenant's imports that are not done"] == f"{store.MAX_BYTES // store.MIB // 1024} GiB"
    assert limits["imports of a tenant that are not done"] == f"{store.MAX_OPEN}"
    assert limits["an upload to which nothing is added"] == f"{EXPIRE_DAYS} days"
    assert limits["a record, a row"] == f"{lines.MAX_LINE_BYTES // store.MIB} MiB; a row {rows.MAX_ROW_LINES:,} lines"
    assert limits["columns of a CSV file"] == f"{mapping.MAX_COLUMNS}"
    assert limits["rejected records whose reasons are listed"].startswith(f"{inbox.MAX_LISTED:,}")
    assert limits["ended imports that are listed"] == f"{store.MAX_ENDED:,}"
