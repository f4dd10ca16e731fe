"""The `earshot` command: tenants, keys, connections, imports, quarantine, replays, customers, retention, themes, models, numbers.

Reads the gateway's settings from the environment.
"""

from dataclasses import asdict
from typing import Annotated, Any

import typer

from services.gateway.cli_connections import back_fill, connection_app
from services.gateway.cli_customers import customers_app
from services.gateway.cli_import import import_file
from services.gateway.cli_quarantine import quarantine_app
from services.gateway.cli_queries import explain, show_kpi, write_tickets
from services.gateway.cli_replay import replay
from services.gateway.cli_retention import freezing_app, retention_app
from services.gateway.cli_tools import AsJson, TenantId, run, show
from services.gateway.domain.keys import SCOPES, Key
from shared.version import VERSION

app = typer.Typer(help="Earshot for operators.", no_args_is_help=True, add_completion=False)
tenant_app = typer.Typer(help="Tenants.", no_args_is_help=True)
key_app = typer.Typer(help="API keys.", no_args_is_help=True)
taxonomy_app = typer.Typer(help="The themes that are recognised in a tenant's comments.", no_args_is_help=True)
model_app = typer.Typer(help="Models of sentiment.", no_args_is_help=True)
app.add_typer(tenant_app, name="tenant")
app.add_typer(key_app, name="key")
app.add_typer(connection_app, name="connection")
app.command("backfill")(back_fill)
app.add_typer(quarantine_app, name="quarantine")
app.command("replay")(replay)
app.add_typer(customers_app, name="customers")
app.command("import")(import_file)
app.add_typer(retention_app, name="retention")
app.add_typer(freezing_app, name="freezing")
app.add_typer(taxonomy_app, name="taxonomy")
app.add_typer(model_app, name="model")
app.command("kpi")(show_kpi)
app.command("explain")(explain)
app.command("tickets")(write_tickets)

ModelName = Annotated[str, typer.Argument(help="The model with its version, such as e5-7.")]

KEY_FIELDS = ("id", "tenant", "name", "prefix", "scopes", "created_at", "expires_at", "revoked_at")
KEY_COLUMNS = ("id", "name", "prefix", "scopes", "expires_at", "revoked_at")
PROVIDER_COLUMNS = ("id", "title", "backfill", "content")
THEME_COLUMNS = ("revision", "id", "name", "description", "examples")
MODEL_COLUMNS = ("name", "scores", "coverage", "promoted")
REPORT_COLUMNS = ("model", "promoted", "comments", "missing", "n", "agreement", "changed")
KPI_COLUMNS = ("kpi", "agg", "promoted", "candidate", "delta")


def print_version(requested: bool) -> None:
    """Print the version and exit, for the option `--version`."""
    if requested:
        typer.echo(f"earshot {VERSION}")
        raise typer.Exit


@app.callback()
def options(
    version: Annotated[bool, typer.Option("--version", help="Print the version.", callback=print_version, is_eager=True)] = False,
) -> None:
    """Earshot for operators."""


# --- tenants
@tenant_app.command("create")
def create_tenant(
    tenant: TenantId,
    zone: Annotated[str, typer.Option(help="IANA zone in which the tenant's days begin.")],
    name: Annotated[str | None, typer.Option(help="Display name; default: the id.")] = None,
    as_json: AsJson = False,
) -> None:
    """Create a tenant; does nothing if it exists."""
    show(asdict(run(lambda admin: admin.create_tenant(tenant, zone, name))), ("id", "name", "zone"), as_json)


@tenant_app.command("list")
def list_tenants(as_json: AsJson = False) -> None:
    """List the tenants."""
    show(
        [asdict(tenant) for tenant in run(lambda admin: admin.tenants.list_all())], ("id", "name", "zone", "provisioned"), as_json
    )


# --- keys
@key_app.command("create")
def create_key(
    tenant: TenantId,
    scopes: Annotated[str, typer.Option(help=f"Separated by blanks or commas: {' '.join(SCOPES)}")],
    name: Annotated[str, typer.Option(help="What the key is for.")] = "",
    as_json: AsJson = False,
) -> None:
    """Create an API key. Its secret is printed only now."""
    scope_list = scopes.replace(",", " ").split()
    key, secret = run(lambda admin: admin.create_key(tenant, scope_list, name))
    show(key_row(key) | {"key": secret}, ("id", "scopes", "key"), as_json)


@key_app.command("list")
def list_keys(tenant: TenantId, as_json: AsJson = False) -> None:
    """List a tenant's keys, without their secrets."""
    show([key_row(key) for key in run(lambda admin: admin.keys.list_for(tenant))], KEY_COLUMNS, as_json)


@key_app.command("revoke")
def revoke_key(tenant: TenantId, key: Annotated[str, typer.Argument(help="The key's id.")]) -> None:
    """Revoke a key; it stops working within about a second."""
    run(lambda admin: admin.revoke_key(tenant, key))


@app.command("providers")
def list_providers(as_json: AsJson = False) -> None:
    """List the kinds of tools that can be connected, with the records and facts that each can state."""
    show(run(lambda admin: admin.providers())["providers"], PROVIDER_COLUMNS, as_json)


# --- themes
@taxonomy_app.command("show")
def show_taxonomy(tenant: TenantId, as_json: AsJson = False) -> None:
    """Show the current themes; `set` reads the output of --json."""
    show_themes(run(lambda admin: admin.taxonomy(tenant)), as_json)


@taxonomy_app.command("set")
def set_taxonomy(
    tenant: TenantId,
    file: Annotated[typer.FileBinaryRead, typer.Argument(help="JSON as `show --json` prints it; - for standard input.")],
    as_json: AsJson = False,
) -> None:
    """Set the themes of a file; null: the default themes."""
    body = file.read()
    show_themes(run(lambda admin: admin.set_taxonomy(tenant, body)), as_json)


@taxonomy_app.command("reset")
def reset_taxonomy(tenant: TenantId, as_json: AsJson = False) -> None:
    """Reset to the default themes."""
    show_themes(run(lambda admin: admin.reset_taxonomy(tenant)), as_json)


def show_themes(taxonomy: dict[str, Any], as_json: bool) -> None:
    """Print a taxonomy: as JSON, or a line for each theme with the number of its examples."""
    revision, default = taxonomy["revision"], {"name": "the default themes"}
    rows = [theme | {"examples": len(theme["examples"])} for theme in taxonomy["themes"] or ()] or [default]
    show(taxonomy if as_json else [{"revision": revision, **row} for row in rows], THEME_COLUMNS, as_json)


# --- models
@model_app.command("list")
def list_models(tenant: TenantId, as_json: AsJson = False) -> None:
    """List the models that scored a tenant's comments, with their coverage in percent."""
    show(run(lambda admin: admin.models(tenant))["models"], MODEL_COLUMNS, as_json)


@model_app.command("report")
def report_model(
    tenant: TenantId,
    model: ModelName,
    window: Annotated[str, typer.Option(help="Window of the compared comments: 36h, 14d, 30d, last_month, …")] = "30d",
    as_json: AsJson = False,
) -> None:
    """Report what the promotion of a model would change; the JSON also lists comments whose label would change."""
    report = run(lambda admin: admin.shadow(tenant, model, window))
    show(report, REPORT_COLUMNS, as_json)
    if not as_json:
        rows = [kpi | {side: kpi[side]["value"] for side in ("promoted", "candidate")} for kpi in report["kpis"]]
        show(rows, KPI_COLUMNS, as_json)


@model_app.command("promote")
def promote_model(tenant: TenantId, model: ModelName, as_json: AsJson = False) -> None:
    """Let a tenant's KPIs use a model's scores; refused while comments lack one."""
    show(run(lambda admin: admin.promote(tenant, model)), ("model", "promoted_at"), as_json)


def key_row(key: Key) -> dict[str, Any]:
    """A key as a row, without its tenant's zone."""
    return {column: getattr(key, column) for column in KEY_FIELDS} | {"scopes": sorted(key.scopes)}


def main() -> None:
    """Run the command of `sys.argv`."""
    app()


if __name__ == "__main__":
    main()
