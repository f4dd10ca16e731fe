"""`python -m services.metrics.rebuild`: compute contributions again, in place, from statements and scores.

Subjects are locked in batches, and only rows that differ are written, so the services may go on. The builder does the same by
itself after an upgrade, one tenant at a time and without mixing old and new contributions (`services.metrics.builder`).
"""

import argparse
import asyncio
import sys
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

import asyncpg

from services.metrics.settings import Settings
from services.metrics.store.writer import Writer
from shared.database import open_pool
from shared.startup import read_settings

AT_ONCE = 500
REPORT_EVERY = 10_000
"""Subjects between two lines about the progress."""

TENANTS = "SELECT id, slug FROM tenants WHERE $1::text IS NULL OR slug = $1 ORDER BY slug"


@dataclass(slots=True)
class Report:
    """The result of rebuilding a tenant. `corrected`: by measure, the times at which contributions were wrong.

    `invalid`: the subjects that can't be folded, with the reasons. Their contributions are as before.
    """

    tenant: str
    subjects: int = 0
    corrected: Counter[str] = field(default_factory=Counter)
    invalid: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        corrections = ", ".join(f"{measure} {count:,}" for measure, count in sorted(self.corrected.items()))
        rebuilt = self.subjects - len(self.invalid)
        lines = [f"{self.tenant}: rebuilt {rebuilt:,} subjects; corrected: {corrections or 'nothing'}"]
        if self.invalid:
            lines.append(f"{self.tenant}: {len(self.invalid):,} subjects can't be rebuilt:")
        return "\n  ".join([*lines, *self.invalid])


async def rebuild(
    pool: asyncpg.Pool, writer: Writer, tenant: str | None = None, say: Callable[[str], None] = lambda line: None
) -> list[Report]:
    """Rebuild every subject of a tenant, or of all. Returns a report of each tenant; `say` is given it and the progress."""
    reports = []
    for number, slug in await pool.fetch(TENANTS, tenant):
        report = await rebuild_tenant(writer, number, Report(slug), say)
        say(str(report))
        reports.append(report)
    return reports


async def rebuild_tenant(writer: Writer, tenant: int, report: Report, say: Callable[[str], None]) -> Report:
    """Rebuild every subject of a tenant, and add to its report."""
    after: str | None = ""
    while after is not None:
        done = await writer.rebuild(tenant, after, AT_ONCE)
        if report.subjects // REPORT_EVERY < (report.subjects + done.subjects) // REPORT_EVERY:
            say(f"  {report.tenant}: {report.subjects + done.subjects:,} subjects")
        report.subjects, after = report.subjects + done.subjects, done.last
        report.corrected.update(done.corrected)
        report.invalid += [f"{error.subject}: {error.reason}" for error in done.invalid]
    return report


def say(line: str) -> None:
    """Print a line at once."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


async def run(settings: Settings, tenant: str | None) -> list[Report]:
    """Rebuild a tenant, or all, in the database of these settings."""
    async with open_pool(settings.database, 3) as pool:
        return await rebuild(pool, Writer(pool), tenant, say)


def main() -> None:
    """The command. Exits with 1 if a subject can't be rebuilt, with 2 if the tenant isn't there."""
    arguments = argparse.ArgumentParser(prog="rebuild", description="Compute contributions again, and write those that differ.")
    arguments.add_argument("--tenant", help="rebuild this tenant alone")
    options = arguments.parse_args()
    reports = asyncio.run(run(read_settings("metrics", Settings), options.tenant))
    if options.tenant and not reports:
        sys.stderr.write(f"there is no tenant {options.tenant!r}\n")
        sys.exit(2)
    if any(report.invalid for report in reports):
        sys.exit(1)


if __name__ == "__main__":
    main()
