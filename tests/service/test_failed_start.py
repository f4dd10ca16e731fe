"""A service that can't start: each line of its log is JSON, and none quotes the message of the error."""

import json
import subprocess
import sys

FAILS_TO_START = """
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI

from services.sentiment.settings import Settings
from shared.http import serve
from shared.startup import read_settings


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    raise LookupError("jane@example.com")
    yield


serve(FastAPI(lifespan=lifespan), read_settings("sentiment", Settings))
"""
START_FAILED = 3


def test_an_error_at_the_start_is_a_json_line_without_its_message() -> None:
    process = subprocess.run(
        [sys.executable, "-c", FAILS_TO_START],
        env={"INTERNAL_TOKEN": "internal-token-of-the-tests"},
        capture_output=True,
        text=True,
        check=False,
    )
    lines = [json.loads(line) for line in process.stderr.splitlines()]
    assert (process.returncode, process.stdout) == (START_FAILED, "")
    failed = lines[0]
    assert (failed["event"], failed["level"], failed["error"]) == ("service.failed", "critical", "LookupError")
    assert failed["exception"].endswith("builtins.LookupError")
    assert {line["service"] for line in lines} == {"sentiment"}
    assert "jane" not in process.stderr
