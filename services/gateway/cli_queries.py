"""`earshot kpi`, `earshot explain` and `earshot tickets`: a number, how it comes about, and the tickets behind it."""

import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, BinaryIO

import typer

from services.gateway.admin import Admin
from services.gateway.api.parquet import parquet_of
from services.gateway.api.rendering import CSV, Format
from services.gateway.api.ticket_lines import lines_of_csv, ndjson_lines
from services.gateway.cli_tools import AsJson, TenantId, run, show
from services.gateway.domain.ticket_table import TicketPage

EXPLANATION_COLUMNS = ("kpi", "formula", "filled_in", "value", "recomputed", "equal", "recomputed_from", "flags")
ROW_COLUMNS = ("from", "to", "dims", "filled_in", "value", "recomputed", "equal")
VALUE_COLUMNS = ("from", "to", "dims", "value", "n", "interval", "flags")
PRESET_VALUE_COLUMNS = ("preset", "from", "to", "dims", "value", "n", "delta", "flags")
PRESET_COLUMNS = ("preset", "tickets", "different_tickets", "difference")
LEFT_OUT_COLUMNS = ("n", "of", "reason", "description")

Parameters = Annotated[
    list[str] | None,
    typer.Option(
        "--parameter",
        "-p",
        help="A parameter of the query, such as window=7d, hours=business or filter[team]=billing; repeat it for others.",
    ),
]


def explain(
    tenant: TenantId,
    kpi: Annotated[str, typer.Argument(help="The id of the KPI, such as nps.")],
    parameter: Parameters = None,
    as_json: AsJson = False,
) -> None:
    """Explain a KPI's value: its formula with the numbers, a recomputation from the stored statements, and what is left out.

    Exits with 1 if the value and its recomputation differ.
    """
    query = parse_parameters(parameter or [])
    explanation = run(lambda admin: admin.explain(tenant, kpi, query))
    if as_json:
        show(explanation, (), as_json=True)
    else:
        show(explanation, EXPLANATION_COLUMNS, as_json=False)
        for rows, columns in ((explanation["rows"], ROW_COLUMNS), (explanation["left_out"], LEFT_OUT_COLUMNS)):
            if rows:
                show(rows, columns, as_json=False)
    if not explanation["equal"]:
        raise typer.Exit(1)


def show_kpi(
    tenant: TenantId,
    kpi: Annotated[str, typer.Argument(help="The id of the KPI, such as nps.")],
    parameter: Parameters = None,
    as_json: AsJson = False,
) -> None:
    """Print a KPI's value, a breakdown or a series; with -p compare_presets=zendesk,dbt_zendesk also those under presets."""
    query = parse_parameters(parameter or [])
    result = run(lambda admin: admin.kpi(tenant, kpi, query))
    if as_json:
        show(result, (), as_json=True)
        return
    show(result["rows"], VALUE_COLUMNS, as_json=False)
    beside = [
        {**{name: row[name] for name in ("from", "to", "dims")}, **value}
        for row in result["rows"]
        for value in row.get("presets", ())
    ]
    for rows, columns in ((beside, PRESET_VALUE_COLUMNS), (result.get("compare_presets"), PRESET_COLUMNS)):
        if rows:
            show(rows, columns, as_json=False)


class FileFormat(StrEnum):
    """The format of a file of tickets."""

    CSV = "csv"
    NDJSON = "ndjson"
    PARQUET = "parquet"


def write_tickets(
    tenant: TenantId,
    parameter: Parameters = None,
    file_format: Annotated[FileFormat, typer.Option("--format", help="The format of the file.")] = FileFormat.CSV,
    output: Annotated[Path | None, typer.Option(help="The file to write; left out: standard output.")] = None,
) -> None:
    """Write one row for each ticket of a window (30d by default), with every duration, flag and state that KPIs count."""
    query = parse_parameters(parameter or [])

    async def write(admin: Admin) -> None:
        pages = admin.ticket_pages(tenant, query)
        first = await anext(pages)  # a refused query leaves no file
        with opened(output) as file:
            if file_format is FileFormat.PARQUET:
                tickets = [*first.tickets, *[ticket async for page in pages for ticket in page.tickets]]
                file.write(parquet_of(TicketPage(first.columns, tickets)))
                return
            write_lines(file, lines_of(first, file_format, header=True))
            async for page in pages:
                write_lines(file, lines_of(page, file_format, header=False))

    run(write)


def write_lines(file: BinaryIO, lines: Iterable[bytes]) -> None:
    """Write lines one by one, as they are made."""
    for line in lines:
        file.write(line)


def lines_of(page: TicketPage, file_format: FileFormat, *, header: bool) -> Iterator[bytes]:
    """The tickets of a page as lines."""
    return ndjson_lines(page) if file_format is FileFormat.NDJSON else lines_of_csv(page, Format(CSV, header))


@contextmanager
def opened(path: Path | None) -> Iterator[BinaryIO]:
    """The file to write; standard output without a path."""
    if path is None:
        yield sys.stdout.buffer
        return
    with path.open("wb") as file:
        yield file


def parse_parameters(texts: list[str]) -> dict[str, Any]:
    """The parameters of a query by name. Raises BadParameter for one that is not `name=value`, and for a repeated one."""
    parameters: dict[str, Any] = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not equals or not name:
            raise typer.BadParameter(f"{text!r} is not name=value")
        if name in parameters:
            raise typer.BadParameter(f"{name} is given more than once; separate its values by commas")
        parameters[name] = value
    return parameters
