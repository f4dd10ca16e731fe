"""`earshot retention`: for how long the bodies of a tenant's deliveries are stored."""

from typing import Annotated

import typer

from services.gateway.cli_tools import AsJson, TenantId, run, show

retention_app = typer.Typer(help="For how long the bodies of deliveries are stored.", no_args_is_help=True)

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
