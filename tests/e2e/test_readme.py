"""The tour of README.md runs as it is written, in a shell, against the stack."""

import asyncio
import json
import os
import re
import subprocess
from pathlib import Path

from tests.e2e.guide import ROOT, blocks_of
from tests.e2e.stack import Stack, until

PAGE = "README.md"
NEXT = "--- end of block"


async def test_the_tour_of_the_readme_runs_as_it_is_written(stack: Stack, tmp_path: Path) -> None:
    _, key = await stack.new_tenant("tour")
    copy_data_folder(stack, tmp_path, key)
    blocks = [block.text for block in blocks_of(PAGE) if block.language == "sh" and "make run" not in block.text]
    metrics = stack.demo["pids"]["metrics"]

    queries, fed, scores, verified, created = await asyncio.to_thread(run, blocks, tmp_path, stack.gateway_url)

    assert '"kpi": "csat"' in queries
    assert "kpi,version,unit,from,to,value" in queries
    assert "event: snapshot" in queries
    assert '"status":"accepted"' in fed
    assert scores.count('"label"') >= 2
    assert "all equal" in verified
    assert stack.demo["pids"]["metrics"] != metrics
    assert "Europe/Paris" in created
    assert re.search(r"\besk_[\w-]{43}", created)

    async def is_counted() -> bool:
        return (await stack.get("/v1/kpis/nps", key=key, window="24h")).json()["rows"][0]["n"] == 1

    await until(is_counted, description="the response of the tour counted")


def copy_data_folder(stack: Stack, folder: Path, key: str) -> None:
    """Write the files of the data folder that the tour reads, with the key of another tenant than that of the other tests."""
    (folder / "demo.json").write_text(json.dumps(stack.demo | {"api_key": key, "admin_key": key}))
    (folder / "services.env").symlink_to(stack.data / "services.env")


def run(blocks: list[str], data: Path, gateway_url: str) -> list[str]:
    """Run the blocks in one shell, as a reader pastes them. Returns the output of each."""
    script = "\n".join(f"{block}\necho '{NEXT}'" for block in blocks)
    environment = {name: value for name, value in os.environ.items() if name not in {"MAKEFLAGS", "MFLAGS", "MAKELEVEL"}}
    environment |= {"DATA": str(data), "PORT_BASE": gateway_url.rpartition(":")[2]}
    command = ["bash", "-u", "-o", "pipefail", "-c", script]
    result = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False, timeout=300)
    outputs = result.stdout.split(NEXT)[:-1]
    assert len(outputs) == len(blocks), result.stdout + result.stderr
    assert result.stderr == "", result.stdout + result.stderr
    return outputs
