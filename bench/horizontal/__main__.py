"""Earshot on three machines: do the promises hold while a broker, replicas and a machine are lost, and what does a replica add?

    python -m bench.horizontal [--rate 10] [--seconds 15] [--events 10000] [--keep FOLDER]

Each machine is a network namespace with a Kafka node, a PostgreSQL of one service and replicas; every service has two replicas
on two machines. Links have a delay of 1 ms from machine to machine, made by `network.py`. Linux, as root, without Kubernetes.
Under steady webhooks and queries: the links of one machine become slow and lose packets; a broker is killed; replicas are
stopped, then others killed; a machine is cut off. Afterwards every accepted webhook must be counted once and `verify` must find
everything equal. Exits 1 if not. Last: the events a second of one replica of metrics and of two.
"""

import argparse
import asyncio
import sys
import tempfile
from collections.abc import Awaitable, Callable
from pathlib import Path
from time import perf_counter

from bench.horizontal import throughput
from bench.horizontal.installation import OUTSIDE, ROOT, Installation, MachineFailed, running_installation, stop
from bench.horizontal.machine import PORTS
from bench.horizontal.network import NotPermitted, address, join
from bench.horizontal.tools import Callers, Phase
from deploy.local.processes import StartFailed
from shared.telemetry import configure_logging

TENANT = "acme"
SLOW = {"delay": 0.02, "jitter": 0.005, "loss": 0.005}
BROKER_LOST, CUT_OFF, SLOWED = 3, 3, 4
"""Machines. That which is cut off has the database of metrics."""
FINAL_SECONDS = 180.0


async def run_phase(callers: Callers, name: str, seconds: float, steps: Callable[[], Awaitable[object]]) -> Phase:
    """Carry out the steps under load and print what the callers saw for `seconds` and until the steps are done."""
    callers.phase = phase = Phase()
    began = perf_counter()
    await steps()
    await asyncio.sleep(max(0.0, seconds - (perf_counter() - began)))
    counted = await callers.wait_until_counted()
    print(f"{name} ({perf_counter() - began:.0f} s): {phase}; all counted {counted:.1f} s later", flush=True)
    return phase


class Faults:
    """The steps of each phase: a fault, and its end."""

    def __init__(self, installation: Installation, seconds: float) -> None:
        self._installation = installation
        self._machines = installation.machines
        self._seconds = seconds

    async def none(self) -> None:
        """Nothing."""

    async def slow_link(self) -> None:
        """One machine is far away and loses packets."""
        await self._installation.set_link(SLOWED, **SLOW)
        await asyncio.sleep(self._seconds)
        await self._installation.set_link(SLOWED)

    async def lost_broker(self) -> None:
        """A broker is killed, and comes back later."""
        await self._machines[BROKER_LOST].do("kill", name="kafka")
        await asyncio.sleep(self._seconds)
        await self._machines[BROKER_LOST].do("start", name="kafka")

    async def stopped_replicas(self) -> None:
        """One replica of each service is stopped as by an update, and started again."""
        for machine, service in ((2, "ingest"), (3, "sentiment"), (4, "metrics"), (4, "gateway")):
            await self._machines[machine].do("stop", name=service)
            await asyncio.sleep(1)
            await self._machines[machine].do("start", name=service)

    async def killed_replicas(self) -> None:
        """One replica of each service is killed, all at once, and started later."""
        replicas = ((3, "ingest"), (4, "sentiment"), (2, "metrics"), (3, "gateway"))
        for machine, service in replicas:
            await self._machines[machine].do("kill", name=service)
        await asyncio.sleep(self._seconds)
        for machine, service in replicas:
            await self._machines[machine].do("start", name=service)

    async def partition(self) -> None:
        """A machine is cut off, with its broker, the database of metrics and its replicas, which go on running."""
        await self._installation.set_link(CUT_OFF, cut=True)
        await asyncio.sleep(self._seconds)
        await self._installation.set_link(CUT_OFF)


async def prove(installation: Installation, rate: float, seconds: float) -> list[str]:
    """Run all phases. Returns the promises that did not hold."""
    key, hook = await installation.create_tenant(TENANT)
    callers = Callers(hook, installation.url("gateway"), key, rate)
    faults = Faults(installation, seconds)
    async with callers.running():
        await asyncio.sleep(5)
        await run_phase(callers, "no fault", seconds, faults.none)
        slow = await run_phase(callers, "one machine behind a slow link", seconds, faults.slow_link)
        broker = await run_phase(callers, "a broker lost", seconds, faults.lost_broker)
        stopped = await run_phase(callers, "a replica of each service stopped", seconds, faults.stopped_replicas)
        await run_phase(callers, "a replica of each service killed", seconds, faults.killed_replicas)
        await run_phase(callers, "a machine cut off", seconds, faults.partition)
    await callers.wait_until_counted()
    counts = await callers.count("nps"), await callers.count("sentiment")
    await callers.aclose()
    broken = [
        f"{name}: {sum(phase.refused.values())} webhooks and {phase.failed_queries} queries failed"
        for name, phase in (("slow link", slow), ("a broker lost", broker), ("replicas stopped", stopped))
        if phase.refused or phase.failed_queries
    ]
    print(f"accepted: {len(callers.accepted)}, with a comment {len(callers.with_comment)}; counted: {counts[0]}, {counts[1]}")
    if counts != (len(callers.accepted), len(callers.with_comment)):
        broken.append("not every accepted webhook is counted once")
    if not await verify(installation):
        broken.append("verify found a difference")
    return broken


async def verify(installation: Installation) -> bool:
    """Run `services.metrics.verify` at the balancer, and print its last line."""
    own = {"METRICS_HOST": address(OUTSIDE), "METRICS_PORT": str(PORTS["metrics"])}
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "services.metrics.verify", "--tenant", TENANT),
        cwd=ROOT,
        env=installation.variables | own,
        stdout=asyncio.subprocess.PIPE,
    )
    output, _ = await process.communicate()
    lines = output.decode().splitlines()
    print("verify: " + (lines[-1] if process.returncode == 0 else "\n".join(lines)), flush=True)
    return process.returncode == 0


async def main(options: argparse.Namespace, folder: Path, hub: asyncio.subprocess.Process, socket: Path) -> int:
    """The exit status."""
    configure_logging("bench", "WARNING", "console")
    began = perf_counter()
    async with running_installation(folder, hub, socket) as installation:
        await installation.install()
        print(f"installed after {perf_counter() - began:.0f} s", flush=True)
        broken = await prove(installation, options.rate, options.seconds)
        if options.events:
            await throughput.measure(installation, options.events)
        packets = await installation.set_link(OUTSIDE)
    print(f"{packets['passed']:,} packets passed, {packets['lost']:,} lost; {perf_counter() - began:.0f} s in all")
    print("\n".join(["NOT HELD:", *broken]) if broken else "all promises held")
    return 1 if broken else 0


async def run(options: argparse.Namespace, folder: Path) -> int:
    """Start the hub, move this process to its namespace, and run the installation."""
    socket = folder / "hub"
    hub = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "bench.horizontal.network", str(socket)),
        cwd=ROOT,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        start_new_session=True,
    )
    try:
        assert hub.stdout
        await hub.stdout.readline()
        join(OUTSIDE, socket)
        return await main(options, folder, hub, socket)
    except (MachineFailed, StartFailed, TimeoutError) as error:
        print(f"failed: {error}\nlogs: {folder} (with --keep)", file=sys.stderr)
        return 1
    finally:
        await stop(hub)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rate", type=float, default=10, help="webhooks a second")
    parser.add_argument("--seconds", type=float, default=15, help="the shortest time of a phase")
    parser.add_argument("--events", type=int, default=10_000, help="events of a round of the throughput; 0: not measured")
    parser.add_argument("--keep", type=Path, help="a new folder for data and logs, which stays")
    arguments = parser.parse_args()
    try:
        if arguments.keep:
            arguments.keep.mkdir()
            sys.exit(asyncio.run(run(arguments, arguments.keep.resolve())))
        with tempfile.TemporaryDirectory(prefix="earshot-horizontal-") as temporary:
            Path(temporary).chmod(0o755)
            sys.exit(asyncio.run(run(arguments, Path(temporary))))
    except NotPermitted as error:
        sys.exit(str(error))
