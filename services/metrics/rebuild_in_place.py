"""Rebuild in place: compute contributions again from statements and scores, and write those that differ over the served ones.

Subjects are locked in batches, so the services may go on. Until it ends, results mix old and corrected contributions. It needs
no space for a second generation, and leaves what a subject that can't be folded has (`services.metrics.rebuild`).
"""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

import asyncpg

from services.metrics.store.rebuilds import tenants_to_rebuild
from services.metrics.store.writer import Writer

AT_ONCE = 500
REPORT_EVERY = 10_000
"""Subjects between two lines about the progress."""


@dataclass(slots=True)
class InPlaceReport:
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


async def rebuild_in_place(
    pool: asyncpg.Pool, writer: Writer, tenant: str | None = None, say: Callable[[str], None] = lambda line: None
) -> list[InPlaceReport]:
    """Rebuild every subject of a tenant, or of all. Returns a report of each tenant; `say` is given it and the progress."""
    reports = []
    for number, slug in await tenants_to_rebuild(pool, tenant):
        report = await rebuild_tenant(writer, number, InPlaceReport(slug), say)
        say(str(report))
        reports.append(report)
    return reports


async def rebuild_tenant(writer: Writer, tenant: int, report: InPlaceReport, say: Callable[[str], None]) -> InPlaceReport:
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
