"""`earshot quarantine`: deliveries that could not be read."""

from typing import Annotated, Any
from urllib.parse import quote

import typer

from services.gateway.cli_tools import JOB_COLUMNS, AsJson, TenantId, run, show

quarantine_app = typer.Typer(help="Deliveries that could not be read.", no_args_is_help=True)

COLUMNS = ("id", "connection", "provider", "received_at", "reason_code", "reason")
COUNT_COLUMNS = ("reason_code", "connection", "provider", "deliveries", "oldest", "newest")

Delivery = Annotated[str | None, typer.Argument(help="Id of one delivery; left out: all that match the filters.")]
Connection = Annotated[str | None, typer.Option(help="Only of this connection.")]
Provider = Annotated[str | None, typer.Option(help="Only of connections of this provider.")]
ReasonCode = Annotated[str | None, typer.Option(help="Only with this code, such as mapping_mismatch.")]
Since = Annotated[str | None, typer.Option(help="Received at or after this time, such as 2026-11-20T00:00:00Z.")]
Until = Annotated[str | None, typer.Option(help="Received before this time.")]


@quarantine_app.command("list")
def list_quarantined(
    tenant: TenantId,
    connection: Connection = None,
    provider: Provider = None,
    reason_code: ReasonCode = None,
    since: Since = None,
    until: Until = None,
    cursor: Annotated[str | None, typer.Option(help="The `cursor` that --json prints, for the next page.")] = None,
    as_json: AsJson = False,
) -> None:
    """List the newest 100, without their bodies."""
    filters = without_none(
        connection=connection, provider=provider, reason_code=reason_code, since=since, until=until, cursor=cursor
    )
    page = run(lambda admin: admin.list_quarantined(tenant, filters))
    show(page if as_json else page["items"], COLUMNS, as_json)


@quarantine_app.command("show")
def show_quarantined(
    tenant: TenantId, delivery: Annotated[str, typer.Argument(help="Its id, from the list.")], as_json: AsJson = False
) -> None:
    """Print one with its stored headers and its body, which is as the tool sent it: it may identify customers."""
    whole = run(lambda admin: admin.call_ingest(tenant, "GET", f"/v1/quarantine/{quote(delivery, safe='')}"))
    show(whole, (*COLUMNS, "headers"), as_json)
    if not as_json:
        typer.echo(f"\n{whole['body']}")


@quarantine_app.command("count")
def count_quarantined(
    tenant: TenantId,
    connection: Connection = None,
    provider: Provider = None,
    reason_code: ReasonCode = None,
    since: Since = None,
    until: Until = None,
    as_json: AsJson = False,
) -> None:
    """Count them by reason and connection."""
    filters = without_none(connection=connection, provider=provider, reason_code=reason_code, since=since, until=until)
    count = run(lambda admin: admin.count_quarantined(tenant, filters))
    show(count if as_json else count["counts"], COUNT_COLUMNS, as_json)


@quarantine_app.command("retry")
def retry_quarantined(
    tenant: TenantId,
    delivery: Delivery = None,
    connection: Connection = None,
    provider: Provider = None,
    reason_code: ReasonCode = None,
    since: Since = None,
    until: Until = None,
    as_json: AsJson = False,
) -> None:
    """Read them again under the current mapping: one, or in the background all that match the filters, or all."""
    filters = without_none(connection=connection, provider=provider, reason_code=reason_code, since=since, until=until)
    work_through("retry", tenant, delivery, filters, as_json)


@quarantine_app.command("discard")
def discard_quarantined(
    tenant: TenantId,
    delivery: Delivery = None,
    connection: Connection = None,
    provider: Provider = None,
    reason_code: ReasonCode = None,
    since: Since = None,
    until: Until = None,
    as_json: AsJson = False,
) -> None:
    """Delete their bodies for good: of one, or in the background of all that match the filters. One filter is needed."""
    filters = without_none(connection=connection, provider=provider, reason_code=reason_code, since=since, until=until)
    work_through("discard", tenant, delivery, filters, as_json)


@quarantine_app.command("jobs")
def list_jobs(tenant: TenantId, as_json: AsJson = False) -> None:
    """List the jobs in the background, the newest first, with their progress."""
    show(run(lambda admin: admin.jobs(tenant))["items"], JOB_COLUMNS, as_json)


def work_through(action: str, tenant: str, delivery: str | None, filters: dict[str, Any], as_json: bool) -> None:
    """Retry or discard one delivery, or add the job for those that match."""
    if delivery and filters:
        raise typer.BadParameter("state the id of one delivery or filters, not both")
    result = run(lambda admin: admin.work_through_quarantine(action, tenant, delivery, filters))
    show(result, ("id", "status", "reason") if delivery else JOB_COLUMNS, as_json)


def without_none(**filters: str | None) -> dict[str, Any]:
    """The filters that are stated."""
    return {name: value for name, value in filters.items() if value is not None}
