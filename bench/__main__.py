"""`make bench`: measure every figure that we claim. `python -m bench ingest live` runs only those benchmarks.

`python -m bench --quick` runs them with little data, to see that they still run from start to end. Its figures say nothing.

Servers, services and load share this machine, so absolute figures are of this machine at this moment. Where there is a baseline,
both run in turn and the ratio is printed.
"""

import argparse
import json
import os
import platform
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path

from deploy.local.servers import free_port_base

ROOT = Path(__file__).parents[1]
ALONE = ("ingest", "ingest_drain", "ingest_flood", "imports", "metrics", "rebuild", "records")
"""Benchmarks that start their own servers."""
ON_A_STACK = ("gateway", "live", "fairness")
"""Benchmarks of a running stack with the history of the demo tenant. Each gets the path of its demo.json."""
QUICK = {
    "ingest": ("--count", "500", "--connections", "16", "--rounds", "1"),
    "ingest_drain": ("--count", "1000"),
    "ingest_flood": ("--seconds", "3"),
    "imports": ("--records", "1000"),
    "metrics": ("--events", "500", "--history", "2000", "--rounds", "1"),
    "rebuild": ("--subjects", "500"),
    "records": ("--records", "5000", "--small", "1000", "--wide", "1000", "--rounds", "1", "--minutes", "1"),
    "gateway": ("--seconds", "2"),
    "live": ("--rate", "20", "--seconds", "3"),
    "fairness": ("--flood", "50", "--seconds", "4"),
}
"""The arguments of each benchmark for a quick run."""
START_TIMEOUT = 240.0


def main(names: list[str], quick: bool) -> int:
    selected = names or ["ready", *ALONE, *ON_A_STACK]
    print(f"machine: {processor()}, {os.cpu_count()} cores, Python {platform.python_version()}, ", end="")
    print(", ".join(f"{package} {version(package)}" for package in ("fastapi", "aiokafka", "asyncpg")), flush=True)
    failures = [name for name in ALONE if name in selected and bench(name, quick)]
    if {"ready", *ON_A_STACK} & set(selected):
        failures += on_a_stack(selected, quick)
    if failures:
        print(f"\nfailed: {', '.join(failures)}")
    return 1 if failures else 0


def on_a_stack(selected: list[str], quick: bool) -> list[str]:
    """Time `make run` until ready, with a new data folder and with an existing one, then run the benchmarks on that stack."""
    with tempfile.TemporaryDirectory(prefix="earshot-bench-") as folder:
        data = Path(folder) / "data"
        title("make run to ready")
        with stack(data) as seconds:
            print(f"new folder, history of 90 days loaded and counted: {seconds:.1f} s", flush=True)
        with stack(data) as seconds:
            print(f"existing data: {seconds:.1f} s (aim: < 20 s)", flush=True)
            return [name for name in ON_A_STACK if name in selected and bench(name, quick, str(data / "demo.json"))]


def bench(name: str, quick: bool, *arguments: str) -> int:
    title(name)
    command = [sys.executable, "-m", f"bench.{name}", *arguments, *(QUICK[name] if quick else ())]
    return subprocess.run(command, cwd=ROOT, check=False).returncode


@contextmanager
def stack(data: Path, demo: int = 1) -> Iterator[float]:
    """A running stack on the folder `data`, by default with the demo's history. Yields the seconds until it was ready."""
    environment = {k: v for k, v in os.environ.items() if k not in {"MAKEFLAGS", "MFLAGS", "MAKELEVEL"}}
    command = ["make", "run", f"DATA={data}", f"PORT_BASE={free_port_base()}", f"DEMO={demo}"]
    began = time.monotonic()
    make = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.DEVNULL)
    try:
        while not (data / "demo.json").exists():
            if make.poll() is not None or time.monotonic() - began > START_TIMEOUT:
                sys.exit(f"the stack did not become ready; see {data}/logs")
            time.sleep(0.05)
        json.loads((data / "demo.json").read_text())
        yield time.monotonic() - began
    finally:
        make.send_signal(signal.SIGTERM)
        make.wait(60)


def processor() -> str:
    lines = Path("/proc/cpuinfo").read_text().splitlines() if Path("/proc/cpuinfo").exists() else []
    models = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return models[0] if models else platform.processor()


def title(name: str) -> None:
    print(f"\n--- {name}", flush=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", metavar="name", help=f"ready, {', '.join((*ALONE, *ON_A_STACK))}; without any: all")
    parser.add_argument("--quick", action="store_true", help="little data: do they still run?")
    options = parser.parse_args()
    if unknown := set(options.names) - {"ready", *ALONE, *ON_A_STACK}:
        parser.error(f"unknown: {', '.join(sorted(unknown))}")
    sys.exit(main(options.names, options.quick))
