"""`python -m services.metrics.rebuild`: compute contributions again, from statements and scores, and report what differs.

Each tenant gets a second generation of its contributions, which the builder of a running service makes in the background; if no
service does, this command makes it. Results are the old ones until both generations have been compared and one transaction
exchanges them (`services.metrics.builder`). With `--in-place` the command corrects the served contributions instead.
"""

import argparse
import asyncio
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from time import monotonic

import asyncpg

from services.metrics.builder import Builder
from services.metrics.rebuild_in_place import rebuild_in_place
from services.metrics.settings import Settings
from services.metrics.store.rebuilds import (
    MeasureComparison,
    RebuildComparison,
    RebuildState,
    read_state,
    request_rebuild,
    tenants_to_rebuild,
)
from services.metrics.store.writer import Writer
from services.metrics.store.writer_versions import OutdatedVersion
from shared.database import open_pool
from shared.startup import read_settings

POLL_SECONDS = 1.0
UNCLAIMED_SECONDS = 10.0
"""How long a build may wait for a running service, until the command works on it: services look for builds every two seconds."""

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class RebuildReport:
    """The result of a rebuild. `comparison` None: a process of an earlier version exchanged the contributions, without one."""

    tenant: str
    comparison: RebuildComparison | None
    invalid: list[str]

    def __str__(self) -> str:
        return "\n  ".join([*lines_of(self.tenant, self.comparison), *invalid_lines(self.tenant, self.invalid)])


def lines_of(tenant: str, comparison: RebuildComparison | None) -> Iterator[str]:
    """The comparison of a tenant's contributions in words."""
    if comparison is None:
        yield f"{tenant}: rebuilt; contributions were not compared: a process of an earlier version exchanged them"
        return
    before, after = (sum(getattr(measure, side) for measure in comparison.measures) for side in ("before", "after"))
    differing = [measure for measure in comparison.measures if measure.differs]
    verdict = f"{len(differing):,} measures differ:" if differing else "no difference"
    yield f"{tenant}: rebuilt; {before:,} contributions before, {after:,} after; {verdict}"
    yield from map(line_of, differing)
    if comparison.revision_before != comparison.revision_after:
        yield f"the terms were changed meanwhile, from revision {comparison.revision_before} to {comparison.revision_after}"
    if comparison.not_compared:
        yield f"not compared, for lack of time: {', '.join(comparison.not_compared)}"


def line_of(compared: MeasureComparison) -> str:
    """The differences of a measure in words."""
    return (
        f"{compared.measure}: {compared.before:,} before, {compared.after:,} after; only before: {compared.only_before:,},"
        f" only after: {compared.only_after:,}; sum of amounts {compared.amount_before:,} before,"
        f" {compared.amount_after:,} after; first subject: {compared.first_subject or 'none that is stored'}"
    )


def invalid_lines(tenant: str, invalid: list[str]) -> list[str]:
    """The subjects that can't be rebuilt, with the reasons."""
    return [f"{tenant}: {len(invalid):,} subjects can't be folded, and have no contributions now:", *invalid] if invalid else []


@dataclass(slots=True)
class Rebuild:
    """Rebuilds tenants one after the other. `builder` works on the builds that no running service takes up."""

    pool: asyncpg.Pool
    builder: Builder
    say: Say = lambda line: None
    unclaimed_seconds: float = UNCLAIMED_SECONDS
    poll_seconds: float = POLL_SECONDS
    _work: asyncio.Task[None] | None = field(default=None, init=False)

    async def run(self, slug: str | None = None) -> list[RebuildReport]:
        """Rebuild a tenant, or all. Returns a report of each; `say` is given it and the progress."""
        reports = []
        try:
            for number, tenant in await tenants_to_rebuild(self.pool, slug):
                reports.append(await self._rebuild(number, tenant))
                self.say(str(reports[-1]))
        finally:
            if self._work:
                self._work.cancel()
                await asyncio.gather(self._work, return_exceptions=True)
        return reports

    async def _rebuild(self, number: int, tenant: str) -> RebuildReport:
        async with self.pool.acquire() as connection:
            started = await request_rebuild(connection, number)
        self.say(f"{tenant}: {'building' if started else 'a rebuild is running already'}; results are the old ones meanwhile")
        claimed_at, progress = monotonic(), ""
        while not self._is_over(state := await read_state(self.pool, number)):
            if state.claimed:
                claimed_at = monotonic()
            if self._work is None and monotonic() - claimed_at >= self.unclaimed_seconds:
                self.say(f"  {tenant}: no running service works on it, so this command does")
                self._work = asyncio.create_task(self._build())
            if self._work and self._work.done():
                self._work.result()
            if progress != (progress := progress_of(state)):
                self.say(f"  {tenant}: {progress}")
            await asyncio.sleep(self.poll_seconds)
        return RebuildReport(tenant, state.comparison, list(dict.fromkeys(state.invalid)))

    def _is_over(self, state: RebuildState) -> bool:
        """Whether the new contributions are served and, if no service would do it, the old ones are deleted."""
        return not state.building and (state.cleared or self._work is None)

    async def _build(self) -> None:
        writer = Writer(self.pool)
        while True:
            with suppress(OutdatedVersion):  # processes with a newer version work on it
                if await self.builder.step(writer, upgrade=False):
                    continue
            await asyncio.sleep(self.poll_seconds)


def progress_of(state: RebuildState) -> str:
    """How far the rebuild is, in words."""
    if not state.building:
        return "the new contributions are served; deleting the old ones"
    if state.walked:
        return "all subjects are done; counting, and comparing with the old contributions"
    return f"{state.done:,} of {state.total:,} subjects"


def say(line: str) -> None:
    """Print a line at once."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


async def run(settings: Settings, tenant: str | None, *, in_place: bool) -> tuple[int, bool]:
    """Rebuild a tenant, or all, in the database of these settings. Returns how many, and whether a subject can't be rebuilt."""
    async with open_pool(settings.database, 4) as pool:
        if in_place:
            corrected = await rebuild_in_place(pool, Writer(pool), tenant, say)
            return len(corrected), any(report.invalid for report in corrected)
        reports = await Rebuild(pool, Builder(pool), say).run(tenant)
        return len(reports), any(report.invalid for report in reports)


def main() -> None:
    """The command. Exits with 1 if a subject can't be rebuilt, with 2 if the tenant isn't there."""
    arguments = argparse.ArgumentParser(
        prog="rebuild", description="Compute contributions again beside the served ones, report what differs, and serve them."
    )
    arguments.add_argument("--tenant", help="rebuild this tenant alone")
    arguments.add_argument(
        "--in-place",
        action="store_true",
        help="correct the served contributions instead, which needs no space for others; results mix old and new until it ends",
    )
    options = arguments.parse_args()
    count, invalid = asyncio.run(run(read_settings("metrics", Settings), options.tenant, in_place=options.in_place))
    if options.tenant and not count:
        sys.stderr.write(f"there is no tenant {options.tenant!r}\n")
        sys.exit(2)
    if invalid:
        sys.exit(1)


if __name__ == "__main__":
    main()
