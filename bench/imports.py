"""Measure an import: records per second into the inbox, memory of its processes, and webhooks beside it.

`python -m bench.imports [--records 100000] [--format ndjson] [--processes 1 2]` starts PostgreSQL, Kafka and ingest in a
temporary folder, and imports a file with each of these numbers of processes.
"""

import argparse
import asyncio
import json
import tempfile
import threading
import time
from base64 import urlsafe_b64encode
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx

from bench.ingest import INSIDE, children_of, connect, process, processor_seconds, start, wait_until_published
from bench.ingest_load import WORDS, Run, post, requests
from deploy.local.servers import free_port

PART_BYTES = 4 * 1024 * 1024
SAMPLE_SECONDS = 0.25
WEBHOOKS = 300
"""Webhooks that are posted one after the other, before the import and beside it."""
PAUSE_SECONDS = 0.01

MAPPING = {
    "id": "id",
    "at": {"column": "at"},
    "customer": {"id": "customer"},
    "answers": {
        "recommend": {"kind": "nps"},
        "happy": {"kind": "csat", "scale": [1, 5]},
        "why": {"kind": "comment", "language": "en"},
    },
    "dimensions": {"region": "region", "team": "team"},
}


@dataclass
class Children:
    """The processes that import: the memory of the largest in MiB, sampled, and the processor time of each in seconds, by pid."""

    memory: list[float] = field(default_factory=list)
    processor: dict[int, float] = field(default_factory=dict)
    ended: threading.Event = field(default_factory=threading.Event)

    def watch(self, parent: int) -> None:
        """Sample until `ended`."""
        while not self.ended.wait(SAMPLE_SECONDS):
            sizes: list[float] = []
            for pid in children_of(parent):
                try:
                    status = Path(f"/proc/{pid}/status").read_text()
                    self.processor[pid] = processor_seconds(pid)
                except OSError:
                    continue
                sizes += [int(line.split()[1]) / 1024 for line in status.splitlines() if line.startswith("VmRSS:")]
            self.memory += [max(sizes)] if sizes else []


def records(count: int, name: str) -> Iterator[dict[str, Any]]:
    """Responses of about 500 bytes over 90 days, each about another subject. Their ids begin with `name`."""
    first = datetime.now(UTC) - timedelta(days=90)
    for number in range(count):
        yield {
            "type": "response",
            "id": f"{name}-{number}",
            "at": (first + timedelta(seconds=number * 7_000_000 / count)).isoformat(),
            "customer": {"id": f"customer-{number % 10_000}"},
            "answers": [
                {"question": "recommend", "kind": "nps", "value": number % 11},
                {"question": "happy", "kind": "csat", "scale": [1, 5], "value": number % 5 + 1},
                {"question": "why", "kind": "comment", "text": WORDS, "language": "en"},
            ],
            "dimensions": {"region": "DE", "team": "billing"},
        }


def lines(count: int, file_format: str, name: str = "r") -> Iterator[bytes]:
    """The lines of a file with so many records."""
    if file_format == "csv":
        yield b"id,at,customer,recommend,happy,why,region,team\n"
    for record in records(count, name):
        if file_format == "ndjson":
            yield json.dumps(record).encode() + b"\n"
            continue
        nps, csat, comment = record["answers"]
        cells = (
            record["id"],
            record["at"],
            record["customer"]["id"],
            nps["value"],
            csat["value"],
            f'"{comment["text"]}"',
            "DE",
            "billing",
        )
        yield ",".join(map(str, cells)).encode() + b"\n"


def parts(count: int, file_format: str, name: str = "r") -> Iterator[bytes]:
    """The file in parts."""
    part = bytearray()
    for line in lines(count, file_format, name):
        part += line
        if len(part) >= PART_BYTES:
            yield bytes(part)
            part.clear()
    if part:
        yield bytes(part)


def upload(http: httpx.Client, count: int, file_format: str, name: str) -> str:
    """The id of an import whose file is uploaded."""
    body = {"format": file_format} | ({"mapping": MAPPING} if file_format == "csv" else {})
    number = str(http.post("/v1/imports", json=body).raise_for_status().json()["id"])
    began, size = time.monotonic(), 0
    for place, content in enumerate(parts(count, file_format, name), 1):
        http.put(f"/v1/imports/{number}/parts/{place}", content=content).raise_for_status()
        size += len(content)
    print(f"uploaded {size / 1e6:,.0f} MB in {time.monotonic() - began:.1f} s", flush=True)
    return number


def wait_for(http: httpx.Client, number: str) -> dict[str, Any]:
    """The import once it has ended."""
    while True:
        view: dict[str, Any] = http.get(f"/v1/imports/{number}").raise_for_status().json()
        if view["finished_at"]:
            return view
        time.sleep(0.1)


def webhooks(port: int, path: str, secret: str, name: str) -> Run:
    """One webhook after the other, with a pause between them."""
    runs = []
    for prepared in requests(path, secret, WEBHOOKS, name):
        runs.append(post(port, [prepared], 1))
        time.sleep(PAUSE_SECONDS)
    waits = sorted(run.p50 for run in runs)
    return Run(
        sum(run.accepted for run in runs),
        0,
        sum(run.seconds for run in runs),
        waits[len(waits) // 2],
        waits[len(waits) * 99 // 100],
    )


def line(name: str, run: Run) -> str:
    return f"{name:<28}p50 {run.p50:>5.1f} ms   p99 {run.p99:>6.1f} ms   accepted {run.accepted} of {WEBHOOKS}"


def memory_line(memory: Sequence[float]) -> str:
    """The memory in the first and the last fifth of the samples, and its maximum."""
    fifth = max(1, len(memory) // 5)
    first, last = sum(memory[fifth : 2 * fifth]) / fifth, sum(memory[-fifth:]) / fifth
    return f"memory of the largest process: {first:.0f} MiB early, {last:.0f} MiB late, at most {max(memory):.0f} MiB"


def measure(port: int, pid: int, count: int, file_format: str, processes: int) -> float:
    """Import a file of its own, and print the figures. Returns the records per second."""
    path, secret = connect(port)
    with httpx.Client(base_url=f"http://127.0.0.1:{port}", headers=INSIDE, trust_env=False, timeout=60) as http:
        number = upload(http, count, file_format, f"r{processes}")
        print(line("webhooks before the import", webhooks(port, path, secret, "before")), flush=True)
        children = Children()
        watch = threading.Thread(target=children.watch, args=(pid,), daemon=True)
        watch.start()
        http.post(f"/v1/imports/{number}:start").raise_for_status()
        time.sleep(3)
        print(line("webhooks beside the import", webhooks(port, path, secret, "beside")), flush=True)
        view = wait_for(http, number)
        children.ended.set()
        watch.join()
    if view["accepted"] != count:
        raise SystemExit(f"{view['accepted']:,} of {count:,} records were accepted: {view}")
    seconds: float = count / view["rows_per_second"]
    speed = f"{count / seconds:,.0f} records/s (aim: 20,000)"
    print(f"{file_format}, {processes} processes: {count:,} records in {seconds:.1f} s: {speed}")
    print(f"processor time of the processes: {sum(children.processor.values()) / count * 1e6:.0f} µs for each record")
    print(memory_line(children.memory))
    waited = wait_until_published(port)
    print(f"all in Kafka {waited:.1f} s later: {count / (seconds + waited):,.0f} records/s from start to Kafka", flush=True)
    return count / seconds


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--records", type=int, default=100_000)
    parser.add_argument("--format", choices=("ndjson", "csv"), default="ndjson")
    parser.add_argument("--processes", type=int, nargs="+", default=[1, 2], help="processes that import, one run for each number")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="earshot-bench-") as folder, asyncio.Runner() as runner:
        Path(folder).chmod(0o755)
        postgres, kafka, url = runner.run(start(Path(folder)))
        port = free_port()
        environment = {
            "INGEST_DATABASE_URL": url,
            "INGEST_SECRET_KEY": urlsafe_b64encode(bytes(32)).decode(),
            "INGEST_PORT": str(port),
            "KAFKA_BOOTSTRAP_SERVERS": kafka.bootstrap,
        }
        speeds: list[float] = []
        try:
            for processes in arguments.processes:
                own = environment | {"INGEST_IMPORT_PROCESSES": str(processes)}
                with process("services.ingest", port, **own) as pid:
                    speeds.append(measure(port, pid, arguments.records, arguments.format, processes))
            print(f"the last run is {speeds[-1] / speeds[0]:.2f} times as fast as the first")
        finally:
            runner.run(kafka.stop())
            runner.run(postgres.stop())


if __name__ == "__main__":
    main()
