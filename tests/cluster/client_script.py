"""Runs inside a pod, by the Python of an image of Earshot: calls, load and probes. Its result is JSON on standard output.

It imports nothing but the standard library, since it is passed to the pod as text.
"""

import base64
import collections
import hmac
import http.client
import json
import select
import socket
import sys
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

STOP = Path("/tmp/stop")
"""A file that ends the load. Only this pod's processes see it."""


def call(method: str, url: str, key: str, body: str = "") -> dict[str, Any]:
    """One request with an API key. Returns the status and the content."""
    headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
    return send(urllib.request.Request(url, body.encode() or None, headers, method=method))


def webhook(url: str, secret: str, body: str) -> dict[str, Any]:
    """One delivery with the signature of Standard Webhooks. Returns the status and the content."""
    delivery, stamp = f"msg_{time.time_ns()}", str(int(time.time()))
    key = base64.b64decode(secret.removeprefix("whsec_") + "==")
    mac = base64.b64encode(hmac.digest(key, f"{delivery}.{stamp}.{body}".encode(), "sha256")).decode()
    headers = {"webhook-id": delivery, "webhook-timestamp": stamp, "webhook-signature": f"v1,{mac}"}
    return send(urllib.request.Request(url, body.encode(), {"Content-Type": "application/json", **headers}, method="POST"))


def send(request: urllib.request.Request) -> dict[str, Any]:
    """The status of a response, and its content as JSON if it is."""
    try:
        with urllib.request.urlopen(request, timeout=20) as response:
            status, text = response.status, response.read().decode()
    except urllib.error.HTTPError as error:
        status, text = error.code, error.read().decode()
    except OSError as error:
        return {"status": 0, "body": repr(error)}
    try:
        return {"status": status, "body": json.loads(text)}
    except ValueError:
        return {"status": status, "body": text}


def probe(*targets: str) -> dict[str, bool]:
    """`host:port` → whether it can be connected to within two seconds."""
    results = {}
    for target in targets:
        host, _, port = target.rpartition(":")
        try:
            socket.create_connection((host, int(port)), 2).close()
            results[target] = True
        except OSError:
            results[target] = False
    return results


class Load:
    """Clients that post records at a steady rate, each over a connection that it keeps open while the server does."""

    def __init__(self, base: str, key: str, seconds: float, rate: float, clients: int, prefix: str) -> None:
        self.host = urllib.parse.urlsplit(base).netloc
        self.headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
        self.end = time.monotonic() + seconds
        self.pause = clients / rate
        self.prefix = prefix
        self.statuses: collections.Counter[str] = collections.Counter()
        self.failures: list[str] = []
        self.slowest = 0.0

    def run(self, number: int) -> None:
        """Post until the end, or until STOP exists."""
        connection: http.client.HTTPConnection | None = None
        count = 0
        while time.monotonic() < self.end and not STOP.exists():
            count += 1
            started = time.monotonic()
            record = {
                "type": "response",
                "id": f"{self.prefix}-{number}-{count}",
                "at": datetime.now(UTC).isoformat(timespec="seconds"),
                "answers": [{"question": "q1", "kind": "nps", "value": 9}],
            }
            try:
                if connection is None or connection.sock is None or select.select([connection.sock], [], [], 0)[0]:
                    connection = http.client.HTTPConnection(self.host, timeout=20)
                    connection.connect()
                connection.request("POST", "/v1/feedback", json.dumps(record), self.headers)
                response = connection.getresponse()
                text = response.read().decode()
                status = str(response.status)
                failure = "" if response.status == http.client.ACCEPTED else text[:200]
            except OSError as error:
                connection, status, failure = None, type(error).__name__, str(error) or "no text"
            self.statuses[status] += 1
            if failure:
                self.failures.append(f"{datetime.now(UTC):%T} {status} {failure}")
            self.slowest = max(self.slowest, time.monotonic() - started)
            time.sleep(max(0.0, self.pause - (time.monotonic() - started)))


def load(base: str, key: str, seconds: str, rate: str, clients: str, prefix: str) -> dict[str, Any]:
    """`rate` records a second by `clients` clients for `seconds`, or until STOP exists.

    Returns statuses, failures and the slowest response in seconds.
    """
    posts = Load(base, key, float(seconds), float(rate), int(clients), prefix)
    threads = [threading.Thread(target=posts.run, args=(number,)) for number in range(int(clients))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return {"statuses": posts.statuses, "failures": posts.failures[:20], "slowest": round(posts.slowest, 2)}


COMMANDS: dict[str, Callable[..., Any]] = {"call": call, "webhook": webhook, "probe": probe, "load": load}

if __name__ == "__main__":
    sys.stdout.write(json.dumps(COMMANDS[sys.argv[1]](*sys.argv[2:])) + "\n")
