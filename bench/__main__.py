"""`make bench`: every figure that we claim, measured here and now. `python -m bench ingest live` runs only those.

Absolute figures are those of this machine at this moment, shared by servers, services and load; where there is something to
compare with, both sides run in turn and the ratio is printed.
"""

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
ALONE = ("ingest", "metrics")
"""Benches that start the servers they need themselves."""
ON_A_STACK = ("gateway", "live", "fairness")
"""Benches of a running stack with the demo's history; each gets the path of its demo.json."""
PATIENCE = 240.0


def main(names: list[str]) -> int:
    wanted = names or ["ready", *ALONE, *ON_A_STACK]
    print(f"machine: {processor()}, {os.cpu_count()} cores, Python {platform.python_version()}, ", end="")
    print(", ".join(f"{package} {version(package)}" for package in ("fastapi", "aiokafka", "asyncpg")), flush=True)
    failures = [name for name in ALONE if name in wanted and bench(name)]
    if {"ready", *ON_A_STACK} & set(wanted):
        failures += on_a_stack(wanted)
    return 1 if failures else 0


def on_a_stack(wanted: list[str]) -> list[str]:
    """Time `make run` to ready, with a new folder and again with the data there, then bench what runs."""
    with tempfile.TemporaryDirectory(prefix="earshot-bench-") as folder:
        data = Path(folder) / "data"
        title("make run to ready")
        with stack(data) as seconds:
            print(f"new folder, history of 90 days loaded and counted: {seconds:.1f} s", flush=True)
        with stack(data) as seconds:
            print(f"data there: {seconds:.1f} s (aim: < 20 s)", flush=True)
            return [name for name in ON_A_STACK if name in wanted and bench(name, str(data / "demo.json"))]


def bench(name: str, *arguments: str) -> int:
    title(name)
    return subprocess.run([sys.executable, "-m", f"bench.{name}", *arguments], cwd=ROOT, check=False).returncode


@contextmanager
def stack(data: Path) -> Iterator[float]:
    """A running stack on `data`; yields the seconds that it took to be ready."""
    environment = {k: v for k, v in os.environ.items() if k not in {"MAKEFLAGS", "MFLAGS", "MAKELEVEL"}}
    command = ["make", "run", f"DATA={data}", f"PORT_BASE={free_port_base()}", "DEMO=1"]
    began = time.monotonic()
    make = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.DEVNULL)
    try:
        while not (data / "demo.json").exists():
            if make.poll() is not None or time.monotonic() - began > PATIENCE:
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
    sys.exit(main(sys.argv[1:]))
