"""`earshot replay`: stored events, published again or read again."""

from typing import Annotated, Any
from urllib.parse import quote

import msgspec
import typer

from services.gateway.cli_tools import AsJson, TenantId, run, show

REPLAY_COLUMNS = ("id", "job", "state", "deliveries")
STATUS_COLUMNS = ("id", "state", "deliveries", "progress", "created_at", "finished_at")


def replay(
    tenant: TenantId,
    connection: Annotated[str | None, typer.Option(help="Only of this connection.")] = None,
    subject: Annotated[str | None, typer.Option(help="Only about this subject.")] = None,
    since: Annotated[str | None, typer.Option(help="Received at or after this time, such as 2026-11-20T00:00:00Z.")] = None,
    until: Annotated[str | None, typer.Option(help="Received before this time.")] = None,
    everything: Annotated[bool, typer.Option("--all", help="All deliveries of the tenant.")] = False,
    reread: Annotated[
        bool, typer.Option("--reread", help="Read the stored bodies again under the current mapping; publish what differs.")
    ] = False,
    status: Annotated[str | None, typer.Option(help="Show the progress of the replay with this id.")] = None,
    as_json: AsJson = False,
) -> None:
    """Publish stored events again, in the background. Consumers count each event once, so this restores what they lost."""
    filters = {"connection": connection, "subject": subject, "since": since, "until": until}
    body: dict[str, Any] = {name: value for name, value in filters.items() if value is not None}
    if status is not None:
        if body or everything or reread:
            raise typer.BadParameter("--status takes no other option")
        path = f"/v1/replay/{quote(status, safe='')}"
        show(run(lambda admin: admin.call_ingest(tenant, "GET", path)), STATUS_COLUMNS, as_json)
        return
    if bool(body) == everything:
        raise typer.BadParameter("state filters, or --all")
    content = msgspec.json.encode(body | ({"reread": True} if reread else {}))
    show(run(lambda admin: admin.call_ingest(tenant, "POST", "/v1/replay", body=content)), REPLAY_COLUMNS, as_json)
