"""A file of older feedback, imported by `earshot import` in a process of its own, counts in the KPIs once."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

from tests.e2e.stack import Stack, until

COUNT = 500


async def import_file(stack: Stack, file: Path, *options: str) -> dict[str, Any]:
    """The ended import, as the command prints it."""
    output = await stack.earshot("import", "demo", str(file), "--json", *options)
    return dict(json.loads(output[output.index("{") :]))


async def test_an_imported_file_counts_once(stack: Stack, tmp_path: Path) -> None:
    connection = await stack.new_connection("typeform")
    name, at = uuid4().hex, datetime.now(UTC) - timedelta(days=3)
    file, mapping = tmp_path / "answers.csv", tmp_path / "mapping.json"
    rows = [f"{name}-{number},{(at + timedelta(seconds=number)).isoformat()},{number % 11}" for number in range(COUNT)]
    file.write_text("\n".join(["Response ID,Submitted at,NPS", *rows, ""]))
    await stack.earshot("import", "demo", str(file), "--propose", str(mapping))
    options = ("--connection", connection["id"], "--mapping", str(mapping))
    trial = json.loads(await stack.earshot("import", "demo", str(file), *options, "--dry-run", "--json"))
    assert (trial["rows"], trial["new"]) == (COUNT, COUNT)
    job = await import_file(stack, file, *options)
    assert (job["state"], job["accepted"]) == ("done", COUNT)

    async def is_counted() -> bool:
        row = await stack.row("nps", window="7d", **{"filter[connection]": connection["id"]})
        return bool(row["n"] == COUNT)

    await until(is_counted, description="all imported answers counted")
    assert (await import_file(stack, file, *options))["duplicate"] == COUNT
    assert await is_counted()
