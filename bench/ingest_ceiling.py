"""The baseline for ingest: a FastAPI handler that verifies and validates a webhook and stores nothing."""

import os
import sys
from datetime import UTC, datetime

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse
from pydantic import TypeAdapter

from services.ingest.domain.providers import PROVIDERS, Headers
from services.ingest.domain.providers import Request as ToolRequest
from services.ingest.domain.record_models import Record
from shared import strict_json as json
from shared.http import serve
from shared.server_group import ServerGroup, member_of
from shared.settings import SharedSettings

app = FastAPI()
RECORDS: TypeAdapter[Record] = TypeAdapter(Record)
"""Validates as FastAPI does, by pydantic; ingest itself converts records to structs."""
SECRETS = [os.environ["BENCH_SECRET"]]


@app.post("/v1/hooks/{connection}")
async def hook(connection: str, request: Request) -> JSONResponse:
    body, now = await request.body(), datetime.now(UTC)
    PROVIDERS["standard"].verify(ToolRequest("POST", "", Headers(request.headers), body), SECRETS, now)
    RECORDS.validate_python(json.parse(body)["data"])
    return JSONResponse({"status": "accepted"}, 202)


def main() -> None:
    settings, member = SharedSettings(port=int(os.environ["BENCH_PORT"])), member_of(sys.argv[1:])
    processes = int(os.environ.get("BENCH_PROCESSES", "1"))
    if processes > 1 and member is None:
        sys.exit(ServerGroup("bench.ingest_ceiling", settings, processes).run())
    serve(app, settings, member=member)


if __name__ == "__main__":
    main()
