"""Health checks and metrics of a server group (`shared/server_group.py`): all processes answer together, whichever is asked.

A process that gets `/livez`, `/readyz` or `/metrics` on the shared port asks every process, itself too, on its own port.
"""

import asyncio
from collections.abc import Awaitable, Mapping

import httpx
import structlog
from prometheus_client import CONTENT_TYPE_LATEST
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from shared.server_group import Member

log = structlog.get_logger()

LIMIT_SECONDS = {"/livez": 1.5, "/readyz": 4.5, "/metrics": 4.5}
"""Seconds in which a process must answer, by path. `/readyz` and `/metrics` wait for the database."""


class GroupHealth:
    """ASGI middleware: answers health checks and scrapes on the shared port for all processes, and passes on everything else."""

    def __init__(self, app: ASGIApp, member: Member) -> None:
        self._app = app
        self._ports = member.ports
        self._own_port = member.ports[member.number]
        self._http = httpx.AsyncClient(trust_env=False, limits=httpx.Limits(max_keepalive_connections=0))

    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        """Answer a request, or pass it on."""
        if scope["type"] == "http" and scope["path"] in LIMIT_SECONDS and scope["server"][1] != self._own_port:
            return self._answer(scope, receive, send)
        return self._app(scope, receive, send)

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = scope["path"]
        answers = await asyncio.gather(*(self._get(port, path) for port in self._ports))
        by_number = dict(enumerate(answers))
        response = merged_metrics(by_number) if path == "/metrics" else merged_health(by_number)
        await response(scope, receive, send)

    async def _get(self, port: int, path: str) -> httpx.Response | None:
        """The answer of the process at `port`; None if there is none in time."""
        try:
            async with asyncio.timeout(LIMIT_SECONDS[path]):
                return await self._http.get(f"http://127.0.0.1:{port}{path}", timeout=None)
        except (TimeoutError, httpx.HTTPError) as error:
            log.warning("process.silent", process=self._ports.index(port), path=path, error=type(error).__name__)
            return None


def merged_health(answers: Mapping[int, httpx.Response | None]) -> Response:
    """200 if all processes answer 200, else 503 with the names of what is missing, such as a process that does not answer."""
    missing: dict[str, None] = {}
    degraded: dict[str, None] = {}
    for number, answer in answers.items():
        document = answer.json() if answer is not None else {"missing": [f"process {number}"]}
        missing |= dict.fromkeys(document["missing"])
        degraded |= dict.fromkeys(document.get("degraded", ()))
    merged: dict[str, object] = {"status": "failing" if missing else "ok", "missing": list(missing)}
    return JSONResponse(merged | ({"degraded": list(degraded)} if degraded else {}), 503 if missing else 200)


def merged_metrics(answers: Mapping[int, httpx.Response | None]) -> Response:
    """The metrics of all processes that answer. 503 if none does."""
    texts = {number: answer.text for number, answer in answers.items() if answer is not None and answer.is_success}
    if not texts:
        return Response("no process answers", 503)
    return Response(merge_metrics(texts), media_type=CONTENT_TYPE_LATEST)


def merge_metrics(texts: Mapping[int, str]) -> str:
    """Metrics of several processes, in Prometheus's text format, as one document: each sample gets the label `process`.

    When a process is replaced, its counters start again at 0 in a series of their own, so rates of the sum stay correct.
    """
    families: dict[str, list[str]] = {}
    for number, text in texts.items():
        family: list[str] = []
        for line in text.splitlines():
            if line.startswith("# HELP "):
                name = line.split(" ", 3)[2]
                family = families.setdefault(name, [])
            if not line.startswith("#"):
                family.append(labelled(line, number))
            elif line not in family[:2]:
                family.append(line)
    return "".join(f"{line}\n" for family in families.values() for line in family)


def labelled(sample: str, number: int) -> str:
    """A line of Prometheus's text format with the label `process`."""
    name, brace, labels = sample.partition("{")
    if brace and " " not in name:
        return f'{name}{{process="{number}",{labels}'
    name, _, value = sample.partition(" ")
    return f'{name}{{process="{number}"}} {value}'
