"""`earshot connection` and `earshot backfill`: connected tools, the credentials of their APIs, and their history."""

from typing import Annotated, Any

import msgspec
import typer

from services.gateway.admin import Admin
from services.gateway.cli_tools import JOB_COLUMNS, AsJson, TenantId, run, show
from shared.problems import NotFound

connection_app = typer.Typer(help="Connected tools.", no_args_is_help=True)

CONNECTION_COLUMNS = ("id", "provider", "name", "hook_url", "secret")
CREDENTIALS_COLUMNS = ("id", "provider", "name", "has_credentials")

ConnectionId = Annotated[str, typer.Argument(help="The connection's id.")]


@connection_app.command("create")
def create_connection(
    tenant: TenantId,
    provider: Annotated[str, typer.Option(help="standard, typeform, zendesk, …; `earshot providers` lists all.")],
    name: Annotated[str, typer.Option(help="Display name.")],
    as_json: AsJson = False,
) -> None:
    """Connect a tool. Its secret is printed only now."""
    show(run(lambda admin: admin.create_connection(tenant, provider=provider, name=name)), CONNECTION_COLUMNS, as_json)


@connection_app.command("list")
def list_connections(tenant: TenantId, as_json: AsJson = False) -> None:
    """List a tenant's connections."""
    answer = run(lambda admin: admin.connections(tenant))
    show(answer["connections"], CONNECTION_COLUMNS[:-1], as_json)


@connection_app.command("credentials")
def set_credentials(
    tenant: TenantId,
    connection: ConnectionId,
    file: Annotated[
        typer.FileBinaryRead | None,
        typer.Argument(help='JSON with the credentials of the tool\'s API, such as {"access_token": "…"}; - for standard input.'),
    ] = None,
    remove: Annotated[
        bool, typer.Option("--remove", help="Remove the credentials; the tool's API is not called any more.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Set the credentials of a tool's API. They are read from a file or from standard input, never from the command line, which
    other users of the machine can see. They are stored encrypted and never printed."""
    if (file is None) != remove:
        raise typer.BadParameter("name a file, or - for standard input; or state --remove")
    credentials = read_credentials(file.read()) if file else None
    show(run(lambda admin: admin.set_credentials(tenant, connection, credentials)), CREDENTIALS_COLUMNS, as_json)


def read_credentials(content: bytes) -> dict[str, Any]:
    """The credentials in a JSON file. Raises BadParameter, without quoting it."""
    try:
        credentials = msgspec.json.decode(content, type=dict[str, Any])
    except msgspec.DecodeError:
        raise typer.BadParameter("the credentials must be a JSON object") from None
    return credentials


def back_fill(
    tenant: TenantId,
    connection: ConnectionId,
    since: Annotated[str | None, typer.Option(help="From this date or time on, such as 2025-01-01.")] = None,
    survey: Annotated[list[str] | None, typer.Option(help="A form or survey by its id in the tool; may be repeated.")] = None,
    cancel: Annotated[bool, typer.Option("--cancel", help="Cancel the back-fill that runs. What it has stored stays.")] = False,
    status: Annotated[bool, typer.Option("--status", help="Show the progress of the latest back-fill.")] = False,
    as_json: AsJson = False,
) -> None:
    """Fetch the history of a connected tool in the background. Repeating it stores only what is missing."""
    if [since is not None, cancel, status].count(True) != 1:
        raise typer.BadParameter("state --since, --cancel or --status")
    if since is not None:
        show(run(lambda admin: admin.back_fill(tenant, connection, since, survey or [])), JOB_COLUMNS, as_json)
    else:
        show(run(lambda admin: latest_back_fill(admin, tenant, connection, cancel=cancel)), (*JOB_COLUMNS, "problem"), as_json)


async def latest_back_fill(admin: Admin, tenant: str, connection: str, *, cancel: bool) -> dict[str, Any]:
    """The job of the latest back-fill of the connection, after it was cancelled if `cancel`. Raises NotFound if it had none."""
    latest = (await admin.connection(tenant, connection))["health"]["backfill"]
    if latest is None:
        raise NotFound("the connection has no back-fill")
    return await admin.job(tenant, latest["job"], cancel=cancel)
