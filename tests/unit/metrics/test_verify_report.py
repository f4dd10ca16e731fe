"""The report of a verification names the differences and the next step."""

from services.metrics.verify.report import CONTRIBUTIONS, REBUILD, VerifyStep, advice


def test_contributions_that_differ_may_need_a_rebuild_and_nothing_else_does() -> None:
    served = VerifyStep("contributions → served KPIs", differences=["nps"])
    assert advice([VerifyStep(CONTRIBUTIONS), served]) is None
    assert advice([VerifyStep(CONTRIBUTIONS, differences=["con_1/response/r-1"]), served]) == REBUILD
