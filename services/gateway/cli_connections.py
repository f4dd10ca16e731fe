"""`earshot connection` and `earshot backfill`: connected tools, the credentials of their APIs, and their history."""

from typing import Annotated, Any
from urllib.parse import quote

import msgspec
import typer

from services.gateway.admin import Admin
from services.gateway.cli_tools import JOB_COLUMNS, AsJson, TenantId, run, show
from shared.problems import NotFound

connection_app = typer.Typer(help="Connected tools.", no_args_is_help=True)

CONNECTION_COLUMNS = ("id", "provider", "name", "hook_url", "secret")
STATE_COLUMNS = ("id", "provider", "name", "state", "secrets")
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


@connection_app.command("show")
def show_connection(tenant: TenantId, connection: ConnectionId) -> None:
    """Print a connection with its mapping and its health, as JSON."""
    show(run(lambda admin: admin.connection(tenant, connection)), (), as_json=True)


@connection_app.command("pause")
def pause_connection(tenant: TenantId, connection: ConnectionId, as_json: AsJson = False) -> None:
    """Hold its deliveries unread: they are acknowledged and stored."""
    show(run(lambda admin: change(admin, tenant, connection, {"paused": True})), STATE_COLUMNS, as_json)


@connection_app.command("resume")
def resume_connection(tenant: TenantId, connection: ConnectionId, as_json: AsJson = False) -> None:
    """Read its deliveries again, the held ones first."""
    show(run(lambda admin: change(admin, tenant, connection, {"paused": False})), STATE_COLUMNS, as_json)


@connection_app.command("rotate")
def rotate_secret(
    tenant: TenantId,
    connection: ConnectionId,
    file: Annotated[
        typer.FileBinaryRead | None,
        typer.Argument(help="File with the new secret, of tools that create it; - for standard input; left out: one is created."),
    ] = None,
    retire: Annotated[bool, typer.Option("--retire", help="End the rotation: only the newest secret stays valid.")] = False,
    cancel: Annotated[bool, typer.Option("--cancel", help="End it the other way: only the former secret stays valid.")] = False,
    as_json: AsJson = False,
) -> None:
    """Begin a rotation of the secret: the former one stays valid beside the new one until --retire. A secret that is created is
    printed only now; one from a file is never printed."""
    if retire and cancel:
        raise typer.BadParameter("state --retire or --cancel, not both")
    changes: dict[str, Any] = {"retire_secret": True} if retire else {"cancel_rotation": True} if cancel else {}
    if file or not changes:
        changes["secret"] = read_secret(file.read()) if file else None
    answer = run(lambda admin: change(admin, tenant, connection, changes))
    if file:
        answer.pop("secret", None)
    show(answer, CONNECTION_COLUMNS if "secret" in answer else STATE_COLUMNS, as_json)


@connection_app.command("delete")
def delete_connection(
    tenant: TenantId,
    connection: ConnectionId,
    yes: Annotated[bool, typer.Option("--yes", help="Don't ask.")] = False,
) -> None:
    """Disconnect a tool. Its stored feedback stays; held deliveries are dropped."""
    yes or typer.confirm(f"Delete {connection}? Its secrets and its held deliveries are lost.", abort=True)
    run(lambda admin: admin.call_ingest(tenant, "DELETE", path_of(connection)))
    typer.echo(f"deleted {connection}")


def path_of(connection: str) -> str:
    """The path of a connection at ingest."""
    return f"/v1/connections/{quote(connection, safe='')}"


async def change(admin: Admin, tenant: str, connection: str, changes: dict[str, Any]) -> dict[str, Any]:
    """PATCH /v1/connections/{id} at ingest; returns the connection."""
    return await admin.call_ingest(tenant, "PATCH", path_of(connection), body=msgspec.json.encode(changes))


def read_secret(content: bytes) -> str:
    """The secret in a file, without the end of its line. Raises BadParameter, without quoting it."""
    try:
        return content.decode().strip("\r\n")
    except UnicodeDecodeError:
        raise typer.BadParameter("the secret must be text") from None


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
