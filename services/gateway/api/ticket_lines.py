"""Pages of tickets as lines of CSV and NDJSON. The command line imports this module, and not the routes, which import slowly."""

import codecs
from collections.abc import Iterator

import msgspec

from services.gateway.api.rendering import Format
from services.gateway.domain.lines import csv_lines
from services.gateway.domain.ticket_table import TicketPage


def ndjson_lines(page: TicketPage) -> Iterator[bytes]:
    """Each ticket as a line of JSON."""
    return (msgspec.json.encode(item) + b"\n" for item in page.items())


def lines_of_csv(page: TicketPage, format_: Format) -> Iterator[bytes]:
    """The header and the tickets as lines of CSV."""
    if format_.bom:
        yield codecs.BOM_UTF8
    for line in csv_lines(page.header if format_.header else None, page.rows()):
        yield line.encode()
