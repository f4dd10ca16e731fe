"""An unexpected error in a route is logged once, as JSON with the id of the request, also by the server."""

import json
import subprocess
import sys

PROCESS = """
import asyncio, sys, httpx, uvicorn
from collections.abc import AsyncIterator
from fastapi import FastAPI
from fastapi.responses import StreamingResponse
from deploy.local.servers import free_port
from shared import problems
from shared.heads import limited
from shared.http_limits import HttpLimits
from shared.request_telemetry import RequestTelemetry
from shared.telemetry import configure_logging

configure_logging("ingest", "INFO", "json")
app = FastAPI()
problems.install(app)
app.add_middleware(RequestTelemetry)

@app.get("/before")
async def before() -> None:
    raise ValueError(sys.argv[1])

@app.get("/within")
async def within() -> StreamingResponse:
    async def parts() -> AsyncIterator[bytes]:
        yield b"begun"
        raise ValueError(sys.argv[1])
    return StreamingResponse(parts())

async def main() -> None:
    port = free_port()
    config = uvicorn.Config(app, port=port, http=limited(HttpLimits()), ws="none", lifespan="off", log_config=None)
    server = uvicorn.Server(config)
    serving = asyncio.create_task(server.serve())
    while not server.started:
        await asyncio.sleep(0.01)
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}") as http:
        for path in ("before", "within"):
            try:
                print((await http.get(path, headers={"x-request-id": path})).status_code)
            except httpx.RemoteProtocolError:
                print("cut off")
    server.should_exit = True
    await serving

asyncio.run(main())
"""


def test_an_unexpected_error_is_logged_once_with_the_id_of_its_request() -> None:
    result = subprocess.run(
        [sys.executable, "-c", PROCESS, "jane@example.com"], capture_output=True, text=True, check=True, timeout=60
    )
    assert result.stdout.split("\n") == ["503", "cut off", ""]
    lines = [json.loads(line) for line in result.stderr.splitlines()]
    assert [(line["event"], line["request_id"], line["error"]) for line in lines] == [
        ("request.failed", "before", "ValueError"),
        ("request.failed", "within", "ValueError"),
    ]
    assert "jane" not in result.stderr
