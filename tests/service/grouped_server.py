"""A server of several processes for tests; the environment has `PORT` and `PROCESSES`."""

import asyncio
import os
import sys

from fastapi import FastAPI
from prometheus_client import Counter

from shared.http import add_health, serve
from shared.server_group import ServerGroup, member_of
from shared.settings import SharedSettings
from shared.telemetry import configure_logging

REQUESTS = Counter("answered", "Requests to /pid", registry=None)
SLOW_SECONDS = 1.0


async def nothing_missing() -> list[str]:
    return []


app = FastAPI()
add_health(app, alive=list, ready=nothing_missing, metrics=(REQUESTS,))


@app.get("/pid")
async def pid() -> int:
    REQUESTS.inc()
    return os.getpid()


@app.get("/slow")
async def slow() -> int:
    await asyncio.sleep(SLOW_SECONDS)
    return os.getpid()


def main() -> None:
    configure_logging("grouped", "INFO", "json")
    member = member_of(sys.argv[1:])
    settings = SharedSettings()
    if member is None:
        sys.exit(ServerGroup("tests.service.grouped_server", settings, int(os.environ["PROCESSES"])).run())
    serve(app, settings, member=member)


if __name__ == "__main__":
    main()
