"""`earshot import`: bring history in from a file."""

import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

from services.gateway.cli_tools import AsJson, TenantId, fail, run, show
from services.gateway.importing import FileImporter, ImportFile, read_mapping

FORMATS = {".csv": "csv", ".tsv": "csv", ".ndjson": "ndjson", ".jsonl": "ndjson"}
"""Formats by the end of a file's name."""

RESULTS = ("id", "state", "rows", "accepted", "duplicate", "ignored", "rejected", "rows_per_second")
PAYLOAD_RESULTS = ("quarantined", "held", "pending")
TRIAL = ("rows", "new", "existing", "erased", "rejected", "other", "first_at", "last_at")
QUESTIONS = ("question", "kind", "answers")
DIMENSIONS = ("dimension", "records", "values")
FAULTS = ("line", "field", "reason")
NOTES = ("column", "text")
INTERRUPTED = 130

Format = Annotated[
    str | None,
    typer.Option(
        "--format", help="csv, ndjson, or the connection's provider; default: by the file's name (.csv, .ndjson, .jsonl)."
    ),
]
Mapping = Annotated[
    Path | None,
    typer.Option(exists=True, dir_okay=False, help="JSON file with the mapping of a CSV file, as --propose writes it."),
]


def import_file(
    tenant: TenantId,
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, readable=True, help="The file.")],
    connection: Annotated[str | None, typer.Option(help="Id of the connection; default: the tenant's own, api.")] = None,
    file_format: Format = None,
    mapping: Mapping = None,
    propose: Annotated[
        Path | None,
        typer.Option(dir_okay=False, help="Look at a CSV file and write a proposed mapping to this file. Imports nothing."),
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Print what an import would do. Imports nothing.")] = False,
    errors: Annotated[Path | None, typer.Option(dir_okay=False, help="Write rejected records to this CSV file.")] = None,
    as_json: AsJson = False,
) -> None:
    """Import a file of feedback. Ctrl-C stops an upload; the same command continues it. The same file again changes nothing."""
    if propose is not None:
        write_proposal(tenant, file, propose)
        return
    source = source_of(file, connection, file_format, mapping)
    if dry_run:
        show_trial(run(lambda admin: FileImporter(admin, tenant).dry_run(source)), source, as_json)
        return
    try:
        with Progress(
            TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TimeRemainingColumn(), console=Console(stderr=True)
        ) as progress:
            job, rejected = run(
                lambda admin: upload_and_follow(FileImporter(admin, tenant), source, progress, errors is not None)
            )
    except KeyboardInterrupt:
        Console(stderr=True).print(
            "Interrupted. Run the same command again to continue: an import that was started goes on meanwhile."
        )
        raise typer.Exit(INTERRUPTED) from None
    if errors is not None:
        errors.write_bytes(rejected)
    elif job["rejected"]:
        Console(stderr=True).print(f"{job['rejected']} records were rejected; --errors FILE writes the reasons.")
    show(job, (*RESULTS, *(name for name in PAYLOAD_RESULTS if job[name])), as_json)
    if job["state"] != "done":
        fail(f"the import ended: {job['reason'] or job['state']}")


async def upload_and_follow(
    importer: FileImporter, source: ImportFile, progress: Progress, with_errors: bool
) -> tuple[dict[str, Any], bytes]:
    """(the ended import, its rejected records as CSV)."""
    size = source.path.stat().st_size
    job = await with_bar(progress, "uploading", size, lambda advance: importer.upload(source, advance))
    job = await with_bar(progress, "importing", size, lambda advance: importer.follow(job, advance))
    return job, await importer.errors(job) if with_errors else b""


async def with_bar(
    progress: Progress, title: str, size: int, work: Callable[[Callable[[int], None]], Awaitable[dict[str, Any]]]
) -> dict[str, Any]:
    """The result of `work`, with a bar of its bytes."""
    bar: TaskID = progress.add_task(title, total=size)
    result = await work(lambda done: progress.update(bar, completed=done))
    progress.update(bar, completed=size)
    return result


def source_of(file: Path, connection: str | None, file_format: str | None, mapping: Path | None) -> ImportFile:
    """The file with its format and its mapping. Raises BadParameter."""
    chosen = file_format or FORMATS.get(file.suffix.lower())
    if chosen is None:
        raise typer.BadParameter(f"state --format: {file.name} ends in none of {' '.join(FORMATS)}")
    if chosen == "csv" and mapping is None:
        raise typer.BadParameter("a CSV file needs --mapping; write a proposal with --propose mapping.json, and check it")
    try:
        return ImportFile(file, connection, chosen, read_mapping(mapping) if mapping else None)
    except ValueError as error:
        raise typer.BadParameter(f"{mapping}: {error}") from None


def write_proposal(tenant: str, file: Path, target: Path) -> None:
    """Write the proposed mapping of a CSV file, and print what is left to decide."""
    proposal = run(lambda admin: FileImporter(admin, tenant).propose(file))
    target.write_text(json.dumps(proposal["mapping"], indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    show(proposal["notes"], NOTES, as_json=False)
    typer.echo(f"left out: {', '.join(proposal['left_out']) or 'no column'}")
    state = "can be used" if proposal["complete"] else "is not complete"
    typer.echo(f"{target}: the mapping {state}. Check it, then try it: earshot import … --mapping {target} --dry-run")


def show_trial(result: dict[str, Any], source: ImportFile, as_json: bool) -> None:
    """Print the result of a dry run."""
    if as_json or not result["rows"]:
        show(result, ("rows",), as_json)
        return
    show(result, TRIAL, as_json)
    for name, columns in (("questions", QUESTIONS), ("dimensions", DIMENSIONS), ("faults", FAULTS)):
        if result[name]:
            typer.echo()
            show(result[name], columns, as_json)
    if result["bytes"] < source.path.stat().st_size:
        typer.echo(f"\nOnly the first {result['bytes']:,} bytes of the file were read.")
