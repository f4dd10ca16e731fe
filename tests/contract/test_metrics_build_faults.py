"""Builds of tenants with a subject that can't be folded."""

from structlog.testing import capture_logs

from services.metrics.rebuild_in_place import rebuild_in_place
from services.metrics.store.query import snapshot
from services.metrics.store.terms import Status
from services.metrics.verify.recount import compare_contributions
from services.metrics.verify.report import VerifyStep
from tests.contract.test_metrics_builder import build, change, derived, metrics, status, story
from tests.service.metrics.database import MetricsDatabase

__all__ = ["metrics"]


async def spoil(metrics: MetricsDatabase, subject: str) -> None:
    """Give a stored answer a value that its column can't hold: its subject can't be folded any more."""
    huge = "replace(encode(body, 'escape'), '\"value\":', '\"value\":9999999999')::bytea"
    await metrics.pool.execute(
        f"UPDATE statements SET body = {huge} WHERE subject_id = (SELECT id FROM subjects WHERE subject = $1)", subject
    )


async def assert_built_without(metrics: MetricsDatabase, subject: str, reason: str) -> None:
    """A build for changed terms ends, logs the subject with the reason, and covers all others."""
    await change(metrics, "plan")
    with capture_logs() as logs:
        await build(metrics)
    assert await status(metrics) == Status(2, None)
    others = [event for event in story() if event.subject != subject]
    assert await metrics.contributions() == derived(others, "plan")
    invalid = [(one["subject"], one["reason"]) for one in logs if one["event"] == "builder.subject_invalid"]
    assert invalid == [(subject, reason)]


async def test_a_build_a_rebuild_and_a_verification_report_a_statement_that_cannot_be_decoded(metrics: MetricsDatabase) -> None:
    await metrics.pool.execute(
        "UPDATE statements SET body = 'no JSON' WHERE subject_id = (SELECT id FROM subjects WHERE subject = 'c1/response/4')"
    )
    reason = "a stored statement can't be decoded"
    await assert_built_without(metrics, "c1/response/4", reason)
    (report,) = await rebuild_in_place(metrics.pool, metrics.writer, "acme")
    assert report.invalid == [f"c1/response/4: {reason}"]
    step = VerifyStep("subjects → contributions")
    async with snapshot(metrics.pool) as connection:
        await compare_contributions(connection, await connection.fetchval("SELECT id FROM tenants WHERE slug = 'acme'"), step)
    assert step.differences == [f"c1/response/4: {reason}"]


async def test_a_build_logs_a_subject_that_cannot_be_folded_and_goes_on(metrics: MetricsDatabase) -> None:
    await spoil(metrics, "c1/response/4")
    await assert_built_without(metrics, "c1/response/4", "an amount or a bin is too large for its column")
