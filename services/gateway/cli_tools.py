"""Common to the commands of `earshot`: they run with the environment's settings, and print tables or JSON."""

import asyncio
import sys
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from typing import Annotated, Any, NoReturn, TypeVar

import msgspec
import typer
from pydantic import ValidationError
from rich.console import Console
from rich.table import Table

from services.gateway.admin import Admin, open_admin
from services.gateway.settings import Settings
from shared.problems import Problem

PIPED_WIDTH = 10_000
"""Columns of output that is not a terminal, so that no line is folded."""

JOB_COLUMNS = ("id", "kind", "state", "deliveries", "done", "results", "requested_by", "created_at")
"""Of jobs in the background."""

T = TypeVar("T")
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")]
TenantId = Annotated[str, typer.Argument(help="The tenant's id.")]


def variable(field: str) -> str:
    """The environment variable of a setting; `field` is already the variable's name for shared settings."""
    return field if field.isupper() else f"GATEWAY_{field.upper()}"


def run(work: Callable[[Admin], Awaitable[T]]) -> T:
    """Do `work` with an Admin that has the environment's settings. Prints a Problem as one line and exits with 1."""

    async def whole() -> T:
        async with open_admin(Settings()) as admin:
            return await work(admin)

    try:
        return asyncio.run(whole())
    except ValidationError as error:
        wrong = ", ".join(variable(str(e["loc"][0])) for e in error.errors())
        fail(f"settings are missing or wrong: {wrong}\nBeside `make run`: (set -a; . .local/services.env; .venv/bin/earshot …)")
    except Problem as problem:
        reasons = "".join(f"\n  {p['name']}: {p['reason']}" for p in problem.invalid_params)
        fail(f"{problem.title}: {problem.detail or problem.title}{reasons}")


def fail(message: str) -> NoReturn:
    """Print an error to stderr and exit with 1."""
    Console(stderr=True).print(message, style="red", markup=False, highlight=False, soft_wrap=True)
    raise typer.Exit(1)


def show(content: dict[str, Any] | list[dict[str, Any]], columns: Sequence[str], as_json: bool) -> None:
    """Print an object or a list: complete as JSON, or `columns` as a table."""
    if as_json:
        sys.stdout.buffer.write(msgspec.json.format(msgspec.json.encode(content), indent=2) + b"\n")
        return
    table = Table(box=None, header_style="bold")
    for column in columns:
        table.add_column(column, overflow="fold")
    for row in content if isinstance(content, list) else [content]:
        table.add_row(*(plain(row.get(column)) for column in columns))
    Console(width=None if sys.stdout.isatty() else PIPED_WIDTH).print(table)


def plain(value: object) -> str:
    """A cell of a printed table."""
    match value:
        case None:
            return ""
        case dict():
            return " ".join(f"{name}={number}" for name, number in value.items())
        case list():
            return " ".join(map(str, value))
        case datetime():
            return value.isoformat(timespec="seconds")
        case _:
            return str(value)
