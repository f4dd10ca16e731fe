"""`earshot retention` and `earshot freezing`: for how long bodies are stored, and when old feedback is compressed."""

from typing import Annotated

import typer

from services.gateway.cli_tools import AsJson, TenantId, run, show

retention_app = typer.Typer(help="For how long the bodies of deliveries are stored.", no_args_is_help=True)

freezing_app = typer.Typer(help="After how long old feedback is stored compressed.", no_args_is_help=True)

FREEZING_COLUMNS = ("after_months", "frozen", "frozen_before", "running")
COLUMNS = ("body_days", "quarantine_days", "deleted_before", "changed_at")

BodyDays = Annotated[int | None, typer.Option(help="Days for which bodies are stored; left out: always.")]
QuarantineDays = Annotated[
    int | None, typer.Option(help="Days after which quarantined deliveries are discarded; left out: never.")
]


@retention_app.command("show")
def show_retention(tenant: TenantId, as_json: AsJson = False) -> None:
    """Print the setting. An empty cell means that nothing is deleted by age."""
    show(run(lambda admin: admin.retention(tenant)), COLUMNS, as_json)


@retention_app.command("set")
def set_retention(
    tenant: TenantId, body_days: BodyDays = None, quarantine_days: QuarantineDays = None, as_json: AsJson = False
) -> None:
    """Set both. Older bodies are deleted for good; the numbers do not change."""
    show(run(lambda admin: admin.set_retention(tenant, body_days, quarantine_days)), COLUMNS, as_json)


AfterMonths = Annotated[
    int | None,
    typer.Option(help="Months without a statement after which feedback is frozen; left out: never, and all is thawed."),
]


@freezing_app.command("show")
def show_freezing(tenant: TenantId, as_json: AsJson = False) -> None:
    """Print the setting, and how far the worker is."""
    show(run(lambda admin: admin.freezing(tenant)), FREEZING_COLUMNS, as_json)


@freezing_app.command("set")
def set_freezing(tenant: TenantId, after_months: AfterMonths = None, as_json: AsJson = False) -> None:
    """Set it. A worker of metrics freezes or thaws in the background; the numbers do not change."""
    show(run(lambda admin: admin.set_freezing(tenant, after_months)), FREEZING_COLUMNS, as_json)
