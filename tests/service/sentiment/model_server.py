"""A model server as a company might run one: real HTTP on a free port, VADER behind it, and it misbehaves as a test asks."""

import json
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from deploy.local.servers import free_port
from services.sentiment.domain.vader import VaderScorer

MODEL = {"id": "mine", "version": "7"}
POISON = "poison to this model server"
VADER = VaderScorer()


@dataclass(frozen=True)
class Reply:
    """A response. `delay`: seconds before it, and before each byte of a body that `drips`."""

    status: int = 200
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    delay: float = 0.0
    drips: bool = False


def scores(texts: Sequence[str]) -> list[dict[str, Any]]:
    return [{"label": o.label, "score": o.score, "confidence": o.confidence, "mixed": o.mixed} for o in VADER.score(texts)]


def ok(opinions: Any, model: Any = MODEL) -> Reply:
    """A reply with status 200 and these opinions."""
    return Reply(body=json.dumps({"model": model, "scores": opinions}).encode())


def well(texts: Sequence[str]) -> Reply:
    return ok(scores(texts))


@dataclass
class ModelServer:
    """Responds as `behave` returns, and records the texts and the headers of each call. `tokens`: all it accepts; None: any."""

    port: int = field(default_factory=free_port)
    behave: Callable[[Sequence[str]], Reply] = well
    tokens: set[str] | None = None
    calls: list[list[str]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/v1/models/mine"

    @contextmanager
    def running(self) -> Iterator["ModelServer"]:
        """Listening meanwhile; afterwards its port refuses, until it runs again."""
        server = ThreadingHTTPServer(("127.0.0.1", self.port), self._handler())
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield self
        finally:
            server.shutdown()
            server.server_close()
            thread.join()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        known = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                request = json.loads(self.rfile.read(int(self.headers["content-length"])))
                known.calls.append(request["texts"])
                known.headers.append({name.lower(): value for name, value in self.headers.items()} | {"path": self.path})
                self.answer(known.behave(request["texts"]) if self.is_authorized() else Reply(401))

            def is_authorized(self) -> bool:
                return known.tokens is None or self.headers["authorization"] in {f"Bearer {token}" for token in known.tokens}

            def answer(self, reply: Reply) -> None:
                time.sleep(reply.delay)
                self.send_response(reply.status)
                for name, value in {"Content-Length": str(len(reply.body)), **reply.headers}.items():
                    self.send_header(name, value)
                self.end_headers()
                for start in range(len(reply.body)) if reply.drips else ():
                    self.wfile.write(reply.body[start : start + 1])
                    time.sleep(reply.delay)
                if not reply.drips:
                    self.wfile.write(reply.body)

            def handle(self) -> None:
                with suppress(BrokenPipeError, ConnectionResetError):  # the other side went away, as it may
                    super().handle()

            def log_message(self, format: str, *args: object) -> None:
                pass

        return Handler


def picky(texts: Sequence[str]) -> Reply:
    """Takes a while, and fails on POISON."""
    return Reply(422) if POISON in texts else Reply(body=well(texts).body, delay=0.1)


if __name__ == "__main__":  # as a process of its own, that can be killed; its port is the argument
    with ModelServer(int(sys.argv[1]), picky).running():
        threading.Event().wait()
