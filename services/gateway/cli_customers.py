"""`earshot customers`: what is held about a customer."""

import sys
from typing import Annotated, Any

import msgspec
import typer

from services.gateway.admin import Admin
from services.gateway.cli_tools import AsJson, TenantId, run, show

customers_app = typer.Typer(help="What is held about a customer.", no_args_is_help=True)

IDENTITY_COLUMNS = ("pseudonym", "kind", "requested", "shared")
HOLDING_COLUMNS = ("connection", "provider", "name", "subjects", "statements", "first_received", "last_received")
STORE_COLUMNS = ("name", "rows", "gone_by")

CustomerId = Annotated[str | None, typer.Option("--id", help="An id of your own, or of a tool, such as zendesk:351.")]
Email = Annotated[str | None, typer.Option(help="An e-mail address.")]


@customers_app.command("find")
def find_customer(tenant: TenantId, customer_id: CustomerId = None, email: Email = None, as_json: AsJson = False) -> None:
    """Find what is held about a customer, by connection. Changes nothing."""
    query = to_query(customer_id, email)
    customer = run(lambda admin: admin.customers("find", tenant, query))
    show(customer if as_json else customer["identities"], IDENTITY_COLUMNS, as_json)
    if not as_json:
        show(customer["holdings"], HOLDING_COLUMNS, as_json)
        show_left_out(customer)


@customers_app.command("export")
def export_customer(tenant: TenantId, customer_id: CustomerId = None, email: Email = None) -> None:
    """Print everything that is held about a customer, as JSON."""
    query = to_query(customer_id, email)
    export = run(lambda admin: all_pages(admin, tenant, query))
    sys.stdout.buffer.write(msgspec.json.format(msgspec.json.encode(export), indent=2) + b"\n")


@customers_app.command("erase")
def erase_customer(
    tenant: TenantId,
    customer_id: CustomerId = None,
    email: Email = None,
    yes: Annotated[bool, typer.Option("--yes", help="Don't ask.")] = False,
    as_json: AsJson = False,
) -> None:
    """Erase everything that `find` finds, for good, and print the receipt."""
    query = to_query(customer_id, email)
    if not yes:
        held = run(lambda admin: admin.customers("find", tenant, query))
        show_left_out(held)
        typer.confirm(f"Erase {held['subjects']} subjects with {held['statements']} statements for good?", abort=True, err=True)
    receipt = run(lambda admin: admin.customers("erase", tenant, query))
    show(receipt if as_json else receipt["stores"], STORE_COLUMNS, as_json)
    if not as_json:
        typer.echo(f"erasure {receipt['id']}: {receipt['subjects']} subjects")
        if receipt["remaining"] != 0:
            typer.echo(f"{receipt['remaining'] or 'many'} further events are erased in the background")
        show_left_out(receipt)


def show_left_out(answer: dict[str, Any]) -> None:
    """Print the names that were not followed, to standard error."""
    for part in answer["left_out"]:
        typer.echo(f"left out: {part['pseudonym'] or 'some names'} ({part['reason']}). {part['detail']}", err=True)


def to_query(customer_id: str | None, email: str | None) -> dict[str, Any]:
    """The customer as the API names them."""
    query = {name: value for name, value in (("id", customer_id), ("email", email)) if value is not None}
    if not query:
        raise typer.BadParameter("state --id, --email or both")
    return query


async def all_pages(admin: Admin, tenant: str, query: dict[str, Any]) -> dict[str, Any]:
    """The whole export."""
    export = await admin.customers("export", tenant, query)
    cursor = export.pop("cursor")
    while cursor:
        page = await admin.customers("export", tenant, query | {"cursor": cursor})
        export["subjects"] += page["subjects"]
        cursor = page["cursor"]
    return export
